/* SPDX-License-Identifier: Apache-2.0 */
/* munkeyctl backup: has the running daemon copy its database. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "daemon/control.h"
#include "daemon/ctl.h"

struct wishes {
    struct config_source source;
    const char *file;
};

static error_t take(int key, char *argument, struct argp_state *state)
{
    struct wishes *wishes = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &wishes->source;
        return 0;
    case ARGP_KEY_ARG:
        if (wishes->file)
            argp_usage(state);
        wishes->file = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* {"path": FILE}, which the daemon, in another folder, has to get as an absolute one. */
static int write_request(const char *file, char **ret_json)
{
    char here[4096] = "", *path = NULL;
    json_auto_t *json = NULL;

    if (*file != '/' && !getcwd(here, sizeof here))
        return fail(MK_EIO, "cannot tell which folder this is: %m");
    if (asprintf(&path, "%s%s%s", here, *here ? "/" : "", file) < 0)
        return fail(MK_ENOMEM, "no memory for a path");
    json = json_pack("{s:s}", "path", path);
    free(path);
    if (!json || !(*ret_json = json_dumps(json, JSON_COMPACT)))
        return fail(MK_EINPUT, "the path of the backup has to be UTF-8");
    return 0;
}

static int ask(const struct config *config, void *context)
{
    const struct wishes *wishes = context;
    char *request, *body;
    int rc;

    if ((rc = write_request(wishes->file, &request)) < 0)
        return rc;
    rc = control_request(config->state, "POST", "/backup", request, &body);
    free(request);
    if (rc == 0)
        free(body);
    return rc;
}

int ctl_backup(int argc, char **argv)
{
    const struct argp argp = {
        .parser = take,
        .args_doc = "FILE",
        .doc =
            "Has the running daemon copy its database to FILE, a new file that the "
            "daemon's user may write.  People who are erased afterwards are unreadable "
            "in it.  Bring it back with munkeyctl restore.",
        .children = ctl_settings};
    struct wishes wishes = {0};

    return ctl_run(&argp, argc, argv, &wishes, ask);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* munkeyctl rotate: has the running daemon change a signing key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "daemon/control.h"
#include "daemon/ctl.h"

struct wishes {
    struct config_source source;
    const char *key; /* log or receipt */
};

static error_t take(int key, char *argument, struct argp_state *state)
{
    struct wishes *wishes = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &wishes->source;
        return 0;
    case ARGP_KEY_ARG:
        if (wishes->key || (strcmp(argument, "log") && strcmp(argument, "receipt")))
            argp_usage(state);
        wishes->key = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int ask(const struct config *config, const char *key)
{
    char json[32], *body;
    int rc;

    snprintf(json, sizeof json, "{\"key\":\"%s\"}", key);
    if ((rc = control_request(config->state, "POST", "/rotate", json, &body)) < 0)
        return rc;
    fputs(body, stdout);
    free(body);
    return 0;
}

int ctl_rotate(int argc, char **argv)
{
    const struct argp_child children[] = {{&config_argp, 0, "Settings:", 0}, {0}};
    const struct argp argp = {
        .parser = take,
        .args_doc = "log|receipt",
        .doc =
            "Has the running daemon change the key that signs the log or the receipts.  "
            "What the old key has signed stays valid; the old key is overwritten.",
        .children = children};
    struct wishes wishes = {0};
    struct config config;
    int rc;

    argp_parse(&argp, argc, argv, 0, NULL, &wishes);
    if ((rc = ctl_config(&wishes.source, &config)) < 0)
        return ctl_failed(rc);
    rc = ask(&config, wishes.key);
    config_done(&config);
    return rc < 0 ? ctl_failed(rc) : EXIT_SUCCESS;
}

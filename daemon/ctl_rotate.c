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

static int ask(const struct config *config, void *context)
{
    const struct wishes *wishes = context;
    char json[32], *body;
    int rc;

    snprintf(json, sizeof json, "{\"key\":\"%s\"}", wishes->key);
    if ((rc = control_request(config->state, "POST", "/rotate", json, &body)) < 0)
        return rc;
    fputs(body, stdout);
    free(body);
    return 0;
}

int ctl_rotate(int argc, char **argv)
{
    const struct argp argp = {
        .parser = take,
        .args_doc = "log|receipt",
        .doc =
            "Has the running daemon change the key that signs the log or the receipts.  "
            "What the old key has signed stays valid; the old key is overwritten.",
        .children = ctl_settings};
    struct wishes wishes = {0};

    return ctl_run(&argp, argc, argv, &wishes, ask);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* munkeyctl init: makes a state folder for a model. */
#include <stdio.h>
#include <stdlib.h>

#include "core/err.h"
#include "daemon/ctl.h"
#include "daemon/model_file.h"
#include "storage/state.h"

enum { KEY_ORIGIN = 0x80, KEY_SLOT_SIZE, KEY_IF_MISSING };

struct wishes {
    struct config_source source;
    struct init_options init;
    bool if_missing;
};

static const struct argp_option options[] = {
    {"origin", KEY_ORIGIN, "NAME", 0,
     "name of the log: a URL without its schema, such as example.org/forget, unique to "
     "it "
     "(default: munkeyd.invalid/ and a random number)",
     0},
    {"slot-size", KEY_SLOT_SIZE, "N", 0,
     "bytes of a slot, all provenance included (default: 500)", 0},
    {"if-missing", KEY_IF_MISSING, NULL, 0, "do nothing when the folder is there", 0},
    {0}};

static error_t take(int key, char *argument, struct argp_state *state)
{
    struct wishes *wishes = state->input;
    char *end;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &wishes->source;
        return 0;
    case KEY_ORIGIN:
        wishes->init.origin = argument;
        return 0;
    case KEY_SLOT_SIZE:
        wishes->init.slot_size = strtoul(argument, &end, 10);
        if (*end || wishes->init.slot_size < 300 || wishes->init.slot_size > 4000)
            argp_error(state, "--slot-size must lie between 300 and 4000");
        return 0;
    case KEY_IF_MISSING:
        wishes->if_missing = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int make_folder(const struct config *config, void *context)
{
    const struct wishes *wishes = context;
    const struct state_options options = config_state(config);
    uint8_t sha256[32];
    struct model *model;
    int rc;

    if (wishes->if_missing && state_is_initialised(config->state))
        return 0;
    if ((rc = model_file_load(config->model, &model, sha256)) < 0)
        return rc;
    rc = state_init(&options, &wishes->init, model_info(model), sha256);
    model_free(model);
    if (rc == 0)
        printf("%s is ready for the model %s\n", config->state, config->model);
    return rc;
}

int ctl_init(int argc, char **argv)
{
    const struct argp argp = {
        .options = options,
        .parser = take,
        .doc = "Makes a state folder: database, keys, log.  Every later start needs a "
               "model with "
               "the same key encoder.",
        .children = ctl_settings,
    };
    struct wishes wishes = {0};

    return ctl_run(&argp, argc, argv, &wishes, make_folder);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* munkeyctl restore: goes back to a backup without bringing anybody back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "daemon/ctl.h"
#include "daemon/model_file.h"
#include "storage/restore.h"

enum { KEY_YES = 0x80 };

struct wishes {
    struct config_source source;
    const char *file;
    bool yes;
};

static const struct argp_option options[] = {{"yes", KEY_YES, NULL, 0, "do not ask", 0},
                                             {0}};

static error_t take(int key, char *argument, struct argp_state *state)
{
    struct wishes *wishes = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &wishes->source;
        return 0;
    case KEY_YES:
        wishes->yes = true;
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

static void print(const struct restore_plan *plan)
{
    printf("The backup is %ju log entries behind.  It gives back %ju instances; %ju more "
           "were erased since, and stay erased.\n",
           (uintmax_t)plan->entries, (uintmax_t)plan->instances, (uintmax_t)plan->erased);
    printf("Lost for good: %ju instances.  Of %ju subjects nothing is left.\n",
           (uintmax_t)plan->lost, (uintmax_t)plan->subjects);
    if (!plan->callbacks)
        puts("The database that is replaced is missing, damaged or older: callbacks that "
             "the "
             "backup holds are sent, perhaps again, and later ones are lost.");
}

static int confirm(void *context, const struct restore_plan *plan)
{
    const struct wishes *wishes = context;
    char answer[8] = "";

    print(plan);
    if (wishes->yes)
        return 0;
    if (!isatty(STDIN_FILENO))
        return fail(MK_EINPUT, "nobody is there to be asked: add --yes to go on");
    printf("Go on? [y/N] ");
    fflush(stdout);
    if (!fgets(answer, sizeof answer, stdin) || strcspn(answer, "yY") != 0)
        return fail(MK_ECONFLICT, "nothing was changed");
    return 0;
}

static int restore(const struct config *config, void *context)
{
    struct wishes *wishes = context;
    const struct state_options state = config_state(config);
    struct state_status status;
    struct memory *bank;
    struct model *model;
    uint8_t sha256[32];
    int rc;

    if ((rc = model_file_load(config->model, &model, sha256)) < 0)
        return rc;
    if ((bank = memory_new(model_info(model)->key_dim, config->capacity)))
        rc = state_restore(&state, model_info(model), sha256, bank, wishes->file, confirm,
                           wishes, &status);
    else
        rc = fail(MK_ENOMEM, "no memory for %ld instances", config->capacity);
    memory_free(bank);
    model_free(model);
    if (rc == 0)
        printf("%s holds %ju instances of %ju subjects; its log has %ju entries\n",
               config->state, (uintmax_t)status.instances, (uintmax_t)status.subjects,
               (uintmax_t)status.entries);
    return rc;
}

int ctl_restore(int argc, char **argv)
{
    const struct argp argp = {
        .options = options,
        .parser = take,
        .args_doc = "FILE",
        .doc =
            "Goes back to a backup.  Who was erased since stays erased, and "
            "restrictions and holds stay; what was enrolled since is lost, and the "
            "command says how much before it asks.\vThe daemon must not run.  FILE may "
            "be munkeyd.db of the state folder itself, to give up slots whose keys are "
            "gone.  Interrupted, it can be repeated.",
        .children = ctl_settings};
    struct wishes wishes = {0};

    return ctl_run(&argp, argc, argv, &wishes, restore);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* munkeyctl token: the tokens of callers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "daemon/control.h"
#include "daemon/ctl.h"
#include "storage/tokens.h"

enum { KEY_SCOPES = 0x80, KEY_DAYS };

struct wishes {
    struct config_source source;
    const char *scopes;
    long days;
    const char *verb, *id;
};

static const struct argp_option options[] = {
    {"scopes", KEY_SCOPES, "LIST", 0,
     "predict, enroll, erase, access, restrict, audit, admin, separated by commas, or "
     "all",
     0},
    {"days", KEY_DAYS, "N", 0, "the token expires after so many days (default: never)",
     0},
    {0}};

static error_t take_option(int key, char *argument, struct argp_state *state)
{
    struct wishes *wishes = state->input;
    char *end;

    if (key == KEY_SCOPES) {
        wishes->scopes = argument;
        return 0;
    }
    wishes->days = strtol(argument, &end, 10);
    if (*end || wishes->days < 1 || wishes->days > 36500)
        argp_error(state, "--days must lie between 1 and 36500");
    return 0;
}

static error_t take(int key, char *argument, struct argp_state *state)
{
    struct wishes *wishes = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &wishes->source;
        return 0;
    case KEY_SCOPES:
    case KEY_DAYS:
        return take_option(key, argument, state);
    case ARGP_KEY_ARG:
        if (state->arg_num > 1)
            argp_usage(state);
        *(state->arg_num == 0 ? &wishes->verb : &wishes->id) = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* A daemon that runs reads the file again; one that does not will read it at its start.
 */
static int tell_daemon(const char *folder)
{
    char *body;
    int rc = control_request(folder, "POST", "/reload", NULL, &body);

    if (rc == 0)
        free(body);
    return rc == MK_ENOTFOUND ? 0 : rc;
}

/* The token alone goes to standard output, so that a script can keep it; also when the daemon could
 * not be told, because the token is in the file by then. */
static int add(const char *folder, const struct wishes *wishes)
{
    char id[17], token[64];
    unsigned scopes;
    int rc;

    if (!wishes->scopes)
        return fail(MK_EINPUT,
                    "say what the token may do: --scopes predict, for example");
    if ((rc = scopes_parse(wishes->scopes, &scopes)) < 0)
        return rc;
    rc = tokens_add(folder, scopes, wishes->days ? time(NULL) + wishes->days * 86400 : 0,
                    id, token);
    if (rc < 0)
        return rc;
    fprintf(stderr, "token %s, shown this once:\n", id);
    puts(token);
    explicit_bzero(token, sizeof token);
    return tell_daemon(folder);
}

static void print(const struct token_info *token)
{
    char until[32] = "never";
    const time_t expires = token->expires;
    const char *between = "";

    if (expires)
        strftime(until, sizeof until, "%Y-%m-%dT%H:%M:%SZ", gmtime(&expires));
    printf("%s  expires %s  ", token->id, until);
    for (unsigned scope = 1; scope & SCOPE_ALL; scope <<= 1) {
        if (!(token->scopes & scope))
            continue;
        printf("%s%s", between, scope_name(scope));
        between = ",";
    }
    putchar('\n');
}

static int list(const char *folder)
{
    struct token_info *tokens;
    size_t n;
    int rc;

    if ((rc = tokens_list(folder, &tokens, &n)) < 0)
        return rc;
    for (size_t i = 0; i < n; i++)
        print(&tokens[i]);
    free(tokens);
    return 0;
}

static int revoke(const char *folder, const char *id)
{
    int rc;

    if (!id)
        return fail(MK_EINPUT,
                    "say which: munkeyctl token revoke ID; `list` shows the ids");
    if ((rc = tokens_revoke(folder, id)) < 0)
        return rc;
    return tell_daemon(folder);
}

static int run(const struct config *config, void *context)
{
    const struct wishes *wishes = context;
    const char *folder = config->state;

    if (strcmp(wishes->verb, "add") == 0)
        return add(folder, wishes);
    if (strcmp(wishes->verb, "list") == 0)
        return list(folder);
    if (strcmp(wishes->verb, "revoke") == 0)
        return revoke(folder, wishes->id);
    return fail(MK_EINPUT, "munkeyctl token can add, list and revoke, not %s",
                wishes->verb);
}

int ctl_token(int argc, char **argv)
{
    const struct argp argp = {
        .options = options,
        .parser = take,
        .args_doc = "add --scopes LIST\nlist\nrevoke ID",
        .doc = "Tokens are shown once and stored as a hash.  A running daemon is told.",
        .children = ctl_settings,
    };
    struct wishes wishes = {0};

    return ctl_run(&argp, argc, argv, &wishes, run);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* munkeyctl verify: checks a receipt offline, with public keys alone. */
#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "daemon/ctl.h"
#include "daemon/files.h"
#include "storage/verify.h"

enum {
    FILE_LIMIT = 1 << 20,
    EXIT_INVALID = 1,  /* a check failed */
    EXIT_UNUSABLE = 2, /* there was nothing to check, or nothing to check it with */
};

/* Files that the options name; what they hold is text. */
enum part { REPLY, JWKS, VKEY, PROOF, OPENING, BEFORE, AFTER, PARTS };

static const struct argp_option options[] = {
    {"jwks", JWKS, "FILE", 0, "the receipt keys: what /.well-known/jwks.json gave", 0},
    {"vkey", VKEY, "FILE", 0, "the log's verifier keys, one a line: what /log/vkey gave",
     0},
    {"proof", PROOF, "FILE", 0, "the inclusion proof, if FILE does not hold it", 0},
    {"opening", OPENING, "FILE", 0,
     "JSON with subject, request and salt, if FILE does not hold it", 0},
    {"before", BEFORE, "FILE", 0, "the log's entry before the receipt's", 0},
    {"after", AFTER, "FILE", 0, "the log's entry after it", 0},
    {0}};

struct wishes {
    const char *path[PARTS];
};

static error_t take(int key, char *argument, struct argp_state *state)
{
    struct wishes *wishes = state->input;

    switch (key) {
    case ARGP_KEY_ARG:
        if (state->arg_num > 0)
            argp_usage(state);
        wishes->path[REPLY] = argument;
        return 0;
    case ARGP_KEY_END:
        if (!wishes->path[REPLY] || !wishes->path[JWKS])
            argp_error(state, "say what to check and with which keys: FILE --jwks FILE");
        return 0;
    case JWKS ... AFTER:
        wishes->path[key] = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* What the files hold; NULL where none was named. */
struct texts {
    char *text[PARTS];
    json_t *reply, *opening; /* claims borrow from them */
};

static void texts_done(struct texts *texts)
{
    for (size_t i = 0; i < PARTS; i++)
        free(texts->text[i]);
    json_decref(texts->reply);
    json_decref(texts->opening);
}

/* One line, as editors and `jq -r` leave it: without the newline. */
static void cut_newline(char *text)
{
    size_t len = text ? strlen(text) : 0;

    if (len > 0 && text[len - 1] == '\n')
        text[len - 1] = '\0';
}

static int texts_read(const struct wishes *wishes, struct texts *texts)
{
    for (size_t i = 0; i < PARTS; i++) {
        uint8_t *bytes;
        size_t len;
        int rc;

        if (!wishes->path[i])
            continue;
        if ((rc = file_read(wishes->path[i], FILE_LIMIT, &bytes, &len)) < 0)
            return rc;
        texts->text[i] = (char *)bytes;
    }
    cut_newline(texts->text[REPLY]);
    cut_newline(texts->text[BEFORE]);
    cut_newline(texts->text[AFTER]);
    return 0;
}

static int parse(const char *text, const char *path, json_t **ret_root)
{
    json_error_t error;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

    if (!root)
        return fail(MK_EINPUT, "%s, line %d: %s", path, error.line, error.text);
    *ret_root = root;
    return 0;
}

/* A saved reply is a JSON object; anything else is taken for the receipt itself. */
static int texts_parse(const struct wishes *wishes, struct texts *texts)
{
    const char *reply = texts->text[REPLY], *opening = texts->text[OPENING];
    int rc;

    if (reply[strspn(reply, " \t\r\n")] == '{' &&
        (rc = parse(reply, wishes->path[REPLY], &texts->reply)) < 0)
        return rc;
    if (opening && (rc = parse(opening, wishes->path[OPENING], &texts->opening)) < 0)
        return rc;
    if (texts->reply && !json_is_string(json_object_get(texts->reply, "receipt")))
        return fail(MK_EINPUT, "%s holds no receipt", wishes->path[REPLY]);
    return 0;
}

static struct claim claim_of(const struct texts *texts)
{
    const json_t *reply = texts->reply, *log = json_object_get(reply, "log"),
                 *opening =
                     texts->opening ? texts->opening : json_object_get(reply, "opening"),
                 *subject = json_object_get(opening, "subject");
    struct claim claim = {
        .receipt = reply ? json_string_value(json_object_get(reply, "receipt"))
                         : texts->text[REPLY],
        .proof = texts->text[PROOF] ? texts->text[PROOF]
                                    : json_string_value(json_object_get(log, "proof")),
        .subject = json_string_value(subject),
        .subject_len = json_string_length(subject),
        .request = json_string_value(json_object_get(opening, "request")),
        .salt = json_string_value(json_object_get(opening, "salt"))};

    return claim;
}

static int report(const struct verdict *verdict)
{
    static const char *const words[] = {[CHECK_SKIPPED] = "skipped",
                                        [CHECK_PASSED] = "passed",
                                        [CHECK_FAILED] = "FAILED"};

    for (size_t i = 0; i < CHECKS; i++)
        printf("%-12s  %-7s  %s\n", verdict->check[i].name,
               words[verdict->check[i].result], verdict->check[i].why);
    puts(verdict->valid ? "The receipt is valid." : "The receipt is NOT valid.");
    return verdict->valid ? EXIT_SUCCESS : EXIT_INVALID;
}

/* An exit status, or an error. */
static int check(const struct wishes *wishes, struct texts *texts)
{
    struct verdict verdict;
    int rc;

    if ((rc = texts_read(wishes, texts)) < 0 || (rc = texts_parse(wishes, texts)) < 0)
        return rc;
    const struct claim claim = claim_of(texts);
    const struct trust trust = {.jwks = texts->text[JWKS],
                                .vkeys = texts->text[VKEY],
                                .entry_before = texts->text[BEFORE],
                                .entry_after = texts->text[AFTER]};
    rc = verify_receipt(&claim, &trust, &verdict);
    return rc < 0 ? rc : report(&verdict);
}

int ctl_verify(int argc, char **argv)
{
    const struct argp argp = {
        .options = options,
        .parser = take,
        .args_doc = "FILE",
        .doc = "Checks a receipt offline.  FILE is a saved reply of an erasure or a "
               "restriction "
               "(JSON), or the receipt alone.  Exit status: 0 valid, 1 not valid, 2 not "
               "checked.\vNo part of this needs the state folder or the daemon."};
    struct wishes wishes = {0};
    struct texts texts = {0};

    argp_err_exit_status = EXIT_UNUSABLE;
    argp_parse(&argp, argc, argv, 0, NULL, &wishes);
    int status = check(&wishes, &texts);
    texts_done(&texts);
    if (status < 0) {
        fprintf(stderr, "munkeyctl: %s\n", err_why());
        return EXIT_UNUSABLE;
    }
    return status;
}

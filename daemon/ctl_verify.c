/* SPDX-License-Identifier: Apache-2.0 */
/* munkeyctl verify: checks a receipt offline, with public keys alone. */
#include <argp.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "daemon/ctl.h"
#include "daemon/files.h"
#include "daemon/reply_file.h"

enum {
    EXIT_INVALID = 1,  /* a check failed */
    EXIT_UNUSABLE = 2, /* there was nothing to check, or nothing to check it with */
};

/* Files that FILE and the options name. */
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
    struct reply_file reply;
    char *text[PARTS];
    json_t *opening; /* the claim borrows from it */
};

static void texts_done(struct texts *texts)
{
    reply_file_done(&texts->reply);
    for (size_t i = 0; i < PARTS; i++)
        free(texts->text[i]);
    json_decref(texts->opening);
}

/* Neighbours are one line each, as editors leave it: without the newline. */
static void cut_newline(char *text)
{
    size_t len = text ? strlen(text) : 0;

    if (len > 0 && text[len - 1] == '\n')
        text[len - 1] = '\0';
}

static int texts_read(const struct wishes *wishes, struct texts *texts)
{
    for (size_t i = JWKS; i < PARTS; i++) {
        uint8_t *bytes;
        size_t len;
        int rc;

        if (!wishes->path[i])
            continue;
        if ((rc = file_read(wishes->path[i], REPLY_FILE_LIMIT, &bytes, &len)) < 0)
            return rc;
        texts->text[i] = (char *)bytes;
        if (strlen(texts->text[i]) != len)
            return fail(MK_EINPUT, "%s holds a zero byte", wishes->path[i]);
    }
    cut_newline(texts->text[BEFORE]);
    cut_newline(texts->text[AFTER]);
    return reply_file_read(wishes->path[REPLY], &texts->reply);
}

/* What an option names goes before what FILE holds. */
static int texts_claim(const struct wishes *wishes, struct texts *texts,
                       struct claim *ret_claim)
{
    json_error_t error;

    *ret_claim = texts->reply.claim;
    if (texts->text[PROOF])
        ret_claim->proof = texts->text[PROOF];
    if (!texts->text[OPENING])
        return 0;
    texts->opening = json_loads(texts->text[OPENING], JSON_REJECT_DUPLICATES, &error);
    if (!texts->opening)
        return fail(MK_EINPUT, "%s, line %d: %s", wishes->path[OPENING], error.line,
                    error.text);
    claim_open(ret_claim, texts->opening);
    return 0;
}

/* What was signed, for those who have only read what stands around it. */
static void say(const struct entry *entry)
{
    static const char *const did[] = {
        [ACT_NOT_HELD] = "held nothing about the person",
        [ACT_RESTRICT] = "stopped using what it holds about the person",
        [ACT_UNRESTRICT] = "uses again what it holds about the person"};
    char when[32];
    time_t iat = (time_t)entry->iat;
    struct tm utc;

    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&iat, &utc));
    printf("On %s %s stated that it ", when, entry->iss);
    if (entry->act == ACT_ERASE)
        printf("erased %" PRIu64 " of the person's instances: %" PRIu64 " exact, %" PRIu64
               " trained.\n",
               entry->exact + entry->trained, entry->exact, entry->trained);
    else
        printf("%s.\n", act_has_receipt(entry->act)
                            ? did[entry->act]
                            : "did what it gives no receipts for");
}

static int report(const struct texts *texts, const struct verdict *verdict)
{
    const char *other = verdict->has_entry
                            ? reply_file_contradicts(&texts->reply, &verdict->entry)
                            : NULL;

    static const char *const words[] = {[CHECK_SKIPPED] = "skipped",
                                        [CHECK_PASSED] = "passed",
                                        [CHECK_FAILED] = "FAILED"};

    for (size_t i = 0; i < CHECKS; i++)
        printf("%-12s  %-7s  %s\n", verdict->check[i].name,
               words[verdict->check[i].result], verdict->check[i].why);
    if (verdict->has_entry)
        say(&verdict->entry);
    if (other)
        printf("`%s` of the reply around it says otherwise: that is not signed.\n",
               other);
    puts(verdict->valid ? "The receipt is valid." : "The receipt is NOT valid.");
    return verdict->valid && !other ? EXIT_SUCCESS : EXIT_INVALID;
}

/* An exit status, or an error. */
static int check(const struct wishes *wishes, struct texts *texts)
{
    struct claim claim;
    struct verdict verdict;
    int rc;

    if ((rc = texts_read(wishes, texts)) < 0 ||
        (rc = texts_claim(wishes, texts, &claim)) < 0)
        return rc;
    const struct trust trust = {.jwks = texts->text[JWKS],
                                .vkeys = texts->text[VKEY],
                                .entry_before = texts->text[BEFORE],
                                .entry_after = texts->text[AFTER]};
    rc = verify_receipt(&claim, &trust, &verdict);
    return rc < 0 ? rc : report(texts, &verdict);
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

/* SPDX-License-Identifier: Apache-2.0 */
/* munkeyctl log: audits a whole log offline, or prints it. */
#include <argp.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "daemon/ctl.h"
#include "daemon/files.h"
#include "daemon/reply_file.h"
#include "storage/ledger.h"
#include "storage/log_audit.h"

enum {
    EXIT_INVALID = 1,  /* a check failed */
    EXIT_UNUSABLE = 2, /* there was nothing to check, or nothing to check it with */
};

enum part { VERB, FOLDER, VKEY, JWKS, SEEN, RECEIPTS, PARTS };

static const struct argp_option options[] = {
    {"vkey", VKEY, "FILE", 0, "the log's verifier key: what /log/vkey gave, at any time",
     0},
    {"jwks", JWKS, "FILE", 0, "the receipt keys: what /.well-known/jwks.json gave", 0},
    {"seen", SEEN, "FILE", 0, "an earlier checkpoint: what /log/checkpoint gave then", 0},
    {"receipts", RECEIPTS, "FOLDER", 0, "saved replies with receipts, or receipts alone",
     0},
    {0}};

struct wishes {
    const char *path[PARTS];
};

static bool verb_is(const struct wishes *wishes, const char *verb)
{
    return wishes->path[VERB] && strcmp(wishes->path[VERB], verb) == 0;
}

static error_t take(int key, char *argument, struct argp_state *state)
{
    struct wishes *wishes = state->input;

    switch (key) {
    case ARGP_KEY_ARG:
        if (state->arg_num > FOLDER)
            argp_usage(state);
        wishes->path[state->arg_num] = argument;
        return 0;
    case ARGP_KEY_END:
        if (!wishes->path[FOLDER] ||
            !(verb_is(wishes, "verify") || verb_is(wishes, "show")))
            argp_error(state,
                       "say what to do, and with which log: verify or show, FOLDER");
        if (verb_is(wishes, "verify") && !wishes->path[VKEY])
            argp_error(state, "say which key to begin with: --vkey FILE");
        if (wishes->path[RECEIPTS] && !wishes->path[JWKS])
            argp_error(state, "receipts are checked with the key set: --jwks FILE");
        return 0;
    case VKEY ... RECEIPTS:
        wishes->path[key] = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- verify ---- */

static int read_text(const char *path, char **ret_text)
{
    uint8_t *bytes;
    size_t len;
    int rc = file_read(path, REPLY_FILE_LIMIT, &bytes, &len);

    if (rc < 0)
        return rc;
    if (strlen((char *)bytes) != len) {
        free(bytes);
        return fail(MK_EINPUT, "%s holds a zero byte", path);
    }
    *ret_text = (char *)bytes;
    return 0;
}

static int add_receipt(struct log_audit *audit, const char *folder, const char *name)
{
    char path[4096];
    struct reply_file file;
    int rc;

    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return fail(MK_EINPUT, "%s is too long a path", name);
    if ((rc = reply_file_read(path, &file)) < 0)
        return rc;
    log_audit_receipt(audit, name, &file.claim);
    reply_file_done(&file);
    return 0;
}

static int add_receipts(struct log_audit *audit, const char *folder)
{
    struct dirent **entry;
    int n = scandir(folder, &entry, NULL, alphasort), rc = 0;

    if (n < 0)
        return fail(MK_EIO, "cannot read the folder %s: %m", folder);
    for (int i = 0; i < n; i++) {
        if (rc == 0 && entry[i]->d_name[0] != '.')
            rc = add_receipt(audit, folder, entry[i]->d_name);
        free(entry[i]);
    }
    free(entry);
    return rc;
}

static int report(const struct log_audit *audit)
{
    static const char *const words[] = {[CHECK_SKIPPED] = "skipped",
                                        [CHECK_PASSED] = "passed",
                                        [CHECK_FAILED] = "FAILED"};
    bool valid = true;

    for (enum audit_check i = 0; i < AUDITS; i++) {
        const struct finding *finding = log_audit_finding(audit, i);
        printf("%-12s  %-7s  %s\n", finding->name, words[finding->result], finding->why);
        valid &= finding->result != CHECK_FAILED;
    }
    puts(valid ? "The log is valid." : "The log is NOT valid.");
    return valid ? EXIT_SUCCESS : EXIT_INVALID;
}

/* An exit status, or an error. */
static int audit_with(const struct wishes *wishes, char *const *text,
                      struct log_audit *audit)
{
    int rc = 0;

    if (text[SEEN])
        log_audit_seen(audit, text[SEEN]);
    if (text[JWKS])
        log_audit_jwks(audit, text[JWKS]);
    if (wishes->path[RECEIPTS])
        rc = add_receipts(audit, wishes->path[RECEIPTS]);
    return rc < 0 ? rc : report(audit);
}

static int verify(const struct wishes *wishes)
{
    char *text[PARTS] = {0};
    struct log_audit *audit = NULL;
    int rc = 0;

    for (enum part part = VKEY; rc == 0 && part <= SEEN; part++)
        if (wishes->path[part])
            rc = read_text(wishes->path[part], &text[part]);
    if (rc == 0 && (rc = log_audit_new(wishes->path[FOLDER], text[VKEY], &audit)) == 0)
        rc = audit_with(wishes, text, audit);
    log_audit_free(audit);
    for (enum part part = VKEY; part <= SEEN; part++)
        free(text[part]);
    return rc;
}

/* ---- show ---- */

static int print(void *context, uint64_t index, const uint8_t *bytes, size_t len)
{
    (void)context;
    printf("%" PRIu64 "\t%.*s\n", index, (int)len, (const char *)bytes);
    return 0;
}

static int show(const struct wishes *wishes)
{
    char path[4096];
    FILE *in;
    int rc;

    if (snprintf(path, sizeof path, "%s/entries", wishes->path[FOLDER]) >=
        (int)sizeof path)
        return fail(MK_EINPUT, "the folder's path is too long");
    if (!(in = fopen(path, "rbe")))
        return fail(MK_EIO, "cannot read %s: %m", path);
    rc = ledger_each_record(in, print, NULL);
    fclose(in);
    return rc;
}

int ctl_log(int argc, char **argv)
{
    const struct argp argp = {
        .options = options,
        .parser = take,
        .args_doc = "verify FOLDER\nshow FOLDER",
        .doc =
            "Audits a whole log offline, or prints its entries.  FOLDER is the folder "
            "log of "
            "a state folder, or a copy of it.  Exit status: 0 valid, 1 not valid, 2 not "
            "checked.\vNo part of this needs the daemon.  Copy a log while nobody writes "
            "it, "
            "or fetch it by its tiles."};
    struct wishes wishes = {0};
    int status;

    argp_err_exit_status = EXIT_UNUSABLE;
    argp_parse(&argp, argc, argv, 0, NULL, &wishes);
    status = verb_is(&wishes, "verify") ? verify(&wishes) : show(&wishes);
    if (status < 0) {
        fprintf(stderr, "munkeyctl: %s\n", err_why());
        return EXIT_UNUSABLE;
    }
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Auditing a whole log, offline: its entries and who has signed them. */
#include "storage/log_audit_private.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/disk.h"
#include "storage/ledger.h"

static const char *const names[AUDITS] = {
    [AUDIT_RECORDS] = "records",
    [AUDIT_CANONICAL] = "canonical",
    [AUDIT_ACTS] = "acts",
    [AUDIT_CHAIN] = "chain",
    [AUDIT_TIME] = "time",
    [AUDIT_ORIGIN] = "origin",
    [AUDIT_KEYS] = "keys",
    [AUDIT_ROTATIONS] = "rotations",
    [AUDIT_CHECKPOINT] = "checkpoint",
    [AUDIT_TREE] = "tree",
    [AUDIT_SEEN] = "seen",
    [AUDIT_RECEIPT_KEYS] = "receipt_keys",
    [AUDIT_RECEIPTS] = "receipts",
};

static void find(struct finding *finding, enum check_result result, const char *format,
                 va_list arguments)
{
    if (finding->result == CHECK_FAILED)
        return;
    finding->result = result;
    vsnprintf(finding->why, sizeof finding->why, format, arguments);
}

void audit_failed(struct log_audit *audit, enum audit_check check, const char *format,
                  ...)
{
    va_list arguments;
    va_start(arguments, format);
    find(&audit->finding[check], CHECK_FAILED, format, arguments);
    va_end(arguments);
}

void audit_passed(struct log_audit *audit, enum audit_check check, const char *format,
                  ...)
{
    va_list arguments;
    va_start(arguments, format);
    find(&audit->finding[check], CHECK_PASSED, format, arguments);
    va_end(arguments);
}

/* ---- the entries, one by one ---- */

static void compare(struct log_audit *audit, uint64_t index, const struct entry *entry)
{
    const struct entry *last = &audit->last;
    if (entry_chains(last, entry) < 0)
        audit_failed(audit, AUDIT_CHAIN, "entry %" PRIu64 ": %s", index, err_why());
    if (entry->iat < last->iat)
        audit_failed(audit, AUDIT_TIME,
                     "entry %" PRIu64 ": iat is before that of the entry before", index);
}

static void check_entry(struct log_audit *audit, uint64_t index,
                        const struct entry *entry)
{
    if (entry_check(entry) < 0)
        audit_failed(audit, AUDIT_ACTS, "entry %" PRIu64 ": %s", index, err_why());
    if ((index == 0) != (entry->act == ACT_INIT))
        audit_failed(audit, AUDIT_ACTS,
                     "entry %" PRIu64 " is %s: a log has one init, its first entry",
                     index, act_name(entry->act));
    if (strcmp(entry->iss, audit->checkpoint.origin) != 0)
        audit_failed(audit, AUDIT_ORIGIN,
                     "entry %" PRIu64 ": iss is not the checkpoint's", index);
    if (audit->has_last)
        compare(audit, index, entry);
}

static int keep_rotation(struct log_audit *audit, uint64_t index,
                         const struct entry *entry)
{
    struct handover *grown =
        realloc(audit->handover, (audit->handovers + 1) * sizeof *grown);
    if (!grown)
        return fail(MK_ENOMEM, "no memory for the rotations of a log");
    grown[audit->handovers++] = (struct handover){index, *entry};
    audit->handover = grown;
    int rc = entry->rotates_log ? key_chain_follow(&audit->chain, entry) : 0;
    if (rc == MK_EINPUT)
        audit_failed(audit, AUDIT_KEYS, "entry %" PRIu64 ": %s", index, err_why());
    return rc == MK_ENOMEM ? rc : 0;
}

static int visit(void *context, uint64_t index, const uint8_t *bytes, size_t len)
{
    struct log_audit *audit = context;
    struct entry entry;
    uint8_t leaf[SHA256_SIZE];
    merkle_leaf(bytes, len, leaf);
    audit->bytes += LEDGER_HEADER_SIZE + len;
    int rc = tree_append(&audit->tree, leaf);
    if (rc < 0)
        return rc;
    bool parsed = entry_parse((const char *)bytes, len, &entry) == 0;
    if (parsed)
        check_entry(audit, index, &entry);
    else
        audit_failed(audit, AUDIT_CANONICAL, "entry %" PRIu64 ": %s", index, err_why());
    if ((audit->has_last = parsed))
        audit->last = entry;
    return parsed && entry.act == ACT_ROTATE ? keep_rotation(audit, index, &entry) : 0;
}

static int read_entries(struct log_audit *audit)
{
    char path[PATH_SIZE];
    int rc = disk_path(audit->folder, "entries", path);
    if (rc < 0)
        return rc;
    FILE *in = fopen(path, "rbe");
    if (!in)
        return fail(MK_EIO, "entries cannot be read: %m");
    rc = ledger_each_record(in, visit, audit);
    if (rc == 0 && fseeko(in, 0, SEEK_END) < 0)
        rc = fail(MK_EIO, "entries cannot be read: %m");
    if (rc == 0 && (uint64_t)ftello(in) != audit->bytes)
        audit_failed(audit, AUDIT_RECORDS, "behind %" PRIu64 " entries is no whole one",
                     audit->tree.n);
    if (rc == 0 && audit->tree.n == 0)
        audit_failed(audit, AUDIT_RECORDS, "there is no entry");
    fclose(in);
    return rc;
}

static void conclude_entries(struct log_audit *audit)
{
    audit_passed(audit, AUDIT_RECORDS, "%" PRIu64 " entries, and nothing else",
                 audit->tree.n);
    audit_passed(audit, AUDIT_CANONICAL, "every entry is in canonical form");
    if (audit->finding[AUDIT_CANONICAL].result == CHECK_FAILED)
        return; /* what could not be read was not compared */
    audit_passed(audit, AUDIT_ACTS, "every entry changes what its act may change");
    audit_passed(audit, AUDIT_CHAIN,
                 "mem and n of every entry begin where the one before ends");
    audit_passed(audit, AUDIT_TIME, "no entry is earlier than the one before");
    audit_passed(audit, AUDIT_ORIGIN, "every entry is of %s", audit->checkpoint.origin);
}

/* ---- who signs ---- */

static int read_note(const struct log_audit *audit, const char *name, char **ret_note)
{
    char path[PATH_SIZE];
    size_t len;
    int rc = disk_path(audit->folder, name, path);
    if (rc == 0)
        rc = disk_read(path, ret_note, &len);
    if (rc == 0 && strlen(*ret_note) != len) {
        free(*ret_note);
        *ret_note = NULL;
        rc = fail(MK_EINPUT, "%s holds a zero byte", name);
    }
    return rc;
}

static bool opens(const char *note, const struct note_key *key)
{
    size_t len;
    return note_open(note, strlen(note), key, 1, &len) == 0;
}

bool audit_agrees(struct log_audit *audit, const struct checkpoint *checkpoint)
{
    uint8_t root[SHA256_SIZE];
    return checkpoint->size <= audit->tree.n &&
           strcmp(checkpoint->origin, audit->checkpoint.origin) == 0 &&
           tree_root(&audit->tree, checkpoint->size, root) == 0 &&
           memcmp(root, checkpoint->root, sizeof root) == 0;
}

static void check_keys(struct log_audit *audit)
{
    if (key_chain_trust(&audit->chain, audit->vkeys) < 0)
        audit_failed(audit, AUDIT_KEYS, "%s", err_why());
    audit_passed(audit, AUDIT_KEYS, "%zu so far, what was given among them",
                 audit->chain.n);
}

/* "Its checkpoint carries both signatures": without the old one nobody who trusts the old key has
 * a reason to trust the new one. */
static bool handed_over(struct log_audit *audit, const struct handover *handover)
{
    struct note_key old, new;
    struct checkpoint checkpoint;
    char name[32], *note = NULL;
    snprintf(name, sizeof name, "rotation-%" PRIu64, handover->index);
    bool ok =
        read_note(audit, name, &note) == 0 &&
        note_vkey_parse(handover->entry.old, strlen(handover->entry.old), &old) == 0 &&
        note_vkey_parse(handover->entry.new, strlen(handover->entry.new), &new) == 0 &&
        opens(note, &old) && opens(note, &new) &&
        checkpoint_parse(note, strlen(note), &checkpoint) == 0 &&
        checkpoint.size == handover->index + 1 && audit_agrees(audit, &checkpoint);
    free(note);
    return ok;
}

static void check_rotations(struct log_audit *audit)
{
    size_t n = 0;
    for (size_t i = 0; i < audit->handovers; i++) {
        const struct handover *handover = &audit->handover[i];
        if (!handover->entry.rotates_log)
            continue;
        if (!handed_over(audit, handover))
            audit_failed(audit, AUDIT_ROTATIONS,
                         "rotation-%" PRIu64
                         " is not there, or not the checkpoint over that "
                         "entry, signed by the old key and the new one",
                         handover->index);
        n++;
    }
    audit_passed(audit, AUDIT_ROTATIONS,
                 "%zu, each signed by the old key and the new one", n);
}

static void check_checkpoint(struct log_audit *audit)
{
    const struct note_key *key = key_chain_last(&audit->chain);
    if (key && opens(audit->note, key))
        audit_passed(audit, AUDIT_CHECKPOINT, "the log's present key has signed it");
    else
        audit_failed(audit, AUDIT_CHECKPOINT, "the log's present key has not signed it");
    if (audit->checkpoint.size != audit->tree.n)
        audit_failed(audit, AUDIT_TREE,
                     "the checkpoint is over %" PRIu64 " entries, and there are %" PRIu64
                     ": copy a log while nobody writes it, or by its tiles",
                     audit->checkpoint.size, audit->tree.n);
    else if (!audit_agrees(audit, &audit->checkpoint))
        audit_failed(audit, AUDIT_TREE, "the entries do not have the checkpoint's root");
    audit_passed(audit, AUDIT_TREE, "the entries have the checkpoint's root");
}

static int read_checkpoint(struct log_audit *audit)
{
    int rc = read_note(audit, "checkpoint", &audit->note);
    return rc < 0
               ? rc
               : checkpoint_parse(audit->note, strlen(audit->note), &audit->checkpoint);
}

static int run(struct log_audit *audit)
{
    int rc;
    if ((rc = read_checkpoint(audit)) < 0)
        return rc;
    audit->chain.origin = audit->checkpoint.origin;
    if ((rc = read_entries(audit)) < 0)
        return rc;
    conclude_entries(audit);
    check_keys(audit);
    check_rotations(audit);
    check_checkpoint(audit);
    return 0;
}

int log_audit_new(const char *folder, const char *vkeys, struct log_audit **ret_audit)
{
    struct log_audit *audit = calloc(1, sizeof *audit);
    if (!audit)
        return fail(MK_ENOMEM, "no memory for an audit");
    audit->folder = folder;
    audit->vkeys = vkeys;
    for (size_t i = 0; i < AUDITS; i++)
        audit->finding[i] = (struct finding){names[i], CHECK_SKIPPED, "nothing to check"};
    int rc = run(audit);
    if (rc < 0)
        log_audit_free(audit);
    else
        *ret_audit = audit;
    return rc;
}

void log_audit_free(struct log_audit *audit)
{
    if (!audit)
        return;
    tree_done(&audit->tree);
    free(audit->note);
    free(audit->handover);
    key_chain_done(&audit->chain);
    free(audit);
}

const struct finding *log_audit_finding(const struct log_audit *audit,
                                        enum audit_check check)
{
    return &audit->finding[check];
}

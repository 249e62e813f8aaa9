/* SPDX-License-Identifier: Apache-2.0 */
/* Auditing a whole log, offline. */
#include "storage/log_audit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/checkpoint.h"
#include "storage/disk.h"
#include "storage/entry.h"
#include "storage/key_chain.h"
#include "storage/ledger.h"
#include "storage/receipt.h"
#include "storage/tree.h"

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

/* A `rotate` entry and where it stands. */
struct handover {
    uint64_t index;
    struct entry entry;
};

struct log_audit {
    const char *folder, *vkeys, *jwks;
    char *note; /* log/checkpoint */
    struct checkpoint checkpoint;
    struct tree tree;
    struct entry last;
    bool has_last; /* the entry before could be read */
    struct handover *handover;
    size_t handovers;
    struct key_chain chain;
    uint64_t bytes, receipts;
    struct finding finding[AUDITS];
};

/* The first reason is kept. */
__attribute__((format(printf, 3, 4))) static void
failed(struct log_audit *audit, enum audit_check check, const char *format, ...)
{
    struct finding *finding = &audit->finding[check];
    va_list arguments;
    if (finding->result == CHECK_FAILED)
        return;
    finding->result = CHECK_FAILED;
    va_start(arguments, format);
    vsnprintf(finding->why, sizeof finding->why, format, arguments);
    va_end(arguments);
}

__attribute__((format(printf, 3, 4))) static void
passed(struct log_audit *audit, enum audit_check check, const char *format, ...)
{
    struct finding *finding = &audit->finding[check];
    va_list arguments;
    if (finding->result == CHECK_FAILED)
        return;
    finding->result = CHECK_PASSED;
    va_start(arguments, format);
    vsnprintf(finding->why, sizeof finding->why, format, arguments);
    va_end(arguments);
}

/* ---- the entries, one by one ---- */

static void compare(struct log_audit *audit, uint64_t index, const struct entry *entry)
{
    const struct entry *last = &audit->last;
    if (entry_chains(last, entry) < 0)
        failed(audit, AUDIT_CHAIN, "entry %" PRIu64 ": %s", index, err_why());
    if (entry->iat < last->iat)
        failed(audit, AUDIT_TIME,
               "entry %" PRIu64 ": iat is before that of the entry before", index);
}

static void check_entry(struct log_audit *audit, uint64_t index,
                        const struct entry *entry)
{
    if (entry_check(entry) < 0)
        failed(audit, AUDIT_ACTS, "entry %" PRIu64 ": %s", index, err_why());
    if ((index == 0) != (entry->act == ACT_INIT))
        failed(audit, AUDIT_ACTS,
               "entry %" PRIu64 " is %s: a log has one init, its first entry", index,
               act_name(entry->act));
    if (strcmp(entry->iss, audit->checkpoint.origin) != 0)
        failed(audit, AUDIT_ORIGIN, "entry %" PRIu64 ": iss is not the checkpoint's",
               index);
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
        failed(audit, AUDIT_KEYS, "entry %" PRIu64 ": %s", index, err_why());
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
        failed(audit, AUDIT_CANONICAL, "entry %" PRIu64 ": %s", index, err_why());
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
        failed(audit, AUDIT_RECORDS, "behind %" PRIu64 " entries is no whole one",
               audit->tree.n);
    if (rc == 0 && audit->tree.n == 0)
        failed(audit, AUDIT_RECORDS, "there is no entry");
    fclose(in);
    return rc;
}

static void conclude_entries(struct log_audit *audit)
{
    passed(audit, AUDIT_RECORDS, "%" PRIu64 " entries, and nothing else", audit->tree.n);
    passed(audit, AUDIT_CANONICAL, "every entry is in canonical form");
    if (audit->finding[AUDIT_CANONICAL].result == CHECK_FAILED)
        return; /* what could not be read was not compared */
    passed(audit, AUDIT_ACTS, "every entry changes what its act may change");
    passed(audit, AUDIT_CHAIN,
           "mem and n of every entry begin where the one before ends");
    passed(audit, AUDIT_TIME, "no entry is earlier than the one before");
    passed(audit, AUDIT_ORIGIN, "every entry is of %s", audit->checkpoint.origin);
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

/* Whether a checkpoint states the root that the entries have at its size. */
static bool agrees(struct log_audit *audit, const struct checkpoint *checkpoint)
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
        failed(audit, AUDIT_KEYS, "%s", err_why());
    passed(audit, AUDIT_KEYS, "%zu so far, what was given among them", audit->chain.n);
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
        checkpoint.size == handover->index + 1 && agrees(audit, &checkpoint);
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
            failed(audit, AUDIT_ROTATIONS,
                   "rotation-%" PRIu64 " is not there, or not the checkpoint over that "
                   "entry, signed by the old key and the new one",
                   handover->index);
        n++;
    }
    passed(audit, AUDIT_ROTATIONS, "%zu, each signed by the old key and the new one", n);
}

static void check_checkpoint(struct log_audit *audit)
{
    const struct note_key *key = key_chain_last(&audit->chain);
    if (key && opens(audit->note, key))
        passed(audit, AUDIT_CHECKPOINT, "the log's present key has signed it");
    else
        failed(audit, AUDIT_CHECKPOINT, "the log's present key has not signed it");
    if (audit->checkpoint.size != audit->tree.n)
        failed(audit, AUDIT_TREE,
               "the checkpoint is over %" PRIu64 " entries, and there are %" PRIu64
               ": copy a log while nobody writes it, or by its tiles",
               audit->checkpoint.size, audit->tree.n);
    else if (!agrees(audit, &audit->checkpoint))
        failed(audit, AUDIT_TREE, "the entries do not have the checkpoint's root");
    passed(audit, AUDIT_TREE, "the entries have the checkpoint's root");
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

/* ---- what was handed out ---- */

/* Whether one of the log's keys has signed it, and the log has not changed since. */
static bool holds(struct log_audit *audit, const char *note)
{
    struct checkpoint checkpoint;
    size_t len;
    return checkpoint_parse(note, strlen(note), &checkpoint) == 0 &&
           note_open(note, strlen(note), audit->chain.key, audit->chain.n, &len) == 0 &&
           agrees(audit, &checkpoint);
}

void log_audit_seen(struct log_audit *audit, const char *note)
{
    if (!holds(audit, note))
        failed(audit, AUDIT_SEEN,
               "the log is not a continuation of the one that was seen, or a key that "
               "is not its own has signed that");
    passed(audit, AUDIT_SEEN, "the log is a continuation of the one that was seen");
}

void log_audit_jwks(struct log_audit *audit, const char *jwks)
{
    const struct handover *last = NULL;
    uint8_t public[ED25519_SIZE];
    audit->jwks = jwks;
    for (size_t i = 0; i < audit->handovers; i++) {
        const struct handover *handover = &audit->handover[i];
        if (handover->entry.rotates_log)
            continue;
        if (last && strcmp(last->entry.new, handover->entry.old) != 0)
            failed(audit, AUDIT_RECEIPT_KEYS,
                   "entry %" PRIu64 " does not rotate away from the key before",
                   handover->index);
        if (jwks_find(jwks, handover->entry.old, public) < 0 ||
            jwks_find(jwks, handover->entry.new, public) < 0)
            failed(audit, AUDIT_RECEIPT_KEYS,
                   "the key set lacks a key that entry %" PRIu64 " names",
                   handover->index);
        last = handover;
    }
    passed(audit, AUDIT_RECEIPT_KEYS, "the key set holds every key that the log names");
}

/* The sentence of what is wrong with a receipt; NULL: nothing. */
static const char *wrong_with(struct log_audit *audit, const struct claim *claim)
{
    struct receipt receipt;
    struct verdict verdict;
    struct proof proof;
    uint8_t leaf[SHA256_SIZE];
    if (receipt_parse(claim->receipt, &receipt) < 0)
        return "it is no receipt";
    merkle_leaf(receipt.entry, receipt.entry_len, leaf);
    receipt_done(&receipt);
    uint64_t index = tree_find(&audit->tree, leaf);
    if (index == audit->tree.n)
        return "its entry does not stand in the log";
    char *vkeys = key_chain_vkeys(&audit->chain);
    const struct trust trust = {.jwks = audit->jwks, .vkeys = vkeys};
    bool valid = vkeys && verify_receipt(claim, &trust, &verdict) == 0 && verdict.valid;
    free(vkeys);
    if (!valid)
        return "it does not hold: munkeyctl verify says why";
    if (claim->proof && (proof_parse(claim->proof, &proof) < 0 || proof.index != index ||
                         !holds(audit, proof.checkpoint)))
        return "the checkpoint of its proof is not the log's";
    return NULL;
}

void log_audit_receipt(struct log_audit *audit, const char *name,
                       const struct claim *claim)
{
    const char *why = audit->jwks ? wrong_with(audit, claim) : "no key set was given";
    if (why)
        failed(audit, AUDIT_RECEIPTS, "%s: %s", name, why);
    audit->receipts++;
    passed(audit, AUDIT_RECEIPTS, "%" PRIu64 ", each about an entry of the log",
           audit->receipts);
}

const struct finding *log_audit_finding(const struct log_audit *audit,
                                        enum audit_check check)
{
    return &audit->finding[check];
}

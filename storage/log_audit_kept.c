/* SPDX-License-Identifier: Apache-2.0 */
/* Auditing a whole log, offline: what strangers have kept of it. */
#include "storage/log_audit_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/receipt.h"

/* Whether one of the log's keys has signed it, and the log has not changed since. */
static bool holds(struct log_audit *audit, const char *note)
{
    struct checkpoint checkpoint;
    size_t len;
    return checkpoint_parse(note, strlen(note), &checkpoint) == 0 &&
           note_open(note, strlen(note), audit->chain.key, audit->chain.n, &len) == 0 &&
           audit_agrees(audit, &checkpoint);
}

void log_audit_seen(struct log_audit *audit, const char *note)
{
    if (!holds(audit, note))
        audit_failed(
            audit, AUDIT_SEEN,
            "the log is not a continuation of the one that was seen, or a key that "
            "is not its own has signed that");
    audit_passed(audit, AUDIT_SEEN, "the log is a continuation of the one that was seen");
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
            audit_failed(audit, AUDIT_RECEIPT_KEYS,
                         "entry %" PRIu64 " does not rotate away from the key before",
                         handover->index);
        if (jwks_find(jwks, handover->entry.old, public) < 0 ||
            jwks_find(jwks, handover->entry.new, public) < 0)
            audit_failed(audit, AUDIT_RECEIPT_KEYS,
                         "the key set lacks a key that entry %" PRIu64 " names",
                         handover->index);
        last = handover;
    }
    audit_passed(audit, AUDIT_RECEIPT_KEYS,
                 "the key set holds every key that the log names");
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
        audit_failed(audit, AUDIT_RECEIPTS, "%s: %s", name, why);
    audit->receipts++;
    audit_passed(audit, AUDIT_RECEIPTS, "%" PRIu64 ", each about an entry of the log",
                 audit->receipts);
}

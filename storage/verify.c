/* SPDX-License-Identifier: Apache-2.0 */
/* Checking a receipt with its opening and its proof, each check by its name. */
#include "storage/verify.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/checkpoint.h"
#include "storage/encode.h"
#include "storage/entry.h"
#include "storage/opening.h"
#include "storage/receipt.h"

static const char *const names[CHECKS] = {
    [CHECK_SIGNATURE] = "signature",   [CHECK_KNOWN_KEY] = "known_key",
    [CHECK_COMMITMENT] = "commitment", [CHECK_LEAF_IN_LOG] = "leaf_in_log",
    [CHECK_CHECKPOINT] = "checkpoint", [CHECK_DIGEST_CHAIN] = "digest_chain",
};

static void skipped(struct verdict *verdict, enum check check, const char *why)
{
    verdict->check[check].result = CHECK_SKIPPED;
    verdict->check[check].why = why;
}

static void decided(struct verdict *verdict, enum check check, bool passed,
                    const char *why_passed, const char *why_failed)
{
    verdict->check[check].result = passed ? CHECK_PASSED : CHECK_FAILED;
    verdict->check[check].why = passed ? why_passed : why_failed;
}

static void check_keys(const struct receipt *receipt, const struct trust *trust,
                       struct verdict *verdict)
{
    uint8_t public[ED25519_SIZE];
    bool known = jwks_find(trust->jwks, receipt->kid, public) == 0;
    decided(verdict, CHECK_KNOWN_KEY, known,
            "the key set holds the key that the receipt names",
            "the key set holds no key that the receipt names");
    if (known)
        decided(verdict, CHECK_SIGNATURE, receipt_verify(receipt, public),
                "the key that the receipt names has signed it",
                "the signature does not fit: the receipt was changed or forged");
    else
        skipped(verdict, CHECK_SIGNATURE, "not checked without the key");
}

/* Whether the opening computes to the entry's commitment. */
static bool opens(const struct claim *claim, const struct entry *entry)
{
    if (!claim->request || !claim->salt || claim->subject_len > UINT16_MAX ||
        strlen(claim->request) > UINT16_MAX)
        return false;
    struct opening opening = {.subject = {claim->subject, claim->subject_len},
                              .request = {claim->request, strlen(claim->request)}};
    uint8_t commit[SHA256_SIZE];
    bool ok = base64url_decode(claim->salt, strlen(claim->salt), opening.salt,
                               SECRET_SIZE) == 0;
    opening_commit(&opening, commit);
    crypto_wipe(&opening, sizeof opening);
    return ok && crypto_equal(commit, entry->commit, sizeof commit);
}

/* entry: NULL when the payload is none. */
static void check_commitment(const struct claim *claim, const struct entry *entry,
                             struct verdict *verdict)
{
    if (!claim->subject)
        skipped(verdict, CHECK_COMMITMENT, "no opening was given");
    else
        decided(verdict, CHECK_COMMITMENT, entry && opens(claim, entry),
                "the receipt is about this subject and request",
                "the receipt is not about this subject and request");
}

/* Whether the payload is the leaf that the proof leads from: the log's own, where it is at hand,
 * since a key that was stolen could have signed another root. */
static bool in_log(const struct receipt *receipt, const struct trust *trust,
                   const struct proof *proof, const struct checkpoint *checkpoint)
{
    uint8_t leaf[SHA256_SIZE];
    if (trust->entry && strcmp(trust->entry, receipt->entry) != 0)
        return false;
    merkle_leaf(receipt->entry, receipt->entry_len, leaf);
    return merkle_included(leaf, proof->index, checkpoint->size, &proof->path,
                           checkpoint->root);
}

/* Whether one of the keys, under the checkpoint's own origin, has signed it. */
static bool checkpoint_signed(const char *note, const struct checkpoint *checkpoint,
                              const char *vkeys)
{
    struct note_key *keys;
    size_t n, kept = 0, text_len;
    if (note_vkeys_parse(vkeys, &keys, &n) < 0)
        return false;
    for (size_t i = 0; i < n; i++)
        if (strcmp(keys[i].name, checkpoint->origin) == 0)
            keys[kept++] = keys[i];
    bool ok = note_open(note, strlen(note), keys, kept, &text_len) == 0;
    free(keys);
    return ok;
}

static void check_proof(const struct claim *claim, const struct trust *trust,
                        const struct receipt *receipt, const struct entry *entry,
                        struct verdict *verdict)
{
    if (!claim->proof || !trust->vkeys) {
        const char *why =
            claim->proof ? "no verifier key was given" : "no proof was given";
        skipped(verdict, CHECK_LEAF_IN_LOG, why);
        skipped(verdict, CHECK_CHECKPOINT, why);
        return;
    }
    struct proof proof;
    struct checkpoint checkpoint;
    bool parsed =
        proof_parse(claim->proof, &proof) == 0 &&
        checkpoint_parse(proof.checkpoint, strlen(proof.checkpoint), &checkpoint) == 0;
    decided(verdict, CHECK_LEAF_IN_LOG,
            parsed && in_log(receipt, trust, &proof, &checkpoint),
            "the entry stands in the log whose root the checkpoint states",
            "the proof does not lead from the entry to the checkpoint's root");
    bool is_own = parsed && entry && strcmp(checkpoint.origin, entry->iss) == 0;
    decided(verdict, CHECK_CHECKPOINT,
            is_own && checkpoint_signed(proof.checkpoint, &checkpoint, trust->vkeys),
            "the log's key has signed the checkpoint",
            "no known key of the receipt's log has signed the checkpoint");
}

/* A neighbour that was not given fits. */
static bool fits(const char *before, const struct entry *entry, const char *after)
{
    struct entry neighbour;
    if (before && (entry_parse(before, strlen(before), &neighbour) < 0 ||
                   entry_follows(&neighbour, entry) < 0))
        return false;
    return !after || (entry_parse(after, strlen(after), &neighbour) == 0 &&
                      entry_follows(entry, &neighbour) == 0);
}

static void check_chain(const struct trust *trust, const struct entry *entry,
                        struct verdict *verdict)
{
    const char *what = trust->entry_before || trust->entry_after
                           ? "digest and count add up and meet the neighbouring entries"
                           : "digest and count add up";
    bool adds_up = entry && act_has_receipt(entry->act) && entry_check(entry) == 0;
    if (!adds_up)
        decided(verdict, CHECK_DIGEST_CHAIN, false, NULL,
                "the entry's digest and count do not fit what it says was done");
    else
        decided(verdict, CHECK_DIGEST_CHAIN,
                fits(trust->entry_before, entry, trust->entry_after), what,
                "digest and count do not meet the neighbouring entries");
}

int verify_receipt(const struct claim *claim, const struct trust *trust,
                   struct verdict *ret_verdict)
{
    struct receipt receipt;
    struct entry parsed, *entry = NULL;
    struct verdict verdict = {.valid = true};
    int rc = receipt_parse(claim->receipt, &receipt);
    if (rc < 0)
        return rc;
    if (entry_parse(receipt.entry, receipt.entry_len, &parsed) == 0)
        entry = &parsed;
    verdict.has_entry = entry != NULL;
    if (entry)
        verdict.entry = parsed;
    check_keys(&receipt, trust, &verdict);
    check_commitment(claim, entry, &verdict);
    check_proof(claim, trust, &receipt, entry, &verdict);
    check_chain(trust, entry, &verdict);
    receipt_done(&receipt);
    for (size_t i = 0; i < CHECKS; i++) {
        verdict.check[i].name = names[i];
        verdict.valid &= verdict.check[i].result != CHECK_FAILED;
    }
    *ret_verdict = verdict;
    return 0;
}

int verify_proof_index(const char *file, uint64_t *ret_index)
{
    struct proof proof;
    int rc = proof_parse(file, &proof);
    if (rc == 0)
        *ret_index = proof.index;
    return rc;
}

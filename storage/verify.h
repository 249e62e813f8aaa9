/* SPDX-License-Identifier: Apache-2.0 */
/* Checking a receipt, the same way for POST /receipts/verify and for munkeyctl verify.
 *
 *     verify_receipt(&claim, &trust, &verdict);
 *     if (!verdict.valid) ... verdict.check[i].name, .result, .why
 */
#ifndef MUNKEY_STORAGE_VERIFY_H
#define MUNKEY_STORAGE_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/entry.h"

struct claim {
    const char *receipt; /* compact JWS */
    const char *proof;   /* tlog-proof file, or NULL */
    const char *subject; /* the opening, or NULL */
    size_t subject_len;
    const char *request;
    const char *salt; /* base64url */
};

/* Public keys: a JWK set, and the log's verifier keys, one a line. */
struct trust {
    const char *jwks;
    const char *vkeys; /* NULL: proofs cannot be checked */
    /* Where the log is at hand, what stands at the proof's index ("": nothing), and its
     * neighbours; NULL otherwise. */
    const char *entry, *entry_before, *entry_after;
};

enum check {
    CHECK_SIGNATURE,
    CHECK_KNOWN_KEY,
    CHECK_COMMITMENT,
    CHECK_LEAF_IN_LOG,
    CHECK_CHECKPOINT,
    CHECK_DIGEST_CHAIN,
    CHECKS
};
enum check_result { CHECK_SKIPPED, CHECK_PASSED, CHECK_FAILED };

struct verdict {
    bool valid; /* no check failed, and signature and known_key passed */
    bool has_entry;
    struct entry entry; /* what is signed, where it can be read */
    struct {
        const char *name; /* "signature", ... */
        enum check_result result;
        const char *why; /* a sentence */
    } check[CHECKS];
};

/* MK_EINPUT when the receipt cannot be parsed at all. */
int verify_receipt(const struct claim *claim, const struct trust *trust,
                   struct verdict *ret_verdict);

/* The log index that a tlog-proof file states; MK_EINPUT. */
int verify_proof_index(const char *proof, uint64_t *ret_index);

#endif

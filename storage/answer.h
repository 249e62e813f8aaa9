/* SPDX-License-Identifier: Apache-2.0 */
/* What a log entry with a receipt has to say to whoever asked for it.
 *
 *     rc = answer_read(state, index, &answer);
 *     ... answer.receipt, answer.proof ...
 *     answer_done(&answer);
 */
#ifndef MUNKEY_STORAGE_ANSWER_H
#define MUNKEY_STORAGE_ANSWER_H

#include "storage/entry.h"
#include "storage/state.h"

struct answer {
    enum act act;
    int64_t iat;             /* when, as the entry says */
    uint64_t index;          /* of the log entry; the receipt id */
    uint64_t exact, trained; /* erase: how many instances of each class */
    char *receipt;           /* compact JWS */
    char *proof;             /* tlog-proof file */
    uint8_t leaf_hash[32];
    char salt[44]; /* of the opening, base64url without padding; "": not known here */
};

/* The answer of entry index, to whom nobody's opening is known.  MK_ENOTFOUND: no such entry, or
 * one without a receipt. */
int answer_read(struct state *state, uint64_t index, struct answer *ret_answer);
void answer_done(struct answer *answer); /* wipes */

#endif

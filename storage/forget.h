/* SPDX-License-Identifier: Apache-2.0 */
/* Forgetting: the one operation munkeyd exists for.  Disk, then RAM, then the receipt.
 *
 *     rc = forget(state, subject, request, idempotent, &done);
 *     ... reply ...
 *     forgotten_done(&done);
 *
 * When forget() returns 0 the subject's keys are in no table, page, journal or WAL, and
 * no search can return them.
 */
#ifndef MUNKEY_STORAGE_FORGET_H
#define MUNKEY_STORAGE_FORGET_H

#include "storage/state.h"

/* What the caller is told.  Holds the opening's salt: wiped by forgotten_done(). */
struct forgotten {
    bool erased;             /* false: not_held */
    uint64_t exact, trained; /* how many of each class */
    uint64_t index;          /* of the log entry; the receipt id */
    char *receipt;           /* compact JWS */
    char *proof;             /* tlog-proof file */
    char salt[44];           /* base64url without padding */
    uint8_t leaf_hash[32];
    uint64_t records_left; /* verified: 0 */
    bool digest_match;     /* verified: true */
};

/* Erases the subject.  request is the Idempotency-Key or request id as sent (idempotent),
 * or else the reply's X-Request-Id: 1 to REQUEST_MAX visible ASCII bytes.  An unknown
 * subject gives a `not_held` receipt.  MK_EUNPROCESSABLE: the key was used for another
 * subject or act; MK_ECONFLICT: the subject is held; MK_ESTORE or MK_EBUSY: nothing
 * happened, try again; MK_EUNKNOWN: the outcome is unknown, answer so and abort. */
int forget(struct state *state, struct subject subject, const char *request,
           bool idempotent, struct forgotten *ret_forgotten);
void forgotten_done(struct forgotten *forgotten);

#endif

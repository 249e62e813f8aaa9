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

#include "storage/answer.h"
#include "storage/regime.h"

enum { FORGET_MAX = 64 }; /* erasures in one transaction */

/* Whom to forget.  request is the Idempotency-Key or request id as sent (idempotent), or else
 * the reply's X-Request-Id: 1 to REQUEST_MAX visible ASCII bytes.  What becomes of an idempotent one
 * is kept under its name (storage/request.h). */
struct erasure_request {
    struct subject subject;
    const char *request;
    bool idempotent;
    const struct regime *regime; /* under which it is due; NULL: the default */
    int64_t received;            /* Unix seconds; 0: now */
    /* Where to tell that it is done, of an idempotent one: at most CALLBACKS_EACH URLs of up to
     * CALLBACK_URL_MAX bytes.  A repeat of a request that is done is not told of again. */
    const char *const *callback_url;
    size_t callback_urls;
};

/* What the caller is told.  Holds the opening's salt: wiped by forgotten_done(). */
struct forgotten {
    int rc;                /* of a batch: 0, or why this one was refused ... */
    char *why;             /* ... and the sentence; NULL without memory for it */
    struct answer answer;  /* act: ACT_ERASE or ACT_NOT_HELD */
    int64_t received, due; /* idempotent: also of one that is held */
    uint64_t records_left; /* verified: 0 */
    bool digest_match;     /* verified: true */
};

/* Erases the subject.  An unknown subject gives a `not_held` receipt.  MK_EUNPROCESSABLE: the key
 * was used for another subject or act; MK_ECONFLICT: the subject is held; MK_ESTORE or MK_EBUSY:
 * nothing happened, try again; MK_EUNKNOWN: the outcome is unknown, answer so and abort. */
int forget(struct state *state, struct subject subject, const char *request,
           bool idempotent, struct forgotten *ret_forgotten);

/* Erases n subjects, at most FORGET_MAX, in one transaction, with an entry and a receipt for each.
 * Those that are refused (MK_EUNPROCESSABLE, MK_ECONFLICT, and MK_EBUSY for too many callbacks) say so
 * in ret_forgotten[i].rc, and the others are erased; any other error is returned, and is that of all.  ret_forgotten: (n). */
int forget_batch(struct state *state, const struct erasure_request *requests, size_t n,
                 struct forgotten *ret_forgotten);
void forgotten_done(struct forgotten *forgotten);

#endif

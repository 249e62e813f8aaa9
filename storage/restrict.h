/* SPDX-License-Identifier: Apache-2.0 */
/* Restriction of processing (GDPR Art. 18): a person's keys stay, and no search returns them.
 *
 *     rc = restrict_set(state, subject, 'b', request, idempotent, &done);
 *     ... reply ...
 *     restricted_done(&done);
 *     rc = restrict_lift(state, subject, request, idempotent, &done);
 *
 * Each request that was not answered before gets an entry and a receipt, whether or not it changes
 * anything: a caller whose reply was lost may ask again.
 */
#ifndef MUNKEY_STORAGE_RESTRICT_H
#define MUNKEY_STORAGE_RESTRICT_H

#include "storage/answer.h"

/* What the caller is told.  Holds the opening's salt: wiped by restricted_done(). */
struct restricted {
    struct answer answer;   /* act: ACT_RESTRICT or ACT_UNRESTRICT */
    size_t records, masked; /* in the bank, now */
};

/* ground: 'a' to 'd' of Art. 18(1); replaces an earlier one.  request, idempotent: as of forget().
 * When it returns 0 no prediction that used the person is sent any more.  MK_ENOTFOUND: nothing is
 * held about the subject; MK_EUNPROCESSABLE: the key was used for another subject or act;
 * MK_ESTORE or MK_EBUSY: nothing happened, try again; MK_EUNKNOWN: answer so and abort. */
int restrict_set(struct state *state, struct subject subject, char ground,
                 const char *request, bool idempotent, struct restricted *ret_restricted);

/* The same errors. */
int restrict_lift(struct state *state, struct subject subject, const char *request,
                  bool idempotent, struct restricted *ret_restricted);
void restricted_done(struct restricted *restricted);

#endif

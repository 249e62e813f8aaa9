/* SPDX-License-Identifier: Apache-2.0 */
/* Audit: the digest recomputed from the slots on the disk, and the bank compared with them.
 *
 *     rc = audit_begin(state);                         1: one runs already
 *     while ((rc = audit_step(state)) == 1)
 *         ... others may have the state ...
 *     audit_status(state, &status);                    status.last: the `audit` entry
 *
 * It goes through the slots in portions and keeps the digest of each; what is written behind its
 * back is read again.  So nobody waits for longer than a portion, and the sum is that of one moment.
 */
#ifndef MUNKEY_STORAGE_AUDIT_H
#define MUNKEY_STORAGE_AUDIT_H

#include "storage/state.h"

/* What an audit has found. */
struct audited {
    uint64_t index;    /* of its log entry; 0: none was made since the start */
    bool ok;           /* slots, log and bank agree */
    uint8_t found[32]; /* the digest of the slots */
};

/* 0, or 1 when one runs already. */
int audit_begin(struct state *state);

/* Does a portion of the one that runs.  1: there is more to do; 0: it is over, and so it is after
 * any error.  MK_ESTORE, MK_EUNKNOWN: abort. */
int audit_step(struct state *state);
void audit_abandon(struct state *state);

struct audit_status {
    bool running;
    struct audited last;
};
void audit_status(struct state *state, struct audit_status *ret_status);

/* A slot is written: for whoever holds the mutex. */
void audit_mark(struct state *state, uint64_t slot);

#endif

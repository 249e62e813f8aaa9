/* SPDX-License-Identifier: Apache-2.0 */
/* Callbacks across a restore: those that wait now are in the database that is replaced, and those of
 * the backup were sent since, or given up.
 *
 *     carry_read(state, entries, &carry);         of the database in place, or of aside/
 *     rc = carry_write(state, &carry);            into the draft, in its transaction
 *     carry_done(&carry);
 */
#ifndef MUNKEY_STORAGE_CARRY_H
#define MUNKEY_STORAGE_CARRY_H

#include "storage/state_private.h"

struct carry {
    bool found;    /* a database that is at least as new as the backup */
    uint8_t *body; /* (rows, STORE_CALLBACK_SIZE), sealed; owned */
    uint64_t rows;
};

/* entries: how many log entries the backup has.  One that cannot be read is not found: then the
 * backup's own callbacks stay, since sending twice is better than never. */
void carry_read(const struct state *state, uint64_t entries, struct carry *ret_carry);
int carry_write(struct state *state, const struct carry *carry);
void carry_done(struct carry *carry);

#endif

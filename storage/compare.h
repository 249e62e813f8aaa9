/* SPDX-License-Identifier: Apache-2.0 */
/* What a start and a restore compare before they trust a database: everything that is in it,
 * and everything beside it.
 *
 *     if ((rc = compare_encoder(state, model)) < 0 || (rc = compare_entries(state)) < 0 || ...
 *         return rc;
 *
 * MK_EREFUSED with a sentence that says what to do.  Nothing is written.
 */
#ifndef MUNKEY_STORAGE_COMPARE_H
#define MUNKEY_STORAGE_COMPARE_H

#include "storage/state_private.h"

/* The memory was made by this model's key encoder. */
int compare_encoder(const struct state *state, const struct model_info *model);

/* Entries that log/entries and the database both have are the same, byte for byte; and
 * log/tombstones has a ref for every erasure that log/entries knows of. */
int compare_entries(const struct state *state);

/* log/checkpoint is signed, and its root is the database's root at its size. */
int compare_checkpoint(struct state *state);

/* The database's last entry. */
int compare_last_entry(const struct state *state, struct entry *ret_last);

/* The slots, which fill bank and holdings, are those that the last entry states. */
int compare_memory(struct state *state, const struct entry *last);

#endif

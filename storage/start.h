/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves of a start, for those who put something in between.
 *
 *     state_new(options, model, model_sha256, &state);
 *     rc = start_open(state, options, state->folder);
 *     rc = start_finish(state, model, true);
 */
#ifndef MUNKEY_STORAGE_START_H
#define MUNKEY_STORAGE_START_H

#include "storage/state_private.h"

/* Opens the database in folder, and the ledger and the keys of the state folder. */
int start_open(struct state *state, const struct state_options *options,
               const char *folder);

/* Compares everything, completes what a crash left half done, fills the bank, appends a `start`
 * entry if wanted, signs.  MK_EREFUSED: nothing was swept. */
int start_finish(struct state *state, const struct model_info *model, bool write_start);

#endif

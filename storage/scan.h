/* SPDX-License-Identifier: Apache-2.0 */
/* The scan of all slots at a start, which fills the holdings and the bank. */
#ifndef MUNKEY_STORAGE_SCAN_H
#define MUNKEY_STORAGE_SCAN_H

#include "storage/state_private.h"

/* Opens every slot, recomputes state->digest, fills state->holdings and state->bank, which is
 * told state->mem and n as its state.  MK_EREFUSED when a slot's ref has no keyring record or
 * is tombstoned, or a slot does not open. */
int scan_slots(struct state *state, uint64_t n);

#endif

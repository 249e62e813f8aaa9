/* SPDX-License-Identifier: Apache-2.0 */
/* The scan of all slots at a start, which fills the holdings and the bank. */
#ifndef MUNKEY_STORAGE_SCAN_H
#define MUNKEY_STORAGE_SCAN_H

#include "storage/state_private.h"

/* Called for a slot that nobody may read: of a subject who was erased, or whose key is gone.  What
 * it returns other than 0 ends the scan. */
typedef int scan_unreadable(void *context, uint64_t id, const uint8_t *ref, bool erased);

/* Opens every slot, recomputes state->digest, fills state->holdings and, unless it is NULL,
 * state->bank, which is told state->mem and n as its state.  MK_EREFUSED when a slot does not open,
 * and, without a visitor, at one that nobody may read. */
int scan_slots(struct state *state, uint64_t n, scan_unreadable *unreadable,
               void *context);

#endif

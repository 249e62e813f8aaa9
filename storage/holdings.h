/* SPDX-License-Identifier: Apache-2.0 */
/* Which slots hold whose instances, and which are free: in RAM only, rebuilt at each start,
 * because an index on disk would be one more thing to erase.
 *
 *     holdings_reserve(&holdings, slots, owners);
 *     n = holdings_take(&holdings, wanted, ids);        free slots, no longer free
 *     holdings_assign(&holdings, id, owner);
 *     holdings_list(&holdings, owner, &ids, &n);        ascending; the caller frees
 *     holdings_release(&holdings, owner);               its slots are free again
 */
#ifndef MUNKEY_STORAGE_HOLDINGS_H
#define MUNKEY_STORAGE_HOLDINGS_H

#include <stddef.h>
#include <stdint.h>

struct holdings {
    uint32_t *next; /* (slots + 1): the next slot of the same list */
    uint32_t slots; /* slots are numbered from 1; 0 ends a list */
    struct held_slots {
        uint32_t first, count;
    } * owner; /* (owners) */
    uint32_t owners;
    struct held_slots free;
};

/* Room for slots and owners; slots that are new belong to no list.  MK_ENOMEM. */
int holdings_reserve(struct holdings *holdings, uint64_t slots, uint32_t owners);
void holdings_done(struct holdings *holdings);

void holdings_assign(struct holdings *holdings, uint64_t slot, uint32_t owner);
void holdings_free_slot(struct holdings *holdings, uint64_t slot);

/* Takes at most n slots from the free ones; returns how many. */
size_t holdings_take(struct holdings *holdings, size_t n, uint64_t *ret_slots);

uint32_t holdings_count(const struct holdings *holdings, uint32_t owner);
int holdings_list(const struct holdings *holdings, uint32_t owner, uint64_t **ret_slots,
                  size_t *ret_n);
void holdings_release(struct holdings *holdings, uint32_t owner);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Singly linked lists of slot numbers, one for each owner and one of the free. */
#include "storage/holdings.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

static int reserve_slots(struct holdings *holdings, uint64_t slots)
{
    if (slots <= holdings->slots)
        return 0;
    if (slots >= UINT32_MAX / 2)
        return fail(MK_EBUSY, "the database is full");
    uint32_t room = slots > 2 * (uint64_t)holdings->slots ? slots : 2 * holdings->slots;
    uint32_t *next = realloc(holdings->next, (room + 1) * sizeof *next);
    if (!next)
        return fail(MK_ENOMEM, "no memory for %u slots", room);
    holdings->next = next;
    holdings->slots = room;
    return 0;
}

static int reserve_owners(struct holdings *holdings, uint32_t owners)
{
    if (owners <= holdings->owners)
        return 0;
    uint32_t room = owners > 2 * holdings->owners ? owners : 2 * holdings->owners;
    struct held_slots *owner = realloc(holdings->owner, room * sizeof *owner);
    if (!owner)
        return fail(MK_ENOMEM, "no memory for %u subjects", room);
    memset(owner + holdings->owners, 0, (room - holdings->owners) * sizeof *owner);
    holdings->owner = owner;
    holdings->owners = room;
    return 0;
}

int holdings_reserve(struct holdings *holdings, uint64_t slots, uint32_t owners)
{
    int rc = reserve_slots(holdings, slots);
    return rc < 0 ? rc : reserve_owners(holdings, owners);
}

void holdings_done(struct holdings *holdings)
{
    free(holdings->next);
    free(holdings->owner);
    *holdings = (struct holdings){0};
}

static void push(struct holdings *holdings, struct held_slots *list, uint64_t slot)
{
    holdings->next[slot] = list->first;
    list->first = (uint32_t)slot;
    list->count++;
}

void holdings_assign(struct holdings *holdings, uint64_t slot, uint32_t owner)
{
    push(holdings, &holdings->owner[owner], slot);
}

void holdings_free_slot(struct holdings *holdings, uint64_t slot)
{
    push(holdings, &holdings->free, slot);
}

size_t holdings_take(struct holdings *holdings, size_t n, uint64_t *ret_slots)
{
    size_t taken = 0;
    for (; taken < n && holdings->free.count > 0; taken++) {
        ret_slots[taken] = holdings->free.first;
        holdings->free.first = holdings->next[holdings->free.first];
        holdings->free.count--;
    }
    return taken;
}

uint32_t holdings_count(const struct holdings *holdings, uint32_t owner)
{
    return owner < holdings->owners ? holdings->owner[owner].count : 0;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

int holdings_list(const struct holdings *holdings, uint32_t owner, uint64_t **ret_slots,
                  size_t *ret_n)
{
    size_t count = holdings_count(holdings, owner), n = 0;
    uint64_t *slots = malloc((count + 1) * sizeof *slots);
    if (!slots)
        return fail(MK_ENOMEM, "no memory for %zu slot numbers", count);
    if (count > 0)
        for (uint32_t slot = holdings->owner[owner].first; slot;
             slot = holdings->next[slot])
            slots[n++] = slot;
    qsort(slots, n, sizeof *slots, ascending);
    *ret_slots = slots;
    *ret_n = n;
    return 0;
}

void holdings_release(struct holdings *holdings, uint32_t owner)
{
    struct held_slots list = holdings->owner[owner];
    holdings->owner[owner] = (struct held_slots){0};
    while (list.first) {
        uint32_t next = holdings->next[list.first];
        holdings_free_slot(holdings, list.first);
        list.first = next;
    }
}

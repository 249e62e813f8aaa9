/* SPDX-License-Identifier: Apache-2.0 */
/* A set of refs: those of log/tombstones, for one.
 *
 *     struct refs erased;
 *     refs_init(&erased);
 *     rc = refs_add(&erased, ref);
 *     if (refs_has(&erased, body)) ...
 *     refs_done(&erased);
 *
 * It knows its own address: it is not copied.
 */
#ifndef MUNKEY_STORAGE_REFS_H
#define MUNKEY_STORAGE_REFS_H

#include <stdbool.h>

#include "storage/ledger.h"
#include "storage/table.h"

struct refs {
    uint8_t (*ref)[REF_SIZE]; /* (n) */
    size_t n, room;
    struct table table;
};

void refs_init(struct refs *refs);
void refs_done(struct refs *refs);

/* One that is there already stays once.  MK_ENOMEM. */
int refs_add(struct refs *refs, const uint8_t *ref);
bool refs_has(const struct refs *refs, const uint8_t *ref);

/* Adds every ref of log/tombstones. */
int refs_add_tombstones(struct refs *refs, struct ledger *ledger);

#endif

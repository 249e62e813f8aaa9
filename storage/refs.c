/* SPDX-License-Identifier: Apache-2.0 */
/* A set of refs. */
#include "storage/refs.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

static const uint8_t *ref_of(const void *refs, uint32_t index)
{
    return ((const struct refs *)refs)->ref[index];
}

void refs_init(struct refs *refs)
{
    *refs = (struct refs){.table = {.width = REF_SIZE, .key = ref_of, .context = refs}};
}

void refs_done(struct refs *refs)
{
    table_done(&refs->table);
    free(refs->ref);
}

static int grow(struct refs *refs)
{
    size_t room = refs->room ? 2 * refs->room : 64;
    void *ref = room < TABLE_NONE ? realloc(refs->ref, room * REF_SIZE) : NULL;
    if (!ref)
        return fail(MK_ENOMEM, "no memory for %zu refs", room);
    refs->ref = ref;
    refs->room = room;
    return 0;
}

int refs_add(struct refs *refs, const uint8_t *ref)
{
    int rc;
    if (refs_has(refs, ref))
        return 0;
    if (refs->n == refs->room && (rc = grow(refs)) < 0)
        return rc;
    memcpy(refs->ref[refs->n], ref, REF_SIZE);
    if ((rc = table_put(&refs->table, (uint32_t)refs->n)) == 0)
        refs->n++;
    return rc;
}

bool refs_has(const struct refs *refs, const uint8_t *ref)
{
    return table_find(&refs->table, ref) != TABLE_NONE;
}

static int add(void *refs, uint64_t index, const uint8_t *ref, size_t len)
{
    (void)index, (void)len;
    return refs_add(refs, ref);
}

int refs_add_tombstones(struct refs *refs, struct ledger *ledger)
{
    return ledger_each_ref(ledger, add, refs);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing with linear probing; at most half full. */
#include "storage/table.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

static size_t home(const struct table *table, const uint8_t *key)
{
    uint64_t hash;
    memcpy(&hash, key, sizeof hash);
    return hash & (table->size - 1);
}

static size_t after(const struct table *table, size_t at)
{
    return (at + 1) & (table->size - 1);
}

static void place(struct table *table, uint32_t index)
{
    size_t at = home(table, table->key(table->context, index));
    while (table->cell[at] != TABLE_NONE)
        at = after(table, at);
    table->cell[at] = index;
}

static int grow(struct table *table)
{
    size_t size = table->size ? 2 * table->size : 64;
    struct table grown = *table;
    if (!(grown.cell = malloc(size * sizeof *grown.cell)))
        return fail(MK_ENOMEM, "no memory for an index of %zu", size);
    memset(grown.cell, 0xff, size * sizeof *grown.cell);
    grown.size = size;
    for (size_t i = 0; i < table->size; i++)
        if (table->cell[i] != TABLE_NONE)
            place(&grown, table->cell[i]);
    free(table->cell);
    *table = grown;
    return 0;
}

int table_put(struct table *table, uint32_t index)
{
    int rc;
    if (2 * (table->used + 1) > table->size && (rc = grow(table)) < 0)
        return rc;
    place(table, index);
    table->used++;
    return 0;
}

/* The cell of the thing with this key, or the empty cell where it would be. */
static size_t seek(const struct table *table, const uint8_t *key)
{
    size_t at = home(table, key);
    while (table->cell[at] != TABLE_NONE &&
           memcmp(table->key(table->context, table->cell[at]), key, table->width))
        at = after(table, at);
    return at;
}

uint32_t table_find(const struct table *table, const uint8_t *key)
{
    return table->size ? table->cell[seek(table, key)] : TABLE_NONE;
}

/* Closes the gap (Knuth, 6.4, algorithm R): marks for the removed would slow searches down
 * for ever, and would be a trace of them. */
void table_remove(struct table *table, uint32_t index)
{
    size_t gap = seek(table, table->key(table->context, index));
    if (table->cell[gap] == TABLE_NONE)
        return;
    for (size_t at = after(table, gap); table->cell[at] != TABLE_NONE;
         at = after(table, at)) {
        size_t wanted = home(table, table->key(table->context, table->cell[at]));
        size_t from_wanted = (at - wanted) & (table->size - 1);
        size_t from_gap = (at - gap) & (table->size - 1);
        if (from_wanted >= from_gap) {
            table->cell[gap] = table->cell[at];
            gap = at;
        }
    }
    table->cell[gap] = TABLE_NONE;
    table->used--;
}

void table_done(struct table *table)
{
    free(table->cell);
    table->cell = NULL;
    table->size = table->used = 0;
}

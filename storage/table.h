/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of numbered things, by a field of theirs that is random already.
 *
 *     struct table table = {.width = SHA256_SIZE, .key = tag_of, .context = keyring};
 *     table_put(&table, index);
 *     index = table_find(&table, tag);          TABLE_NONE: not there
 *     table_remove(&table, index);
 *     table_done(&table);
 *
 * It holds no copy of the field: it asks for it.
 */
#ifndef MUNKEY_STORAGE_TABLE_H
#define MUNKEY_STORAGE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define TABLE_NONE UINT32_MAX

/* The field of thing number index: at least 8 bytes, uniformly random. */
typedef const uint8_t *table_key(const void *context, uint32_t index);

struct table {
    size_t width;
    table_key *key;
    const void *context;
    uint32_t *cell; /* open addressing; TABLE_NONE: empty */
    size_t size, used;
};

/* MK_ENOMEM.  The thing has its field already, and no other has the same. */
int table_put(struct table *table, uint32_t index);
uint32_t table_find(const struct table *table, const uint8_t *key);
void table_remove(struct table *table, uint32_t index); /* while it still has its field */
void table_done(struct table *table);

#endif

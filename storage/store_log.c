/* SPDX-License-Identifier: Apache-2.0 */
/* The log in the database: entries, and the nodes of the tree over them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/store_private.h"

uint64_t store_entries(const struct store *store)
{
    return store->entries;
}

int store_entry_add(struct store *store, struct bytes entry, const char *kid,
                    const uint8_t *signature)
{
    sql_bind_int(store->sql, ADD_ENTRY, 1, store->entries);
    sql_bind_bytes(store->sql, ADD_ENTRY, 2, entry);
    if (kid) {
        sql_bind_text(store->sql, ADD_ENTRY, 3, kid);
        sql_bind_bytes(store->sql, ADD_ENTRY, 4,
                       (struct bytes){signature, SIGNATURE_SIZE});
    }
    int rc = sql_run(store->sql, ADD_ENTRY, "add a log entry");
    if (rc == 0)
        store->entries++;
    return rc;
}

/* Fills row from the columns of READ_ENTRY. */
static int take_entry(struct sql *sql, struct entry_row *ret_row)
{
    struct bytes bytes = sql_bytes(sql, READ_ENTRY, 0);
    const char *kid = sql_text(sql, READ_ENTRY, 1);
    struct entry_row row = {.len = bytes.len};
    if (kid) {
        snprintf(row.kid, sizeof row.kid, "%s", kid);
        int rc = sql_copy(sql, READ_ENTRY, 2, row.signature, sizeof row.signature);
        if (rc < 0)
            return rc;
    }
    if (!bytes.data || !(row.bytes = malloc(row.len + 1)))
        return fail(MK_ENOMEM, "no memory for a log entry");
    memcpy(row.bytes, bytes.data, row.len);
    row.bytes[row.len] = 0;
    *ret_row = row;
    return 0;
}

int store_entry_read(struct store *store, uint64_t n, struct entry_row *ret_row)
{
    sql_bind_int(store->sql, READ_ENTRY, 1, n);
    int rc = sql_row(store->sql, READ_ENTRY, "read a log entry");
    if (rc == MK_ENOTFOUND)
        return fail(rc, "the log has no entry %llu", (unsigned long long)n);
    if (rc < 0)
        return rc;
    rc = take_entry(store->sql, ret_row);
    sql_done(store->sql, READ_ENTRY);
    return rc;
}

void entry_row_done(struct entry_row *row)
{
    free(row->bytes);
    row->bytes = NULL;
}

int store_node_write(struct store *store, uint32_t level, uint64_t index,
                     const uint8_t hash[static SHA256_SIZE])
{
    sql_bind_int(store->sql, WRITE_NODE, 1, level);
    sql_bind_int(store->sql, WRITE_NODE, 2, index);
    sql_bind_bytes(store->sql, WRITE_NODE, 3, (struct bytes){hash, SHA256_SIZE});
    return sql_run(store->sql, WRITE_NODE, "write a tree node");
}

int store_node_read(struct store *store, uint32_t level, uint64_t index,
                    uint8_t ret_hash[static SHA256_SIZE])
{
    sql_bind_int(store->sql, READ_NODE, 1, level);
    sql_bind_int(store->sql, READ_NODE, 2, index);
    int rc = store_read_blob(store, READ_NODE, "read a tree node", ret_hash, SHA256_SIZE);
    return rc == MK_ENOTFOUND ? fail(MK_ESTORE, "the tree lacks node %llu of level %u",
                                     (unsigned long long)index, level)
                              : rc;
}

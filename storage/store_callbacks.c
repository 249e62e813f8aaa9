/* SPDX-License-Identifier: Apache-2.0 */
/* What waits to be sent: rows of one size, written in place. */
#include "core/err.h"
#include "storage/store_private.h"

uint64_t store_callbacks(const struct store *store)
{
    return store->callbacks;
}

int store_callbacks_grow(struct store *store, uint64_t n)
{
    int rc = 0;
    for (uint64_t i = 0; rc == 0 && i < n; i++) {
        sql_bind_int(store->sql, GROW_CALLBACKS, 1, store->callbacks + 1);
        sql_bind_int(store->sql, GROW_CALLBACKS, 2, STORE_CALLBACK_SIZE);
        if ((rc = sql_run(store->sql, GROW_CALLBACKS, "add room for a callback")) == 0)
            store->callbacks++;
    }
    return rc;
}

int store_callback_read(struct store *store, uint64_t row,
                        uint8_t ret_body[static STORE_CALLBACK_SIZE])
{
    sql_bind_int(store->sql, READ_CALLBACK, 1, row);
    int rc = store_read_blob(store, READ_CALLBACK, "read a callback", ret_body,
                             STORE_CALLBACK_SIZE);
    return rc == MK_ENOTFOUND
               ? fail(MK_ESTORE, "there is no callback %llu", (unsigned long long)row)
               : rc;
}

int store_callback_write(struct store *store, uint64_t row,
                         const uint8_t body[static STORE_CALLBACK_SIZE])
{
    return sql_overwrite(store->sql, "callback", "body", row, body, STORE_CALLBACK_SIZE);
}

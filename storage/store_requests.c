/* SPDX-License-Identifier: Apache-2.0 */
/* What was asked for before: idempotency keys and requests for erasure, both by their tags. */
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "storage/store_private.h"

int store_idem_read(struct store *store, const uint8_t tag[static SHA256_SIZE],
                    struct idem_row *ret_row)
{
    sql_bind_bytes(store->sql, READ_IDEM, 1, (struct bytes){tag, SHA256_SIZE});
    int rc = sql_row(store->sql, READ_IDEM, "look up an idempotency key");
    if (rc < 0)
        return rc;
    ret_row->n = sql_int(store->sql, READ_IDEM, 0);
    snprintf(ret_row->act, sizeof ret_row->act, "%s", sql_text(store->sql, READ_IDEM, 1));
    ret_row->pepper = sql_int(store->sql, READ_IDEM, 2);
    sql_done(store->sql, READ_IDEM);
    return 0;
}

int store_idem_write(struct store *store, const uint8_t tag[static SHA256_SIZE],
                     const struct idem_row *row)
{
    sql_bind_bytes(store->sql, WRITE_IDEM, 1, (struct bytes){tag, SHA256_SIZE});
    sql_bind_int(store->sql, WRITE_IDEM, 2, row->n);
    sql_bind_text(store->sql, WRITE_IDEM, 3, row->act);
    sql_bind_int(store->sql, WRITE_IDEM, 4, row->pepper);
    return sql_run(store->sql, WRITE_IDEM, "keep an idempotency key");
}

/* Fills row from the columns of READ_REQUEST. */
static int take_request(struct sql *sql, struct request_row *ret_row)
{
    struct request_row row = {
        .received = (int64_t)sql_int(sql, READ_REQUEST, 0),
        .due = (int64_t)sql_int(sql, READ_REQUEST, 1),
        .answered = (int64_t)sql_int(sql, READ_REQUEST, 2),
        .held = !strcmp(sql_text(sql, READ_REQUEST, 3), "held"),
        .erased = !strcmp(sql_text(sql, READ_REQUEST, 3), "erased"),
        .n = sql_int(sql, READ_REQUEST, 5),
        .pepper = sql_int(sql, READ_REQUEST, 6),
    };
    snprintf(row.regulation, sizeof row.regulation, "%s", sql_text(sql, READ_REQUEST, 4));
    int rc = row.held ? sql_copy(sql, READ_REQUEST, 7, row.commit, SHA256_SIZE) : 0;
    if (rc == 0)
        *ret_row = row;
    return rc;
}

int store_request_read(struct store *store, const uint8_t tag[static SHA256_SIZE],
                       struct request_row *ret_row)
{
    sql_bind_bytes(store->sql, READ_REQUEST, 1, (struct bytes){tag, SHA256_SIZE});
    int rc = sql_row(store->sql, READ_REQUEST, "look up a request");
    if (rc < 0)
        return rc;
    rc = take_request(store->sql, ret_row);
    sql_done(store->sql, READ_REQUEST);
    return rc;
}

int store_request_write(struct store *store, const uint8_t tag[static SHA256_SIZE],
                        const struct request_row *row)
{
    struct sql *sql = store->sql;
    const char *status = row->held ? "held" : row->erased ? "erased" : "not_held";
    sql_bind_bytes(sql, WRITE_REQUEST, 1, (struct bytes){tag, SHA256_SIZE});
    sql_bind_int(sql, WRITE_REQUEST, 2, (uint64_t)row->received);
    sql_bind_int(sql, WRITE_REQUEST, 3, (uint64_t)row->due);
    sql_bind_int(sql, WRITE_REQUEST, 4, (uint64_t)row->answered);
    sql_bind_text(sql, WRITE_REQUEST, 5, status);
    sql_bind_text(sql, WRITE_REQUEST, 6, row->regulation);
    if (row->held) {
        sql_bind_int(sql, WRITE_REQUEST, 8, row->pepper);
        sql_bind_bytes(sql, WRITE_REQUEST, 9, (struct bytes){row->commit, SHA256_SIZE});
    } else {
        sql_bind_int(sql, WRITE_REQUEST, 7, row->n);
    }
    return sql_run(sql, WRITE_REQUEST, "keep a request");
}

int store_requests_expire(struct store *store, int64_t before)
{
    sql_bind_int(store->sql, EXPIRE_REQUESTS, 1, (uint64_t)before);
    return sql_run(store->sql, EXPIRE_REQUESTS, "delete old requests");
}

static int list_held(struct sql *sql, size_t max, struct request_row *ret_rows,
                     size_t *ret_n)
{
    int rc = 0;
    size_t n = 0;
    sql_bind_int(sql, LIST_HELD, 1, max);
    while (n < max && (rc = sql_row(sql, LIST_HELD, "list held requests")) == 0) {
        struct request_row *row = &ret_rows[n++];
        *row = (struct request_row){.received = (int64_t)sql_int(sql, LIST_HELD, 0),
                                    .due = (int64_t)sql_int(sql, LIST_HELD, 1),
                                    .held = true};
        snprintf(row->regulation, sizeof row->regulation, "%s",
                 sql_text(sql, LIST_HELD, 2));
    }
    sql_done(sql, LIST_HELD);
    *ret_n = n;
    return rc == MK_ENOTFOUND ? 0 : rc;
}

int store_requests_held(struct store *store, size_t max, struct request_row *ret_rows,
                        size_t *ret_n, uint64_t *ret_total)
{
    int rc = sql_row(store->sql, COUNT_HELD, "count held requests");
    if (rc < 0)
        return rc;
    *ret_total = sql_int(store->sql, COUNT_HELD, 0);
    sql_done(store->sql, COUNT_HELD);
    return list_held(store->sql, max, ret_rows, ret_n);
}

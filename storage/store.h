/* SPDX-License-Identifier: Apache-2.0 */
/* The database of a state folder; its tables and what they mean.
 *
 *     store_begin(store);
 *     store_slot_write(store, id, body);
 *     store_entry_add(store, n, entry, kid, signature);
 *     rc = store_commit(store);                 MK_EUNKNOWN: abort and start again
 *     store_empty_wal(store);                   overwritten bytes are gone from the disk
 *
 * One connection, one thread at a time: the state's mutex.  Before the commit an error is
 * MK_ESTORE, and store_rollback() undoes everything; an error of the commit is MK_EUNKNOWN.
 */
#ifndef MUNKEY_STORAGE_STORE_H
#define MUNKEY_STORAGE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/crypto.h"
#include "storage/receipt.h"
#include "storage/regime.h"

struct store; /* opaque: only store.c knows the connection */

/* The rows of table meta; sizes and meanings stand in the schema. */
enum meta {
    META_SCHEMA = 1,
    META_SLOT_SIZE,
    META_ORIGIN,
    META_ENCODER,
    META_STATE,
    META_PENDING,
    META_IMPORT,
};

/* munkeyd.db in folder, an absolute path without symbolic links.  Create: MK_EREFUSED when it
 * exists; meta is zero but for the schema's number and the slot size.  Open replays the WAL and
 * runs quick_check; MK_ENOTFOUND when there is no database or a crash left it without schema,
 * MK_EREFUSED with a sentence when it is not to be trusted.  A database of an earlier schema is
 * brought to the present one. */
int store_create(const char *folder, uint32_t slot_size, struct store **ret_store);
int store_open(const char *folder, struct store **ret_store);
void store_close(struct store *store);

/* Closes it and leaves the WAL as it is: SQLite would move its pages and unlink it, not zeroed. */
void store_leave(struct store *store);

uint32_t store_slot_size(const struct store *store);

int store_begin(struct store *store);
int store_commit(struct store *store);
void store_rollback(struct store *store);

/* Whole values of the row's exact size. */
int store_meta_read(struct store *store, enum meta meta, void *ret_value, size_t size);
int store_meta_write(struct store *store, enum meta meta, const void *value, size_t size);

/* Slots 1 to store_slots(); a body has store_slot_size() bytes.  Grow appends n free ones. */
uint64_t store_slots(const struct store *store);
int store_slots_grow(struct store *store, uint64_t n);
int store_slot_read(struct store *store, uint64_t id, uint8_t *ret_body);
int store_slot_write(struct store *store, uint64_t id, const uint8_t *body);

/* What is read next comes from the files, and not from what was read before. */
void store_refresh(struct store *store);

/* Calls visit for each slot in order of id until it returns other than 0, which is returned. */
typedef int slot_visit(void *context, uint64_t id, const uint8_t *body);
int store_slots_scan(struct store *store, slot_visit *visit, void *context);

/* One entry of the log.  kid is "" when it has no receipt. */
struct entry_row {
    char *bytes; /* NUL-terminated; freed by entry_row_done() */
    size_t len;
    char kid[KID_SIZE];
    uint8_t signature[SIGNATURE_SIZE];
};
uint64_t store_entries(const struct store *store);
int store_entry_add(struct store *store, struct bytes entry, const char *kid,
                    const uint8_t *signature); /* kid NULL: no receipt */
int store_entry_read(struct store *store, uint64_t n, struct entry_row *ret_row);
void entry_row_done(struct entry_row *row);

/* Nodes of the Merkle tree. */
int store_node_write(struct store *store, uint32_t level, uint64_t index,
                     const uint8_t hash[static SHA256_SIZE]);
int store_node_read(struct store *store, uint32_t level, uint64_t index,
                    uint8_t ret_hash[static SHA256_SIZE]);

/* What an idempotency key stands for.  Read: MK_ENOTFOUND.  Write replaces. */
struct idem_row {
    uint64_t n;
    char act[16];
    uint64_t pepper;
};
int store_idem_read(struct store *store, const uint8_t tag[static SHA256_SIZE],
                    struct idem_row *ret_row);
int store_idem_write(struct store *store, const uint8_t tag[static SHA256_SIZE],
                     const struct idem_row *row);

/* What became of a request for erasure by its name. */
struct request_row {
    int64_t received, due; /* Unix seconds */
    int64_t answered;      /* last */
    bool held, erased;     /* neither: nothing was held about the person */
    char regulation[REGIME_SIZE];
    uint64_t n; /* the entry that answers it; unless it is held */
    /* Of one that is held: whom it is about, made under that pepper. */
    uint64_t pepper;
    uint8_t commit[SHA256_SIZE];
};
int store_request_read(struct store *store, const uint8_t tag[static SHA256_SIZE],
                       struct request_row *ret_row); /* MK_ENOTFOUND */
int store_request_write(struct store *store, const uint8_t tag[static SHA256_SIZE],
                        const struct request_row *row);         /* replaces */
int store_requests_expire(struct store *store, int64_t before); /* last answered then */
/* Those that are held, soonest due first: their times and regulation alone.  ret_rows: (max). */
int store_requests_held(struct store *store, size_t max, struct request_row *ret_rows,
                        size_t *ret_n, uint64_t *ret_total);

/* Callbacks that wait, rows 1 to store_callbacks(); a free one is zeros.  Grow appends n such. */
enum { STORE_CALLBACK_SIZE = 1024 };
uint64_t store_callbacks(const struct store *store);
int store_callbacks_grow(struct store *store, uint64_t n);
int store_callback_read(struct store *store, uint64_t row,
                        uint8_t ret_body[static STORE_CALLBACK_SIZE]);
int store_callback_write(struct store *store, uint64_t row,
                         const uint8_t body[static STORE_CALLBACK_SIZE]);

/* A copy of the whole database, step by step (storage/sql.h).  MK_EIO. */
struct sql_backup;
int store_backup(struct store *store, const char *path, struct sql_backup **ret_backup);

/* Makes the bytes of all that was overwritten unreadable, on the disk too: moves everything
 * into the database file, zeroes the WAL and cuts it.  MK_EUNKNOWN: abort and start again. */
int store_empty_wal(struct store *store);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a store is made of, for the files that are one: store.c (connection, slots, meta),
 * store_log.c (entries and tree), store_requests.c (what was asked for before), store_callbacks.c
 * (what waits to be sent). */
#ifndef MUNKEY_STORAGE_STORE_PRIVATE_H
#define MUNKEY_STORAGE_STORE_PRIVATE_H

#include "storage/disk.h"
#include "storage/sql.h"
#include "storage/store.h"

/* Every statement that runs more than once.  The first is run before the others' tables are
 * certain to be there. */
#define QUERY_LIST(X)                                                                    \
    X(READ_META, "SELECT value FROM meta WHERE id = ?")                                  \
    X(BEGIN, "BEGIN IMMEDIATE")                                                          \
    X(COMMIT, "COMMIT")                                                                  \
    X(ROLLBACK, "ROLLBACK")                                                              \
    X(COUNT_SLOTS, "SELECT coalesce(max(id), 0) FROM slot")                              \
    X(GROW_SLOTS, "INSERT INTO slot (id, body) VALUES (?, zeroblob(?))")                 \
    X(READ_SLOT, "SELECT body FROM slot WHERE id = ?")                                   \
    X(SCAN_SLOTS, "SELECT id, body FROM slot ORDER BY id")                               \
    X(COUNT_ENTRIES, "SELECT coalesce(max(n) + 1, 0) FROM entry")                        \
    X(ADD_ENTRY, "INSERT INTO entry (n, bytes, kid, sig) VALUES (?, ?, ?, ?)")           \
    X(READ_ENTRY, "SELECT bytes, kid, sig FROM entry WHERE n = ?")                       \
    X(WRITE_NODE, "INSERT INTO node (level, idx, hash) VALUES (?, ?, ?)")                \
    X(READ_NODE, "SELECT hash FROM node WHERE level = ? AND idx = ?")                    \
    X(WRITE_IDEM, "REPLACE INTO idem (tag, n, act, pepper) VALUES (?, ?, ?, ?)")         \
    X(READ_IDEM, "SELECT n, act, pepper FROM idem WHERE tag = ?")                        \
    X(WRITE_REQUEST,                                                                     \
      "REPLACE INTO request (tag, received, due, answered, status, regulation, n, "      \
      "pepper, commitment) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")                          \
    X(READ_REQUEST,                                                                      \
      "SELECT received, due, answered, status, regulation, n, pepper, commitment "       \
      "FROM request WHERE tag = ?")                                                      \
    X(EXPIRE_REQUESTS, "DELETE FROM request WHERE answered < ?")                         \
    X(COUNT_HELD, "SELECT count(*) FROM request WHERE status = 'held'")                  \
    X(LIST_HELD, "SELECT received, due, regulation FROM request WHERE status = 'held' "  \
                 "ORDER BY due LIMIT ?")                                                 \
    X(COUNT_CALLBACKS, "SELECT coalesce(max(id), 0) FROM callback")                      \
    X(GROW_CALLBACKS, "INSERT INTO callback (id, body) VALUES (?, zeroblob(?))")         \
    X(READ_CALLBACK, "SELECT body FROM callback WHERE id = ?")

enum query {
#define QUERY_NAME(name, text) name,
    QUERY_LIST(QUERY_NAME) QUERIES
};

struct store {
    struct sql *sql;
    int folder;
    char wal[PATH_SIZE];
    uint32_t slot_size;
    uint64_t slots, slots_before; /* now, and at the transaction's begin */
    uint64_t entries, entries_before;
    uint64_t callbacks, callbacks_before;
};

/* Reads the one BLOB of the one row of a query whose bindings are set. */
int store_read_blob(struct store *store, enum query query, const char *what, void *ret,
                    size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite, as reliability demands it: every pragma read back, secrets overwritten in place. */
#include "storage/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "storage/disk.h"
#include "storage/schema.h"
#include "storage/wal.h"
#include "storage/zeroing.h"

enum { SCHEMA = 1, WAL_PAGES_MAX = 1000 };

/* Every statement that runs more than once. */
#define QUERY_LIST(X)                                                                    \
    X(BEGIN, "BEGIN IMMEDIATE")                                                          \
    X(COMMIT, "COMMIT")                                                                  \
    X(ROLLBACK, "ROLLBACK")                                                              \
    X(COUNT_SLOTS, "SELECT coalesce(max(id), 0) FROM slot")                              \
    X(GROW_SLOTS, "INSERT INTO slot (id, body) VALUES (?, zeroblob(?))")                 \
    X(READ_SLOT, "SELECT body FROM slot WHERE id = ?")                                   \
    X(SCAN_SLOTS, "SELECT id, body FROM slot ORDER BY id")                               \
    X(READ_META, "SELECT value FROM meta WHERE id = ?")                                  \
    X(COUNT_ENTRIES, "SELECT coalesce(max(n) + 1, 0) FROM entry")                        \
    X(ADD_ENTRY, "INSERT INTO entry (n, bytes, kid, sig) VALUES (?, ?, ?, ?)")           \
    X(READ_ENTRY, "SELECT bytes, kid, sig FROM entry WHERE n = ?")                       \
    X(WRITE_NODE, "INSERT INTO node (level, idx, hash) VALUES (?, ?, ?)")                \
    X(READ_NODE, "SELECT hash FROM node WHERE level = ? AND idx = ?")                    \
    X(WRITE_IDEM, "REPLACE INTO idem (tag, n, act, pepper) VALUES (?, ?, ?, ?)")         \
    X(READ_IDEM, "SELECT n, act, pepper FROM idem WHERE tag = ?")

enum query {
#define QUERY_NAME(name, text) name,
    QUERY_LIST(QUERY_NAME) QUERIES
};

static const char *const sql[QUERIES] = {
#define QUERY_TEXT(name, text) text,
    QUERY_LIST(QUERY_TEXT)};

/* In this order: EXCLUSIVE before WAL keeps the WAL's index in our own memory, so that no
 * other process can read, and hold on to, what is about to be forgotten. */
static const struct {
    const char *name, *value, *reads;
} pragmas[] = {
    {"locking_mode", "EXCLUSIVE", "exclusive"},
    {"journal_mode", "WAL", "wal"},
    {"synchronous", "FULL", "2"},
    {"secure_delete", "ON", "1"},
    {"temp_store", "MEMORY", "2"},
    {"mmap_size", "0", "0"},
    {"auto_vacuum", "NONE", "0"},
    {"wal_autocheckpoint", "0", "0"},
    {"journal_size_limit", "0", "0"},
    {"cell_size_check", "ON", "1"},
    {"trusted_schema", "OFF", "0"},
    {"foreign_keys", "ON", "1"},
    {"recursive_triggers", "OFF", "0"},
    {"cache_size", "-8000", "-8000"},
};

struct store {
    sqlite3 *db;
    sqlite3_stmt *query[QUERIES];
    sqlite3_blob *slot; /* open for writing within a transaction, or NULL */
    int folder;
    char wal[PATH_SIZE];
    uint32_t slot_size;
    uint64_t slots, slots_before; /* now, and at the transaction's begin */
    uint64_t entries, entries_before;
    int wal_pages;
};

static int configured = SQLITE_ERROR;

static void configure(void)
{
    static const sqlite3_mem_methods zeroing = {
        zeroing_malloc,  zeroing_free, zeroing_realloc,  zeroing_size,
        zeroing_roundup, zeroing_init, zeroing_shutdown, NULL};
    configured = sqlite3_config(SQLITE_CONFIG_MALLOC, &zeroing);
}

static int broken(struct store *store, const char *what)
{
    return fail(MK_ESTORE, "the database failed to %s: %s", what,
                sqlite3_errmsg(store->db));
}

/* Runs a query that returns no row.  Bindings stay valid only until here. */
static int run(struct store *store, enum query query, const char *what)
{
    sqlite3_stmt *stmt = store->query[query];
    int rc = sqlite3_step(stmt) == SQLITE_DONE ? 0 : broken(store, what);
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    return rc;
}

/* Steps to the one row of a query; the caller reads columns, then calls done().  Bindings of
 * numbers and borrowed bytes cannot fail. */
static int one_row(struct store *store, enum query query, const char *what)
{
    int step = sqlite3_step(store->query[query]);
    if (step == SQLITE_ROW)
        return 0;
    int rc = step == SQLITE_DONE ? MK_ENOTFOUND : broken(store, what);
    sqlite3_reset(store->query[query]);
    return rc;
}

static void done(struct store *store, enum query query)
{
    sqlite3_reset(store->query[query]);
    sqlite3_clear_bindings(store->query[query]);
}

/* Copies a BLOB column that must have exactly size bytes. */
static int column(struct store *store, enum query query, int i, void *ret, size_t size)
{
    const void *value = sqlite3_column_blob(store->query[query], i);
    if (!value || (size_t)sqlite3_column_bytes(store->query[query], i) != size)
        return fail(MK_ESTORE, "the database holds a value of another size than %zu",
                    size);
    memcpy(ret, value, size);
    return 0;
}

/* Reads the one BLOB of the one row of a query whose bindings are set. */
static int read_blob(struct store *store, enum query query, const char *what, void *ret,
                     size_t size)
{
    int rc = one_row(store, query, what);
    if (rc < 0)
        return rc;
    rc = column(store, query, 0, ret, size);
    done(store, query);
    return rc;
}

/* Whether the first row of a query begins with this text; NULL: whether it has no row. */
static bool answers(sqlite3 *db, const char *text, const char *expected)
{
    sqlite3_stmt *stmt = NULL;
    bool prepared = sqlite3_prepare_v2(db, text, -1, &stmt, NULL) == SQLITE_OK;
    int step = prepared ? sqlite3_step(stmt) : SQLITE_ERROR;
    bool same = expected
                    ? step == SQLITE_ROW &&
                          !strcmp((const char *)sqlite3_column_text(stmt, 0), expected)
                    : step == SQLITE_DONE;
    sqlite3_finalize(stmt);
    return same;
}

static int set_pragma(sqlite3 *db, size_t i)
{
    char text[96];
    snprintf(text, sizeof text, "PRAGMA %s=%s", pragmas[i].name, pragmas[i].value);
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        return fail(MK_EREFUSED, "munkeyd.db cannot be opened: %s", sqlite3_errmsg(db));
    snprintf(text, sizeof text, "PRAGMA %s", pragmas[i].name);
    if (!answers(db, text, pragmas[i].reads))
        return fail(MK_EREFUSED, "SQLite does not accept PRAGMA %s=%s", pragmas[i].name,
                    pragmas[i].value);
    return 0;
}

static int set_config(sqlite3 *db, int option, int value)
{
    int now = -1;
    if (sqlite3_db_config(db, option, value, &now) != SQLITE_OK || now != value)
        return fail(MK_EREFUSED, "SQLite does not accept option %d = %d", option, value);
    return 0;
}

static int note_wal_pages(void *store, sqlite3 *db, const char *name, int pages)
{
    (void)db, (void)name;
    ((struct store *)store)->wal_pages = pages;
    return SQLITE_OK;
}

static int harden(struct store *store)
{
    sqlite3 *db = store->db;
    int rc = 0;
    sqlite3_extended_result_codes(db, 1);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 16 << 20);
    sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 100000);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    if ((rc = set_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1)) < 0 ||
        (rc = set_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0)) < 0 ||
        (rc = set_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)) < 0)
        return rc;
    for (size_t i = 0; i < sizeof pragmas / sizeof *pragmas; i++)
        if ((rc = set_pragma(db, i)) < 0)
            return rc;
    sqlite3_wal_hook(db, note_wal_pages, store);
    return 0;
}

/* Connects to munkeyd.db, which exists, and applies every setting. */
static int connect_store(const char *folder, struct store **ret_store)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure);
    if (configured != SQLITE_OK)
        return fail(MK_EREFUSED,
                    "SQLite was used before its memory could be made to zero");

    struct store *store = calloc(1, sizeof *store);
    char path[PATH_SIZE];
    int rc = MK_ENOMEM;
    if (!store)
        return fail(MK_ENOMEM, "no memory for the database");
    store->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (disk_path(folder, "munkeyd.db", path) < 0 ||
        disk_path(folder, "munkeyd.db-wal", store->wal) < 0 || store->folder < 0 ||
        sqlite3_open_v2(path, &store->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
                            SQLITE_OPEN_NOFOLLOW,
                        NULL) != SQLITE_OK)
        rc = fail(MK_EREFUSED, "munkeyd.db cannot be opened: %s",
                  store->db ? sqlite3_errmsg(store->db) : strerror(errno));
    else
        rc = harden(store);
    if (rc < 0) {
        store_close(store);
        return rc;
    }
    *ret_store = store;
    return 0;
}

static int count(struct store *store, enum query query, uint64_t *ret_n)
{
    int rc = one_row(store, query, "count its rows");
    if (rc < 0)
        return rc;
    *ret_n = (uint64_t)sqlite3_column_int64(store->query[query], 0);
    done(store, query);
    return 0;
}

static int prepare(struct store *store)
{
    uint8_t schema_number[8], size[8];
    int rc;
    /* A crash came between making the file and the schema's commit. */
    if (answers(store->db, "SELECT 1 FROM sqlite_schema", NULL))
        return fail(MK_ENOTFOUND, "munkeyd.db is empty");
    for (int i = 0; i < QUERIES; i++)
        if (sqlite3_prepare_v3(store->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &store->query[i], NULL) != SQLITE_OK)
            return fail(MK_EREFUSED, "munkeyd.db is not a database of munkeyd: %s",
                        sqlite3_errmsg(store->db));
    if ((rc = count(store, COUNT_SLOTS, &store->slots)) < 0 ||
        (rc = count(store, COUNT_ENTRIES, &store->entries)) < 0 ||
        (rc = store_meta_read(store, META_SCHEMA, schema_number, 8)) < 0 ||
        (rc = store_meta_read(store, META_SLOT_SIZE, size, 8)) < 0)
        return rc;
    if (schema_number[0] != SCHEMA)
        return fail(MK_EREFUSED,
                    "munkeyd.db has schema %u, and this munkeyd knows %u: start "
                    "the munkeyd that wrote it",
                    schema_number[0], SCHEMA);
    store->slot_size = size[0] | (uint32_t)size[1] << 8;
    return 0;
}

int store_create(const char *folder, uint32_t slot_size, struct store **ret_store)
{
    struct store *store = NULL;
    const uint8_t size[8] = {slot_size & 255, slot_size >> 8};
    char path[PATH_SIZE];
    int rc;
    /* SQLite would make it readable to others. */
    if ((rc = disk_path(folder, "munkeyd.db", path)) < 0 ||
        (rc = disk_create(path)) < 0 || (rc = connect_store(folder, &store)) < 0)
        return rc;
    if (sqlite3_exec(store->db, schema, NULL, NULL, NULL) != SQLITE_OK)
        rc = broken(store, "take its schema");
    else if ((rc = prepare(store)) == 0 &&
             (rc = store_meta_write(store, META_SLOT_SIZE, size, 8)) == 0)
        rc = store_commit(store);
    if (rc < 0) {
        store_close(store);
        return rc;
    }
    store->slot_size = slot_size;
    *ret_store = store;
    return 0;
}

static int quick_check(struct store *store)
{
    if (!answers(store->db, "PRAGMA quick_check(1)", "ok"))
        return fail(MK_EREFUSED,
                    "munkeyd.db is damaged: put a copy back that is as new as "
                    "log/entries");
    return 0;
}

int store_open(const char *folder, struct store **ret_store)
{
    struct store *store = NULL;
    char path[PATH_SIZE];
    int rc = disk_path(folder, "munkeyd.db", path);
    if (rc == 0 && access(path, F_OK) < 0)
        rc = fail(MK_ENOTFOUND, "there is no munkeyd.db");
    if (rc < 0 || (rc = connect_store(folder, &store)) < 0)
        return rc;
    if ((rc = quick_check(store)) < 0 || (rc = prepare(store)) < 0) {
        store_close(store);
        return rc;
    }
    *ret_store = store;
    return 0;
}

static void close_slot(struct store *store)
{
    sqlite3_blob_close(store->slot);
    store->slot = NULL;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    close_slot(store);
    for (int i = 0; i < QUERIES; i++)
        sqlite3_finalize(store->query[i]);
    sqlite3_close(store->db);
    if (store->folder >= 0)
        close(store->folder);
    free(store);
}

uint32_t store_slot_size(const struct store *store)
{
    return store->slot_size;
}

int store_begin(struct store *store)
{
    store->slots_before = store->slots;
    store->entries_before = store->entries;
    return run(store, BEGIN, "begin");
}

int store_commit(struct store *store)
{
    /* An open blob for writing would make COMMIT busy. */
    close_slot(store);
    if (run(store, COMMIT, "commit") < 0)
        return MK_EUNKNOWN;
    /* Autocheckpoint is off, so that nothing but this and store_empty_wal() moves pages. */
    if (store->wal_pages > WAL_PAGES_MAX &&
        sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
                                  NULL) != SQLITE_OK)
        return fail(MK_EUNKNOWN, "the checkpoint failed: %s", sqlite3_errmsg(store->db));
    return 0;
}

void store_rollback(struct store *store)
{
    close_slot(store);
    /* After some errors SQLite has rolled back by itself, and this one fails: all the same. */
    sqlite3_step(store->query[ROLLBACK]);
    sqlite3_reset(store->query[ROLLBACK]);
    store->slots = store->slots_before;
    store->entries = store->entries_before;
}

int store_meta_read(struct store *store, enum meta meta, void *ret_value, size_t size)
{
    sqlite3_bind_int(store->query[READ_META], 1, meta);
    int rc = read_blob(store, READ_META, "read meta", ret_value, size);
    return rc == MK_ENOTFOUND ? fail(MK_ESTORE, "munkeyd.db lacks row %d of meta", meta)
                              : rc;
}

int store_meta_write(struct store *store, enum meta meta, const void *value, size_t size)
{
    sqlite3_blob *blob = NULL;
    int rc = 0;
    if (sqlite3_blob_open(store->db, "main", "meta", "value", meta, 1, &blob) !=
            SQLITE_OK ||
        (size_t)sqlite3_blob_bytes(blob) != size ||
        sqlite3_blob_write(blob, value, (int)size, 0) != SQLITE_OK)
        rc = broken(store, "write meta");
    sqlite3_blob_close(blob);
    return rc;
}

uint64_t store_slots(const struct store *store)
{
    return store->slots;
}

int store_slots_grow(struct store *store, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        sqlite3_bind_int64(store->query[GROW_SLOTS], 1,
                           (sqlite3_int64)(store->slots + 1));
        sqlite3_bind_int(store->query[GROW_SLOTS], 2, (int)store->slot_size);
        int rc = run(store, GROW_SLOTS, "add a slot");
        if (rc < 0)
            return rc;
        store->slots++;
    }
    return 0;
}

int store_slot_read(struct store *store, uint64_t id, uint8_t *ret_body)
{
    sqlite3_bind_int64(store->query[READ_SLOT], 1, (sqlite3_int64)id);
    int rc = read_blob(store, READ_SLOT, "read a slot", ret_body, store->slot_size);
    return rc == MK_ENOTFOUND
               ? fail(MK_ESTORE, "there is no slot %llu", (unsigned long long)id)
               : rc;
}

int store_slot_write(struct store *store, uint64_t id, const uint8_t *body)
{
    sqlite3_int64 row = (sqlite3_int64)id;
    int opened = store->slot ? sqlite3_blob_reopen(store->slot, row)
                             : sqlite3_blob_open(store->db, "main", "slot", "body", row,
                                                 1, &store->slot);
    if (opened != SQLITE_OK || sqlite3_blob_bytes(store->slot) != (int)store->slot_size ||
        sqlite3_blob_write(store->slot, body, (int)store->slot_size, 0) != SQLITE_OK)
        return broken(store, "write a slot");
    return 0;
}

int store_slots_scan(struct store *store, slot_visit *visit, void *context)
{
    sqlite3_stmt *stmt = store->query[SCAN_SLOTS];
    int rc = 0, step = SQLITE_DONE;
    while (rc == 0 && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (sqlite3_column_bytes(stmt, 1) != (int)store->slot_size)
            rc =
                fail(MK_EREFUSED, "a slot of munkeyd.db has another size than meta says");
        else
            rc = visit(context, (uint64_t)sqlite3_column_int64(stmt, 0),
                       sqlite3_column_blob(stmt, 1));
    }
    if (rc == 0 && step != SQLITE_DONE)
        rc = broken(store, "read its slots");
    sqlite3_reset(stmt);
    return rc;
}

uint64_t store_entries(const struct store *store)
{
    return store->entries;
}

int store_entry_add(struct store *store, struct bytes entry, const char *kid,
                    const uint8_t *signature)
{
    sqlite3_stmt *stmt = store->query[ADD_ENTRY];
    sqlite3_bind_int64(stmt, 1, (sqlite3_int64)store->entries);
    sqlite3_bind_blob(stmt, 2, entry.data, (int)entry.len, SQLITE_STATIC);
    if (kid) {
        sqlite3_bind_text(stmt, 3, kid, -1, SQLITE_STATIC);
        sqlite3_bind_blob(stmt, 4, signature, SIGNATURE_SIZE, SQLITE_STATIC);
    }
    int rc = run(store, ADD_ENTRY, "add a log entry");
    if (rc == 0)
        store->entries++;
    return rc;
}

/* Fills row from the columns of READ_ENTRY. */
static int take_entry(struct store *store, struct entry_row *ret_row)
{
    sqlite3_stmt *stmt = store->query[READ_ENTRY];
    struct entry_row row = {.len = (size_t)sqlite3_column_bytes(stmt, 0)};
    const void *bytes = sqlite3_column_blob(stmt, 0);
    if (sqlite3_column_type(stmt, 1) != SQLITE_NULL) {
        snprintf(row.kid, sizeof row.kid, "%s",
                 (const char *)sqlite3_column_text(stmt, 1));
        int rc = column(store, READ_ENTRY, 2, row.signature, sizeof row.signature);
        if (rc < 0)
            return rc;
    }
    if (!bytes || !(row.bytes = malloc(row.len + 1)))
        return fail(MK_ENOMEM, "no memory for a log entry");
    memcpy(row.bytes, bytes, row.len);
    row.bytes[row.len] = 0;
    *ret_row = row;
    return 0;
}

int store_entry_read(struct store *store, uint64_t n, struct entry_row *ret_row)
{
    sqlite3_bind_int64(store->query[READ_ENTRY], 1, (sqlite3_int64)n);
    int rc = one_row(store, READ_ENTRY, "read a log entry");
    if (rc == MK_ENOTFOUND)
        return fail(rc, "the log has no entry %llu", (unsigned long long)n);
    if (rc < 0)
        return rc;
    rc = take_entry(store, ret_row);
    done(store, READ_ENTRY);
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
    sqlite3_stmt *stmt = store->query[WRITE_NODE];
    sqlite3_bind_int(stmt, 1, (int)level);
    sqlite3_bind_int64(stmt, 2, (sqlite3_int64)index);
    sqlite3_bind_blob(stmt, 3, hash, SHA256_SIZE, SQLITE_STATIC);
    return run(store, WRITE_NODE, "write a tree node");
}

int store_node_read(struct store *store, uint32_t level, uint64_t index,
                    uint8_t ret_hash[static SHA256_SIZE])
{
    sqlite3_bind_int(store->query[READ_NODE], 1, (int)level);
    sqlite3_bind_int64(store->query[READ_NODE], 2, (sqlite3_int64)index);
    int rc = read_blob(store, READ_NODE, "read a tree node", ret_hash, SHA256_SIZE);
    return rc == MK_ENOTFOUND ? fail(MK_ESTORE, "the tree lacks node %llu of level %u",
                                     (unsigned long long)index, level)
                              : rc;
}

int store_idem_read(struct store *store, const uint8_t tag[static SHA256_SIZE],
                    struct idem_row *ret_row)
{
    sqlite3_stmt *stmt = store->query[READ_IDEM];
    sqlite3_bind_blob(stmt, 1, tag, SHA256_SIZE, SQLITE_STATIC);
    int rc = one_row(store, READ_IDEM, "look up an idempotency key");
    if (rc < 0)
        return rc;
    ret_row->n = (uint64_t)sqlite3_column_int64(stmt, 0);
    snprintf(ret_row->act, sizeof ret_row->act, "%s",
             (const char *)sqlite3_column_text(stmt, 1));
    ret_row->pepper = (uint64_t)sqlite3_column_int64(stmt, 2);
    done(store, READ_IDEM);
    return 0;
}

int store_idem_write(struct store *store, const uint8_t tag[static SHA256_SIZE],
                     const struct idem_row *row)
{
    sqlite3_stmt *stmt = store->query[WRITE_IDEM];
    sqlite3_bind_blob(stmt, 1, tag, SHA256_SIZE, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, (sqlite3_int64)row->n);
    sqlite3_bind_text(stmt, 3, row->act, -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 4, (sqlite3_int64)row->pepper);
    return run(store, WRITE_IDEM, "keep an idempotency key");
}

/* Moves every frame into the database file.  With an outside reader SQLite would leave some. */
static int checkpoint(struct store *store, int mode)
{
    int log = -1, moved = -1;
    if (sqlite3_wal_checkpoint_v2(store->db, NULL, mode, &log, &moved) != SQLITE_OK ||
        log < 0 || log != moved)
        return fail(MK_EUNKNOWN, "the WAL cannot be emptied: %s",
                    sqlite3_errmsg(store->db));
    return 0;
}

int store_empty_wal(struct store *store)
{
    int rc = checkpoint(store, SQLITE_CHECKPOINT_FULL);
    if (rc < 0)
        return rc;
    /* The WAL carries no locks: an own descriptor is safe, unlike one of the database. */
    int fd = open(store->wal, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail(MK_EUNKNOWN, "the WAL cannot be opened: %s", strerror(errno));
    if ((rc = wal_zero(fd)) == 0 &&
        (rc = checkpoint(store, SQLITE_CHECKPOINT_TRUNCATE)) == 0 &&
        /* SQLite does not sync its own truncation: after a power cut the WAL was back. */
        (fsync(fd) < 0 || fsync(store->folder) < 0))
        rc = fail(MK_EUNKNOWN, "the WAL cannot be cut: %s", strerror(errno));
    close(fd);
    store->wal_pages = 0;
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The database of a state folder: connection, transactions, meta, slots. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "storage/schema.h"
#include "storage/store_private.h"
#include "storage/wal.h"

enum { WAL_PAGES_MAX = 1000 };

/* Each brings a database to its number from the one before. */
static const char *const schemas[] = {NULL, schema_0001, schema_0002, schema_0003};
enum { SCHEMA = sizeof schemas / sizeof *schemas - 1 };

static const char *const queries[QUERIES] = {
#define QUERY_TEXT(name, text) text,
    QUERY_LIST(QUERY_TEXT)};

/* Connects to munkeyd.db, which exists. */
static int connect_store(const char *folder, struct store **ret_store)
{
    struct store *store = calloc(1, sizeof *store);
    char path[PATH_SIZE];
    int rc;
    if (!store)
        return fail(MK_ENOMEM, "no memory for the database");
    store->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->folder < 0)
        rc = fail(MK_EREFUSED, "the state folder cannot be opened: %s", strerror(errno));
    else if ((rc = disk_path(folder, "munkeyd.db", path)) == 0 &&
             (rc = disk_path(folder, "munkeyd.db-wal", store->wal)) == 0)
        rc = sql_open(path, &store->sql);
    if (rc < 0) {
        store_close(store);
        return rc;
    }
    *ret_store = store;
    return 0;
}

static int count(struct store *store, enum query query, uint64_t *ret_n)
{
    int rc = sql_row(store->sql, query, "count its rows");
    if (rc < 0)
        return rc;
    *ret_n = sql_int(store->sql, query, 0);
    sql_done(store->sql, query);
    return 0;
}

int store_read_blob(struct store *store, enum query query, const char *what, void *ret,
                    size_t size)
{
    int rc = sql_row(store->sql, query, what);
    if (rc < 0)
        return rc;
    rc = sql_copy(store->sql, query, 0, ret, size);
    sql_done(store->sql, query);
    return rc;
}

/* Not a part of the schema: without it the same is found, but slowly. */
static const char indexes[] =
    "CREATE INDEX IF NOT EXISTS request_held ON request (due) WHERE status = 'held'";

/* What an older munkeyd wrote lacks the tables that came since. */
static int migrate(struct store *store)
{
    uint8_t number[8];
    int rc;
    if ((rc = sql_prepare(store->sql, queries, READ_META, READ_META + 1)) < 0 ||
        (rc = store_meta_read(store, META_SCHEMA, number, 8)) < 0)
        return rc;
    if (number[0] > SCHEMA)
        return fail(MK_EREFUSED,
                    "munkeyd.db has schema %u, and this munkeyd knows %u: start "
                    "the munkeyd that wrote it",
                    number[0], SCHEMA);
    if (number[0] == SCHEMA)
        return 0;
    rc = sql_script(store->sql, "BEGIN IMMEDIATE");
    for (int i = number[0] + 1; rc == 0 && i <= SCHEMA; i++)
        rc = sql_script(store->sql, schemas[i]);
    return rc < 0 ? rc : sql_script(store->sql, "COMMIT");
}

static int prepare(struct store *store)
{
    uint8_t size[8];
    int rc;
    if ((rc = sql_prepare(store->sql, queries, READ_META + 1, QUERIES)) < 0 ||
        (rc = sql_script(store->sql, indexes)) < 0 ||
        (rc = count(store, COUNT_SLOTS, &store->slots)) < 0 ||
        (rc = count(store, COUNT_ENTRIES, &store->entries)) < 0 ||
        (rc = count(store, COUNT_CALLBACKS, &store->callbacks)) < 0 ||
        (rc = store_meta_read(store, META_SLOT_SIZE, size, 8)) < 0)
        return rc;
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
    /* The first begins a transaction, which is committed here. */
    for (int i = 1; rc == 0 && i <= SCHEMA; i++)
        rc = sql_script(store->sql, schemas[i]);
    if (rc == 0 && (rc = migrate(store)) == 0 && (rc = prepare(store)) == 0 &&
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

int store_open(const char *folder, struct store **ret_store)
{
    struct store *store = NULL;
    char path[PATH_SIZE];
    int rc = disk_path(folder, "munkeyd.db", path);
    if (rc == 0 && access(path, F_OK) < 0)
        rc = fail(MK_ENOTFOUND, "there is no munkeyd.db");
    if (rc < 0 || (rc = connect_store(folder, &store)) < 0)
        return rc;
    if (!sql_is_sound(store->sql))
        rc = fail(MK_EREFUSED,
                  "the database is damaged: run munkeyctl restore with a backup");
    else if (sql_is_blank(store->sql))
        /* A crash came between making the file and the schema's commit. */
        rc = fail(MK_ENOTFOUND, "munkeyd.db is empty");
    else if ((rc = migrate(store)) == 0)
        rc = prepare(store);
    if (rc < 0) {
        store_leave(store);
        return rc;
    }
    *ret_store = store;
    return 0;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    sql_close(store->sql);
    if (store->folder >= 0)
        close(store->folder);
    free(store);
}

/* An empty WAL is the one that opening it has made. */
void store_leave(struct store *store)
{
    struct stat wal;
    if (store && stat(store->wal, &wal) == 0 && wal.st_size > 0)
        sql_keep_wal(store->sql);
    store_close(store);
}

uint32_t store_slot_size(const struct store *store)
{
    return store->slot_size;
}

int store_begin(struct store *store)
{
    store->slots_before = store->slots;
    store->entries_before = store->entries;
    store->callbacks_before = store->callbacks;
    return sql_run(store->sql, BEGIN, "begin");
}

int store_commit(struct store *store)
{
    /* An open blob for writing would make COMMIT busy. */
    sql_release(store->sql);
    if (sql_run(store->sql, COMMIT, "commit") < 0)
        return MK_EUNKNOWN;
    /* Autocheckpoint is off, so that nothing but this and store_empty_wal() moves pages. */
    return sql_wal_pages(store->sql) > WAL_PAGES_MAX
               ? sql_checkpoint(store->sql, SQL_PASSIVE)
               : 0;
}

void store_rollback(struct store *store)
{
    sql_release(store->sql);
    /* After some errors SQLite has rolled back by itself, and this fails: all the same. */
    sql_try(store->sql, ROLLBACK);
    store->slots = store->slots_before;
    store->entries = store->entries_before;
    store->callbacks = store->callbacks_before;
}

int store_meta_read(struct store *store, enum meta meta, void *ret_value, size_t size)
{
    sql_bind_int(store->sql, READ_META, 1, meta);
    int rc = store_read_blob(store, READ_META, "read meta", ret_value, size);
    return rc == MK_ENOTFOUND ? fail(MK_ESTORE, "munkeyd.db lacks row %d of meta", meta)
                              : rc;
}

int store_meta_write(struct store *store, enum meta meta, const void *value, size_t size)
{
    return sql_overwrite(store->sql, "meta", "value", meta, value, size);
}

uint64_t store_slots(const struct store *store)
{
    return store->slots;
}

int store_slots_grow(struct store *store, uint64_t n)
{
    int rc = 0;
    for (uint64_t i = 0; rc == 0 && i < n; i++) {
        sql_bind_int(store->sql, GROW_SLOTS, 1, store->slots + 1);
        sql_bind_int(store->sql, GROW_SLOTS, 2, store->slot_size);
        if ((rc = sql_run(store->sql, GROW_SLOTS, "add a slot")) == 0)
            store->slots++;
    }
    return rc;
}

int store_slot_read(struct store *store, uint64_t id, uint8_t *ret_body)
{
    sql_bind_int(store->sql, READ_SLOT, 1, id);
    int rc = store_read_blob(store, READ_SLOT, "read a slot", ret_body, store->slot_size);
    return rc == MK_ENOTFOUND
               ? fail(MK_ESTORE, "there is no slot %llu", (unsigned long long)id)
               : rc;
}

int store_slot_write(struct store *store, uint64_t id, const uint8_t *body)
{
    return sql_overwrite(store->sql, "slot", "body", id, body, store->slot_size);
}

void store_refresh(struct store *store)
{
    sql_forget(store->sql);
}

/* The row that SCAN_SLOTS stands at. */
static int visit_slot(struct store *store, slot_visit *visit, void *context)
{
    struct bytes body = sql_bytes(store->sql, SCAN_SLOTS, 1);
    if (body.len != store->slot_size)
        return fail(MK_EREFUSED, "a slot of munkeyd.db has another size than meta says");
    return visit(context, sql_int(store->sql, SCAN_SLOTS, 0), body.data);
}

int store_slots_scan(struct store *store, slot_visit *visit, void *context)
{
    int rc = 0, more = 0;
    while (rc == 0 && (more = sql_row(store->sql, SCAN_SLOTS, "read its slots")) == 0)
        rc = visit_slot(store, visit, context);
    sql_done(store->sql, SCAN_SLOTS);
    return more < 0 && more != MK_ENOTFOUND ? more : rc;
}

int store_backup(struct store *store, const char *path, struct sql_backup **ret_backup)
{
    return sql_backup_open(store->sql, path, ret_backup);
}

int store_empty_wal(struct store *store)
{
    int rc = sql_checkpoint(store->sql, SQL_FULL);
    if (rc < 0)
        return rc;
    /* The WAL carries no locks: an own descriptor is safe, unlike one of the database. */
    int fd = open(store->wal, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail(MK_EUNKNOWN, "the WAL cannot be opened: %s", strerror(errno));
    if ((rc = wal_zero(fd)) == 0 && (rc = sql_checkpoint(store->sql, SQL_CUT)) == 0 &&
        /* SQLite does not sync its own truncation: after a power cut the WAL was back. */
        (fsync(fd) < 0 || fsync(store->folder) < 0))
        rc = fail(MK_EUNKNOWN, "the WAL cannot be cut: %s", strerror(errno));
    close(fd);
    return rc;
}

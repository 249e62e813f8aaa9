/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite, set up so that what is overwritten is gone: every setting is read back. */
#include "storage/sql.h"

#include <assert.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/zeroing.h"

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

struct sql {
    sqlite3 *db;
    sqlite3_stmt *query[SQL_QUERIES_MAX];
    sqlite3_blob *blob; /* open for writing, or NULL */
    char table[16];     /* that it is of */
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

static int broken(struct sql *sql, const char *what)
{
    return fail(MK_ESTORE, "the database failed to %s: %s", what,
                sqlite3_errmsg(sql->db));
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

static int cannot_open(sqlite3 *db)
{
    return fail(MK_EREFUSED,
                "the database cannot be opened (%s): run munkeyctl restore with a backup",
                db ? sqlite3_errmsg(db) : "out of memory");
}

static int set_pragma(sqlite3 *db, size_t i)
{
    char text[96];
    snprintf(text, sizeof text, "PRAGMA %s=%s", pragmas[i].name, pragmas[i].value);
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        return cannot_open(db);
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

static int note_wal_pages(void *sql, sqlite3 *db, const char *name, int pages)
{
    (void)db, (void)name;
    ((struct sql *)sql)->wal_pages = pages;
    return SQLITE_OK;
}

static int harden(struct sql *sql)
{
    sqlite3 *db = sql->db;
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
    sqlite3_wal_hook(db, note_wal_pages, sql);
    return 0;
}

int sql_open(const char *path, struct sql **ret_sql)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
    pthread_once(&once, configure);
    if (configured != SQLITE_OK)
        return fail(MK_EREFUSED,
                    "SQLite was used before its memory could be made to zero");
    struct sql *sql = calloc(1, sizeof *sql);
    if (!sql)
        return fail(MK_ENOMEM, "no memory for the database");
    int rc = sqlite3_open_v2(path, &sql->db, flags, NULL) == SQLITE_OK
                 ? harden(sql)
                 : cannot_open(sql->db);
    if (rc < 0) {
        sql_close(sql);
        return rc;
    }
    *ret_sql = sql;
    return 0;
}

void sql_close(struct sql *sql)
{
    if (!sql)
        return;
    sql_release(sql);
    for (int i = 0; i < SQL_QUERIES_MAX; i++)
        sqlite3_finalize(sql->query[i]);
    sqlite3_close(sql->db);
    free(sql);
}

void sql_keep_wal(struct sql *sql)
{
    set_config(sql->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1);
}

bool sql_is_blank(struct sql *sql)
{
    return answers(sql->db, "SELECT 1 FROM sqlite_schema", NULL);
}

bool sql_is_sound(struct sql *sql)
{
    return answers(sql->db, "PRAGMA quick_check(1)", "ok");
}

int sql_script(struct sql *sql, const char *script)
{
    if (sqlite3_exec(sql->db, script, NULL, NULL, NULL) != SQLITE_OK)
        return broken(sql, "run a script");
    return 0;
}

int sql_prepare(struct sql *sql, const char *const *queries, int begin, int end)
{
    assert(end <= SQL_QUERIES_MAX);
    for (int i = begin; i < end; i++)
        if (sqlite3_prepare_v3(sql->db, queries[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &sql->query[i], NULL) != SQLITE_OK)
            return fail(MK_EREFUSED, "munkeyd.db is not a database of munkeyd: %s",
                        sqlite3_errmsg(sql->db));
    return 0;
}

/* Bindings of numbers and borrowed bytes cannot fail. */

void sql_bind_int(struct sql *sql, int query, int i, uint64_t value)
{
    sqlite3_bind_int64(sql->query[query], i, (sqlite3_int64)value);
}

void sql_bind_bytes(struct sql *sql, int query, int i, struct bytes value)
{
    sqlite3_bind_blob(sql->query[query], i, value.data, (int)value.len, SQLITE_STATIC);
}

void sql_bind_text(struct sql *sql, int query, int i, const char *value)
{
    sqlite3_bind_text(sql->query[query], i, value, -1, SQLITE_STATIC);
}

int sql_run(struct sql *sql, int query, const char *what)
{
    int rc = sqlite3_step(sql->query[query]) == SQLITE_DONE ? 0 : broken(sql, what);
    sql_done(sql, query);
    return rc;
}

void sql_try(struct sql *sql, int query)
{
    sqlite3_step(sql->query[query]);
    sql_done(sql, query);
}

int sql_row(struct sql *sql, int query, const char *what)
{
    int step = sqlite3_step(sql->query[query]);
    if (step == SQLITE_ROW)
        return 0;
    int rc = step == SQLITE_DONE ? MK_ENOTFOUND : broken(sql, what);
    sql_done(sql, query);
    return rc;
}

uint64_t sql_int(struct sql *sql, int query, int column)
{
    return (uint64_t)sqlite3_column_int64(sql->query[query], column);
}

const char *sql_text(struct sql *sql, int query, int column)
{
    return (const char *)sqlite3_column_text(sql->query[query], column);
}

struct bytes sql_bytes(struct sql *sql, int query, int column)
{
    const void *data = sqlite3_column_blob(sql->query[query], column);
    return (struct bytes){data, (size_t)sqlite3_column_bytes(sql->query[query], column)};
}

int sql_copy(struct sql *sql, int query, int column, void *ret, size_t size)
{
    struct bytes value = sql_bytes(sql, query, column);
    if (!value.data || value.len != size)
        return fail(MK_ESTORE, "the database holds a value of another size than %zu",
                    size);
    memcpy(ret, value.data, size);
    return 0;
}

void sql_done(struct sql *sql, int query)
{
    sqlite3_reset(sql->query[query]);
    sqlite3_clear_bindings(sql->query[query]);
}

/* Moves the open handle to another row of its table, or opens one. */
static int open_blob(struct sql *sql, const char *table, const char *column, uint64_t row)
{
    if (sql->blob && !strcmp(sql->table, table))
        return sqlite3_blob_reopen(sql->blob, (sqlite3_int64)row);
    sql_release(sql);
    snprintf(sql->table, sizeof sql->table, "%s", table);
    return sqlite3_blob_open(sql->db, "main", table, column, (sqlite3_int64)row, 1,
                             &sql->blob);
}

int sql_overwrite(struct sql *sql, const char *table, const char *column, uint64_t row,
                  const void *value, size_t size)
{
    if (open_blob(sql, table, column, row) != SQLITE_OK ||
        (size_t)sqlite3_blob_bytes(sql->blob) != size ||
        sqlite3_blob_write(sql->blob, value, (int)size, 0) != SQLITE_OK)
        return broken(sql, "overwrite a value in place");
    return 0;
}

void sql_release(struct sql *sql)
{
    sqlite3_blob_close(sql->blob);
    sql->blob = NULL;
}

void sql_forget(struct sql *sql)
{
    sqlite3_db_release_memory(sql->db);
}

int sql_wal_pages(const struct sql *sql)
{
    return sql->wal_pages;
}

int sql_checkpoint(struct sql *sql, enum sql_checkpoint how)
{
    static const int modes[] = {SQLITE_CHECKPOINT_PASSIVE, SQLITE_CHECKPOINT_FULL,
                                SQLITE_CHECKPOINT_TRUNCATE};
    int log = -1, moved = -1;
    int rc = sqlite3_wal_checkpoint_v2(sql->db, NULL, modes[how], &log, &moved);
    /* With an outside reader SQLite would leave some frames where they are. */
    if (rc != SQLITE_OK || (how != SQL_PASSIVE && (log < 0 || log != moved)))
        return fail(MK_EUNKNOWN, "the WAL cannot be moved into the database: %s",
                    sqlite3_errmsg(sql->db));
    if (how == SQL_CUT)
        sql->wal_pages = 0;
    return 0;
}

struct sql_backup {
    sqlite3 *copy;
    sqlite3_backup *pages; /* between sql and copy */
};

static int copy_failed(const struct sql_backup *backup)
{
    return fail(MK_EIO, "the copy cannot be written: %s",
                backup->copy ? sqlite3_errmsg(backup->copy) : "out of memory");
}

/* Its caller syncs it, and removes what is half made: no journal is needed.  EXCLUSIVE as above. */
static int open_copy(struct sql *sql, const char *path, struct sql_backup *backup)
{
    static const char settings[] =
        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=OFF;"
        "PRAGMA journal_mode=OFF; PRAGMA temp_store=MEMORY";
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &backup->copy, flags, NULL) != SQLITE_OK ||
        sqlite3_exec(backup->copy, settings, NULL, NULL, NULL) != SQLITE_OK)
        return copy_failed(backup);
    backup->pages = sqlite3_backup_init(backup->copy, "main", sql->db, "main");
    return backup->pages ? 0 : copy_failed(backup);
}

int sql_backup_open(struct sql *sql, const char *path, struct sql_backup **ret_backup)
{
    struct sql_backup *backup = calloc(1, sizeof *backup);
    if (!backup)
        return fail(MK_ENOMEM, "no memory for a backup");
    int rc = open_copy(sql, path, backup);
    if (rc < 0) {
        sql_backup_close(backup);
        return rc;
    }
    *ret_backup = backup;
    return 0;
}

/* The copy says of itself that it has a WAL, as the original does. */
static int end_copy(struct sql_backup *backup)
{
    int rc = sqlite3_backup_finish(backup->pages);
    backup->pages = NULL;
    if (rc != SQLITE_OK || !answers(backup->copy, "PRAGMA journal_mode=DELETE", "delete"))
        return copy_failed(backup);
    return 0;
}

int sql_backup_step(struct sql_backup *backup, int pages)
{
    int step = sqlite3_backup_step(backup->pages, pages);
    if (step == SQLITE_OK)
        return 1;
    return step == SQLITE_DONE
               ? end_copy(backup)
               : fail(MK_EIO, "the copy cannot be written: %s", sqlite3_errstr(step));
}

void sql_backup_close(struct sql_backup *backup)
{
    if (!backup)
        return;
    sqlite3_backup_finish(backup->pages);
    sqlite3_close(backup->copy);
    free(backup);
}

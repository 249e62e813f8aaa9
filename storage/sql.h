/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite, as much of it as munkeyd uses; nothing else includes sqlite3.h.
 *
 *     sql_open(path, &sql);                        every setting read back
 *     sql_prepare(sql, queries, 0, n);
 *     sql_bind_int(sql, READ_SLOT, 1, id);
 *     rc = sql_row(sql, READ_SLOT, "read a slot");  MK_ENOTFOUND: there is none
 *     sql_copy(sql, READ_SLOT, 0, body, size);
 *     sql_done(sql, READ_SLOT);
 *
 * Queries are numbers, as in the caller's enum.  One connection, one thread at a time.  Its
 * memory is zeroed when it is freed (storage/zeroing.h).
 */
#ifndef MUNKEY_STORAGE_SQL_H
#define MUNKEY_STORAGE_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/crypto.h"

struct sql; /* opaque: only sql.c knows the connection */

enum { SQL_QUERIES_MAX = 32 };

/* The database at path, which exists, without symbolic links.  MK_EREFUSED when SQLite does
 * not accept a setting. */
int sql_open(const char *path, struct sql **ret_sql);
void sql_close(struct sql *sql);

/* From here on closing it leaves the WAL as it is. */
void sql_keep_wal(struct sql *sql);

bool sql_is_blank(struct sql *sql); /* no schema at all */
bool sql_is_sound(struct sql *sql); /* PRAGMA quick_check */

/* Runs a script, such as the schema.  MK_ESTORE. */
int sql_script(struct sql *sql, const char *script);

/* Query i is queries[i], for i from begin to end - 1.  MK_EREFUSED when the database does not have
 * their tables. */
int sql_prepare(struct sql *sql, const char *const *queries, int begin, int end);

/* Parameters count from 1.  Bytes and text are borrowed until the query is run or done. */
void sql_bind_int(struct sql *sql, int query, int i, uint64_t value);
void sql_bind_bytes(struct sql *sql, int query, int i, struct bytes value);
void sql_bind_text(struct sql *sql, int query, int i, const char *value);

/* Runs a query that returns no row.  what completes "the database failed to". */
int sql_run(struct sql *sql, int query, const char *what);
void sql_try(struct sql *sql, int query); /* its failure means nothing, and is not told */

/* Steps to the next row, whose columns count from 0: MK_ENOTFOUND when there is none (and then
 * the query is done), MK_ESTORE. */
int sql_row(struct sql *sql, int query, const char *what);
uint64_t sql_int(struct sql *sql, int query, int column);
const char *sql_text(struct sql *sql, int query, int column);   /* NULL for NULL */
struct bytes sql_bytes(struct sql *sql, int query, int column); /* until the next row */
int sql_copy(struct sql *sql, int query, int column, void *ret, size_t size); /* whole */
void sql_done(struct sql *sql, int query);

/* Overwrites a whole BLOB of exactly size bytes in place.  The handle of the last table is kept
 * open for the next row: sql_release() before a commit.  MK_ESTORE. */
int sql_overwrite(struct sql *sql, const char *table, const char *column, uint64_t row,
                  const void *value, size_t size);
void sql_release(struct sql *sql);

/* Drops the pages that are cached: what is read next comes from the files. */
void sql_forget(struct sql *sql);

/* Pages in the write-ahead log at the last commit. */
int sql_wal_pages(const struct sql *sql);

/* Moves the write-ahead log into the database: what it can, or all of it (and with cut, cuts
 * the file).  MK_EUNKNOWN. */
enum sql_checkpoint { SQL_PASSIVE, SQL_FULL, SQL_CUT };
int sql_checkpoint(struct sql *sql, enum sql_checkpoint how);

/* A copy of the database, made a few pages at a time while sql goes on changing it: what it writes
 * to pages that were copied already goes into the copy too.  path names an empty file.
 *
 *     rc = sql_backup_open(sql, path, &backup);
 *     while (rc >= 0 && (rc = sql_backup_step(backup, 64)) == 1)
 *         ... others may use sql ...
 *     sql_backup_close(backup);
 *
 * Used by whoever may use sql.  Nothing of it is synced.  Step: 1 while there is more, 0 when the
 * copy is whole and has no journal beside it.  MK_EIO. */
struct sql_backup;
int sql_backup_open(struct sql *sql, const char *path, struct sql_backup **ret_backup);
int sql_backup_step(struct sql_backup *backup, int pages);
void sql_backup_close(struct sql_backup *backup);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Zeroing SQLite's write-ahead log, whose frames hold what was overwritten in the database. */
#ifndef MUNKEY_STORAGE_WAL_H
#define MUNKEY_STORAGE_WAL_H

/* Zeroes the header, syncs, zeroes the rest, syncs.  Every frame must be in the database file
 * already.  fd stays open.  MK_EUNKNOWN when it fails. */
int wal_zero(int fd);

#endif

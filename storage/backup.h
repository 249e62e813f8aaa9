/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of the database, made while the service goes on.
 *
 *     rc = state_backup(state, "/var/backups/monday.db", give_way, lanes);
 *
 * It is of no use without keys/ and log/ of the state folder: what it holds of people who are
 * erased afterwards is unreadable from then on (storage/restore.h).
 */
#ifndef MUNKEY_STORAGE_BACKUP_H
#define MUNKEY_STORAGE_BACKUP_H

#include "storage/state.h"

/* path is absolute, and nothing has that name.  The state's mutex is held for a few pages at a
 * time; between() is called without it, so that whoever waits for it can have it; NULL: nobody
 * does.  The file appears when it is whole and durable.  MK_ECONFLICT when it is there already,
 * MK_EINPUT, MK_EUNPROCESSABLE when it cannot be written. */
int state_backup(struct state *state, const char *path, void (*between)(void *context),
                 void *context);

#endif

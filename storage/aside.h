/* SPDX-License-Identifier: Apache-2.0 */
/* The two other places of a database in a state folder: `restore/`, where a restore makes one
 * ready, and `aside/`, where it puts the one that it replaces.
 *
 *     aside_draft(state, file, folder);       file, and the WAL beside it, are copied there
 *     ... the database in folder is made ready, and closed ...
 *     aside_swap(state);
 *     ... it is compared and completed as at a start, which ends with ...
 *     aside_sweep(state);                     overwritten with zeros, and gone
 *
 * Until the swap the state folder is as it was, but that reading the database in place for its
 * callbacks (storage/carry.h) may have moved its WAL into it.  In the middle of the swap munkeyd.db is
 * missing, and starts are refused; never does a database lie beside the WAL of another one.
 */
#ifndef MUNKEY_STORAGE_ASIDE_H
#define MUNKEY_STORAGE_ASIDE_H

#include "storage/state_private.h"

/* Copies file to restore/munkeyd.db.  MK_EREFUSED when it cannot be read; MK_EIO. */
int aside_draft(struct state *state, const char *file, char ret_folder[static PATH_SIZE]);

/* Moves munkeyd.db and its WAL to aside/, and restore/munkeyd.db into their place.  MK_EIO. */
int aside_swap(struct state *state);

/* Destroys what is in both places, for when nobody needs it any more.  MK_EIO. */
int aside_sweep(struct state *state);
int aside_sweep_draft(struct state *state); /* only restore/ */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A request for erasure by its name: when it came, when it is due, what became of it.  A row in the
 * database, which does not say whom it is about.
 *
 *     rc = request_find(&petition, regime, received, &row);     new, or held until now
 *     row.erased = true;
 *     row.n = index;
 *     rc = request_keep(&petition, now, &row);                  in the erasure's transaction
 *
 *     rc = request_read(state, "a-name", &row);            for whoever asks
 */
#ifndef MUNKEY_STORAGE_REQUEST_H
#define MUNKEY_STORAGE_REQUEST_H

#include "storage/petition.h"

enum { REQUEST_DAYS = 400 }; /* a row is kept for so long after its last answer */

/* The times of a request that has no answer yet: those given, or of when it was first sent and held.
 * MK_EUNPROCESSABLE: that was about another subject. */
int request_find(struct petition *petition, const struct regime *regime, int64_t received,
                 struct request_row *ret_row);

/* Writes what became of it.  held: the petition is sealed. */
int request_keep(const struct petition *petition, int64_t now, struct request_row *row);

/* Of a request that was answered before.  MK_ENOTFOUND when no row of it is left. */
int request_times(const struct petition *petition, struct request_row *ret_row);

/* Deletes the rows whose time is over; in a transaction. */
int request_expire(struct state *state, int64_t now);

/* Takes the mutex.  MK_ENOTFOUND: never seen, or too long ago. */
int request_read(struct state *state, const char *name, struct request_row *ret_row);

/* Those that are held, soonest due first, at most max: their times and regulation alone.  Takes the
 * mutex. */
int requests_held(struct state *state, size_t max, struct request_row *ret_rows,
                  size_t *ret_n, uint64_t *ret_total);

#endif

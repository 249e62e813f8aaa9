/* SPDX-License-Identifier: Apache-2.0 */
/* Callbacks that wait: written in the transaction of the erasure that they tell of, so that no crash
 * loses one, and overwritten when they were delivered or given up, so that nothing of them stays.
 *
 *     callbacks_watch(state, wake, context);
 *     for (row = 0; callback_next(state, row + 1, &row) == 0;)
 *         if ((rc = callback_read(state, row, &callback, &receipt)) == 0)
 *             ... send ...
 *     rc = callbacks_settle(state, rows, n);               MK_EUNKNOWN: abort and start again
 *
 * A row that is read is one whose erasure is done, with its checkpoint: never one that a crash might
 * undo.  Rows count from 1.
 */
#ifndef MUNKEY_STORAGE_CALLBACK_H
#define MUNKEY_STORAGE_CALLBACK_H

#include "storage/callback_row.h"

enum {
    CALLBACKS_EACH = 4,       /* of one request */
    CALLBACKS_MAX = 100000,   /* that wait */
    CALLBACKS_AT_ONCE = 1000, /* that are settled */
};

/* Called whenever there are new ones, by the thread that made them: it only wakes another.  NULL:
 * nobody is. */
void callbacks_watch(struct state *state, void (*wake)(void *context), void *context);

/* The first row in use from that one on.  MK_ENOTFOUND. */
int callback_next(struct state *state, uint64_t from, uint64_t *ret_row);

/* With the receipt of its log entry, which the caller frees.  MK_ESTORE. */
int callback_read(struct state *state, uint64_t row, struct callback *ret_callback,
                  char **ret_receipt);

/* Zeroes rows, at most CALLBACKS_AT_ONCE, on the disk and in the WAL.  MK_ESTORE: nothing happened. */
int callbacks_settle(struct state *state, const uint64_t *rows, size_t n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Callbacks that wait, and which rows they are in. */
#include "storage/callback.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/state_private.h"

/* Room for so many rows, without a gap. */
static int reserve(struct callbacks *callbacks, uint64_t rows)
{
    if (rows <= callbacks->room)
        return 0;
    uint64_t room = rows > 2 * callbacks->room ? rows : 2 * callbacks->room;
    bool *waits = realloc(callbacks->waits, room * sizeof *waits);
    if (!waits)
        return fail(MK_ENOMEM, "no memory for a list of callbacks");
    memset(waits + callbacks->room, 0, (room - callbacks->room) * sizeof *waits);
    callbacks->waits = waits;
    callbacks->room = room;
    return 0;
}

/* Whether its erasure is in the log no more: a restore carries rows over from a database that may
 * have been cut off before it told the ledger. */
static bool is_undone(struct state *state, uint64_t row, const uint8_t *body)
{
    struct callback callback;
    struct entry_row entry;
    bool undone = false;
    if (callback_row_open(state->callbacks.key, row, body, &callback) == 0) {
        undone = callback.n >= store_entries(state->store);
        if (!undone && store_entry_read(state->store, callback.n, &entry) == 0) {
            undone = !*entry.kid;
            entry_row_done(&entry);
        }
    }
    crypto_wipe(&callback, sizeof callback);
    return undone;
}

/* What one row says: whether it waits.  One that tells of nothing is overwritten. */
static int open_row(struct state *state, uint64_t row, bool *ret_waits)
{
    static const uint8_t zeros[STORE_CALLBACK_SIZE];
    uint8_t body[STORE_CALLBACK_SIZE];
    int rc = store_callback_read(state->store, row, body);
    if (rc < 0)
        return rc;
    *ret_waits = !callback_row_is_free(body);
    if (!*ret_waits || !is_undone(state, row, body))
        return 0;
    *ret_waits = false;
    return store_callback_write(state->store, row, zeros);
}

int callbacks_open(struct state *state)
{
    struct callbacks *callbacks = &state->callbacks;
    uint64_t rows = store_callbacks(state->store);
    int rc = reserve(callbacks, rows);
    if (rc < 0 || (rc = store_begin(state->store)) < 0)
        return rc;
    for (uint64_t row = 1; rc == 0 && row <= rows; row++) {
        rc = open_row(state, row, &callbacks->waits[row - 1]);
        callbacks->n += callbacks->waits[row - 1];
    }
    if (rc == 0)
        return store_commit(state->store);
    store_rollback(state->store);
    return rc;
}

void callbacks_done(struct callbacks *callbacks)
{
    free(callbacks->waits);
    crypto_wipe(callbacks, sizeof *callbacks);
}

int callbacks_check_room(const struct state *state, size_t n)
{
    return n == 0 || state->callbacks.n + n <= CALLBACKS_MAX
               ? 0
               : fail(MK_EBUSY,
                      "%d callbacks wait for their receivers already: send this again "
                      "later, or without `callback_urls`",
                      CALLBACKS_MAX);
}

/* A row that is free, were it a new one. */
static int take_row(struct state *state, uint64_t *ret_row)
{
    struct callbacks *callbacks = &state->callbacks;
    uint64_t rows = store_callbacks(state->store);
    const bool *found =
        callbacks->n < rows ? memchr(callbacks->waits, false, rows) : NULL;
    uint64_t row = found ? (uint64_t)(found - callbacks->waits) + 1 : rows + 1;
    int rc = found ? 0 : reserve(callbacks, row);
    if (rc < 0 || (!found && (rc = store_callbacks_grow(state->store, 1)) < 0))
        return rc;
    callbacks->waits[row - 1] = true;
    callbacks->n++;
    *ret_row = row;
    return 0;
}

int callback_add(struct state *state, const struct callback *callback, uint64_t *ret_row)
{
    uint8_t body[STORE_CALLBACK_SIZE];
    uint64_t row;
    int rc = take_row(state, &row);
    if (rc < 0)
        return rc;
    callback_row_seal(state->callbacks.key, row, callback, body);
    if ((rc = store_callback_write(state->store, row, body)) < 0) {
        callback_give_back(state, row);
        return rc;
    }
    *ret_row = row;
    return 0;
}

void callback_give_back(struct state *state, uint64_t row)
{
    state->callbacks.waits[row - 1] = false;
    state->callbacks.n--;
}

void callbacks_wake(const struct state *state)
{
    if (state->callbacks.wake)
        state->callbacks.wake(state->callbacks.context);
}

void callbacks_watch(struct state *state, void (*wake)(void *context), void *context)
{
    pthread_mutex_lock(&state->mutex);
    state->callbacks.wake = wake;
    state->callbacks.context = context;
    pthread_mutex_unlock(&state->mutex);
}

int callback_next(struct state *state, uint64_t from, uint64_t *ret_row)
{
    const struct callbacks *callbacks = &state->callbacks;
    pthread_mutex_lock(&state->mutex);
    const bool *found =
        from <= callbacks->room
            ? memchr(callbacks->waits + from - 1, true, callbacks->room - (from - 1))
            : NULL;
    if (found)
        *ret_row = (uint64_t)(found - callbacks->waits) + 1;
    pthread_mutex_unlock(&state->mutex);
    return found ? 0 : MK_ENOTFOUND;
}

static int read_receipt(struct state *state, uint64_t n, char **ret_receipt)
{
    struct entry_row row;
    int rc = store_entry_read(state->store, n, &row);
    if (rc < 0)
        return rc;
    rc = receipt_write(row.kid, row.bytes, row.len, row.signature, ret_receipt);
    entry_row_done(&row);
    return rc;
}

int callback_read(struct state *state, uint64_t row, struct callback *ret_callback,
                  char **ret_receipt)
{
    uint8_t body[STORE_CALLBACK_SIZE];
    struct callback callback;
    pthread_mutex_lock(&state->mutex);
    int rc = store_callback_read(state->store, row, body);
    if (rc == 0 &&
        (rc = callback_row_open(state->callbacks.key, row, body, &callback)) == 0)
        rc = read_receipt(state, callback.n, ret_receipt);
    pthread_mutex_unlock(&state->mutex);
    if (rc == 0)
        *ret_callback = callback;
    crypto_wipe(&callback, sizeof callback);
    return rc;
}

static int zero_rows(struct state *state, const uint64_t *rows, size_t n)
{
    static const uint8_t zeros[STORE_CALLBACK_SIZE];
    int rc = state_usable(state);
    if (rc < 0 || (rc = store_begin(state->store)) < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = store_callback_write(state->store, rows[i], zeros);
    if (rc < 0) {
        store_rollback(state->store);
        return rc;
    }
    rc = store_commit(state->store);
    return state_break(state, rc < 0 ? rc : store_empty_wal(state->store));
}

int callbacks_settle(struct state *state, const uint64_t *rows, size_t n)
{
    pthread_mutex_lock(&state->mutex);
    int rc = zero_rows(state, rows, n);
    for (size_t i = 0; rc == 0 && i < n; i++)
        callback_give_back(state, rows[i]);
    pthread_mutex_unlock(&state->mutex);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed rows of callbacks, from one database to another of the same state folder. */
#include "storage/carry.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/disk.h"

static int read_rows(struct store *store, struct carry *carry)
{
    uint64_t rows = store_callbacks(store);
    int rc = 0;
    if (!(carry->body = malloc(rows * STORE_CALLBACK_SIZE + 1)))
        return fail(MK_ENOMEM, "no memory for %llu callbacks", (unsigned long long)rows);
    for (; rc == 0 && carry->rows < rows; carry->rows++)
        rc = store_callback_read(store, carry->rows + 1,
                                 carry->body + carry->rows * STORE_CALLBACK_SIZE);
    return rc;
}

/* What is replaced, and where a restore that was interrupted has put it. */
static int open_replaced(const struct state *state, struct store **ret_store)
{
    static const char *const places[] = {"", "aside"};
    char path[PATH_SIZE];
    int rc = MK_ENOTFOUND;
    for (size_t i = 0; rc == MK_ENOTFOUND && i < 2; i++)
        if ((rc = disk_path(state->folder, places[i], path)) == 0)
            rc = store_open(path, ret_store);
    return rc;
}

void carry_read(const struct state *state, uint64_t entries, struct carry *ret_carry)
{
    struct store *store = NULL;
    *ret_carry = (struct carry){0};
    if (open_replaced(state, &store) == 0 && store_entries(store) >= entries)
        ret_carry->found = read_rows(store, ret_carry) == 0;
    store_leave(store);
}

int carry_write(struct state *state, const struct carry *carry)
{
    static const uint8_t zeros[STORE_CALLBACK_SIZE];
    uint64_t rows = store_callbacks(state->store);
    if (!carry->found)
        return 0;
    int rc =
        carry->rows > rows ? store_callbacks_grow(state->store, carry->rows - rows) : 0;
    for (uint64_t i = 0; rc == 0 && i < store_callbacks(state->store); i++)
        rc = store_callback_write(state->store, i + 1,
                                  i < carry->rows ? carry->body + i * STORE_CALLBACK_SIZE
                                                  : zeros);
    return rc;
}

void carry_done(struct carry *carry)
{
    free(carry->body);
    memset(carry, 0, sizeof *carry);
}

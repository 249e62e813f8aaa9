/* SPDX-License-Identifier: Apache-2.0 */
/* Import: rows of many subjects in one transaction, resumable after a crash. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/batch.h"
#include "storage/enroll.h"

/* META_IMPORT: the input's SHA-256, then the next row u64le. */
static int read_position(struct state *state, const struct import *import,
                         uint64_t *ret_row)
{
    uint8_t stored[IMPORT_SIZE];
    uint64_t row;
    int rc = store_meta_read(state->store, META_IMPORT, stored, sizeof stored);
    if (rc < 0)
        return rc;
    memcpy(&row, stored + SHA256_SIZE, sizeof row);
    *ret_row = memcmp(stored, import->input_sha256, SHA256_SIZE) ? 0 : le64toh(row);
    return 0;
}

int import_position(struct state *state, const struct import *import, uint64_t *ret_row)
{
    pthread_mutex_lock(&state->mutex);
    int rc = read_position(state, import, ret_row);
    pthread_mutex_unlock(&state->mutex);
    return rc;
}

static int fill_row(const struct state *state, const struct import *import,
                    struct batch *batch, size_t i, const struct import_row *row)
{
    uint8_t iid[IID_SIZE], nonce[NONCE_SIZE];
    if (import->seed) {
        digest_seeded(import->seed, row->row, iid, nonce);
    } else {
        crypto_random(iid, sizeof iid);
        crypto_random(nonce, sizeof nonce);
    }
    int rc = batch_set(state, batch, i, &row->instance, iid, nonce);
    crypto_wipe(nonce, sizeof nonce);
    return rc;
}

static int set_owners(struct state *state, struct batch *batch,
                      const struct import_row *rows, size_t n)
{
    struct subject *subject = calloc(n, sizeof *subject);
    uint32_t *owner = calloc(n, sizeof *owner);
    int rc = subject && owner ? 0 : fail(MK_ENOMEM, "no memory for %zu rows", n);
    for (size_t i = 0; rc == 0 && i < n; i++)
        subject[i] = rows[i].subject;
    if (rc == 0)
        rc = batch_owners(state, subject, n, owner);
    for (size_t i = 0; rc == 0 && i < n; i++)
        batch_set_owner(batch, i, owner[i]);
    free(subject);
    free(owner);
    return rc;
}

static int import_locked(struct state *state, const struct import *import,
                         enum instance_class class, const struct import_row *rows,
                         size_t n, uint64_t next_row)
{
    uint8_t position[IMPORT_SIZE];
    uint64_t next = htole64(next_row);
    struct batch *batch = batch_new(n);
    int rc = batch ? state_usable(state) : fail(MK_ENOMEM, "no memory for %zu rows", n);
    memcpy(position, import->input_sha256, SHA256_SIZE);
    memcpy(position + SHA256_SIZE, &next, sizeof next);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = fill_row(state, import, batch, i, &rows[i]);
    if (rc == 0 && (rc = batch_check(state, batch)) == 0 &&
        (rc = set_owners(state, batch, rows, n)) == 0)
        rc = batch_store(state, batch, class, position);
    batch_free(batch);
    return rc;
}

int import_rows(struct state *state, const struct import *import,
                enum instance_class class, const struct import_row *rows, size_t n,
                uint64_t next_row)
{
    if (n < 1 || n > ENROLL_MAX)
        return fail(MK_ETOOBIG, "%zu rows at once: there may be 1 to %d", n, ENROLL_MAX);
    pthread_mutex_lock(&state->mutex);
    int rc = import_locked(state, import, class, rows, n, next_row);
    pthread_mutex_unlock(&state->mutex);
    return rc;
}

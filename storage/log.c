/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers may read of the log. */
#include "storage/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/encode.h"
#include "storage/state_private.h"

int log_checkpoint(struct state *state, char **ret_text)
{
    pthread_mutex_lock(&state->mutex);
    int rc = ledger_get_checkpoint(state->ledger, ret_text);
    pthread_mutex_unlock(&state->mutex);
    return rc;
}

int log_proof(struct state *state, uint64_t index, char **ret_text)
{
    pthread_mutex_lock(&state->mutex);
    int rc =
        index < store_entries(state->store)
            ? state_prove(state, index, ret_text)
            : fail(MK_ENOTFOUND, "the log has no entry %llu", (unsigned long long)index);
    pthread_mutex_unlock(&state->mutex);
    return rc;
}

static int write_path(const struct merkle_path *path, char **ret_text)
{
    enum { LINE = BASE64_SIZE(SHA256_SIZE) };
    char *text = calloc(1, path->n * LINE + 1);
    if (!text)
        return fail(MK_ENOMEM, "no memory for a proof");
    for (size_t i = 0; i < path->n; i++) {
        base64_encode(path->hash[i], SHA256_SIZE, text + i * LINE);
        text[(i + 1) * LINE - 1] = '\n';
    }
    *ret_text = text;
    return 0;
}

int log_consistency(struct state *state, uint64_t from, uint64_t to, char **ret_text)
{
    struct merkle_path path;
    if (from > to)
        return fail(MK_EUNPROCESSABLE, "from has to be at most to");
    pthread_mutex_lock(&state->mutex);
    struct merkle tree = state_tree(state);
    int rc = state_usable(state);
    if (rc == 0 && to > store_entries(state->store))
        rc = fail(MK_ENOTFOUND, "the log has %llu entries",
                  (unsigned long long)store_entries(state->store));
    if (rc == 0)
        rc = merkle_consistency(&tree, from, to, &path);
    pthread_mutex_unlock(&state->mutex);
    return rc < 0 ? rc : write_path(&path, ret_text);
}

static int write_hashes(struct state *state, const struct tile *tile, FILE *out)
{
    struct merkle tree = state_tree(state);
    uint8_t hash[SHA256_SIZE];
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < tile->width; i++) {
        rc = tree.read(tree.context, TILE_HEIGHT * tile->level,
                       tile->index * TILE_WIDTH + i, hash);
        if (rc == 0)
            fwrite(hash, sizeof hash, 1, out);
    }
    return rc;
}

static int write_entries(struct state *state, const struct tile *tile, FILE *out)
{
    struct entry_row row;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < tile->width; i++) {
        rc = store_entry_read(state->store, tile->index * TILE_WIDTH + i, &row);
        if (rc < 0)
            break;
        const uint8_t header[] = {(uint8_t)(row.len >> 8), (uint8_t)row.len};
        fwrite(header, sizeof header, 1, out);
        fwrite(row.bytes, row.len, 1, out);
        entry_row_done(&row);
    }
    return rc;
}

/* How many hashes or entries the log has on the tile's level. */
static uint64_t level_size(const struct state *state, const struct tile *tile)
{
    unsigned up = TILE_HEIGHT * tile->level;
    return up < 64 ? store_entries(state->store) >> up : 0;
}

static int cut_tile(struct state *state, const struct tile *tile, FILE *out)
{
    int rc = state_usable(state);
    if (rc < 0)
        return rc;
    if (tile->index * TILE_WIDTH + tile->width > level_size(state, tile))
        return fail(MK_ENOTFOUND, "the log does not fill this tile");
    return tile->entries ? write_entries(state, tile, out)
                         : write_hashes(state, tile, out);
}

int log_tile(struct state *state, const struct tile *tile, char **ret_bytes,
             size_t *ret_len)
{
    char *bytes = NULL;
    size_t len;
    FILE *out = open_memstream(&bytes, &len);
    if (!out)
        return fail(MK_ENOMEM, "no memory for a tile");
    pthread_mutex_lock(&state->mutex);
    int rc = cut_tile(state, tile, out);
    pthread_mutex_unlock(&state->mutex);
    if (fclose(out) != 0 && rc == 0)
        rc = fail(MK_ENOMEM, "no memory for a tile");
    if (rc < 0) {
        free(bytes);
        return rc;
    }
    *ret_bytes = bytes;
    *ret_len = len;
    return 0;
}

static int write_vkeys(const struct note_key *keys, size_t n, char **ret_text)
{
    char *text = calloc(1, n * VKEY_SIZE + 1), *at = text;
    if (!text)
        return fail(MK_ENOMEM, "no memory for verifier keys");
    for (size_t i = 0; i < n; i++) {
        note_vkey(&keys[i], at);
        at = strchr(at, '\0');
        *at++ = '\n';
    }
    *ret_text = text;
    return 0;
}

int log_vkeys(struct state *state, char **ret_text)
{
    struct note_key *keys = NULL;
    size_t n = 0;
    pthread_mutex_lock(&state->mutex);
    int rc = state_log_keys(state, &keys, &n);
    pthread_mutex_unlock(&state->mutex);
    if (rc == 0)
        rc = write_vkeys(keys, n, ret_text);
    free(keys);
    return rc;
}

int log_vkey(struct state *state, char **ret_text)
{
    int rc = log_vkeys(state, ret_text);
    if (rc == 0)
        strchr(*ret_text, '\n')[1] = '\0';
    return rc;
}

int log_rotation(struct state *state, uint64_t index, char **ret_text)
{
    pthread_mutex_lock(&state->mutex);
    int rc = ledger_get_rotation(state->ledger, index, ret_text);
    pthread_mutex_unlock(&state->mutex);
    return rc == MK_ENOTFOUND ? fail(rc, "entry %llu is no rotation of the log's key",
                                     (unsigned long long)index)
                              : rc;
}

/* The present key, then the retired ones. */
static int receipt_keys(const struct state *state, uint8_t (**ret_keys)[ED25519_SIZE],
                        size_t *ret_n)
{
    const struct retired *retired = &state->retired_receipt;
    uint8_t(*keys)[ED25519_SIZE] = calloc(retired->n + 1, sizeof *keys);
    if (!keys)
        return fail(MK_ENOMEM, "no memory for receipt keys");
    signer_public(state->receipt_key, keys[0]);
    if (retired->n > 0)
        memcpy(keys + 1, retired->key, retired->n * sizeof *keys);
    *ret_keys = keys;
    *ret_n = retired->n + 1;
    return 0;
}

int log_jwks(struct state *state, char **ret_text)
{
    uint8_t(*keys)[ED25519_SIZE] = NULL;
    size_t n = 0;
    pthread_mutex_lock(&state->mutex);
    int rc = receipt_keys(state, &keys, &n);
    pthread_mutex_unlock(&state->mutex);
    if (rc == 0)
        rc = jwks_write((const uint8_t(*)[ED25519_SIZE])keys, n, ret_text);
    free(keys);
    return rc;
}

int log_entry(struct state *state, uint64_t index, char **ret_bytes)
{
    struct entry_row row;
    pthread_mutex_lock(&state->mutex);
    int rc = store_entry_read(state->store, index, &row);
    pthread_mutex_unlock(&state->mutex);
    if (rc == 0)
        *ret_bytes = row.bytes; /* transferred */
    return rc;
}

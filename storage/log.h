/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers may read of the log: checkpoint, proofs, tiles, keys.  All text is
 * NUL-terminated, malloc'd and the caller's to free. */
#ifndef MUNKEY_STORAGE_LOG_H
#define MUNKEY_STORAGE_LOG_H

#include "storage/state.h"
#include "storage/tile.h"

/* log/checkpoint, byte for byte. */
int log_checkpoint(struct state *state, char **ret_text);
/* The tlog-proof file of one entry against the current checkpoint; MK_ENOTFOUND. */
int log_proof(struct state *state, uint64_t index, char **ret_text);
/* The log's verifier key, one line; and with the retired ones, one a line, the present first. */
int log_vkey(struct state *state, char **ret_text);
int log_vkeys(struct state *state, char **ret_text);
/* The checkpoint of a rotation of the log's key, signed by the new key and the old one;
 * MK_ENOTFOUND unless entry index is such a rotation. */
int log_rotation(struct state *state, uint64_t index, char **ret_text);
/* JWK set with current and retired receipt keys, as JSON. */
int log_jwks(struct state *state, char **ret_text);
/* The hashes of a consistency proof, one a line in base64.  MK_EUNPROCESSABLE unless from <= to,
 * MK_ENOTFOUND beyond the log's end. */
int log_consistency(struct state *state, uint64_t from, uint64_t to, char **ret_text);
/* A tile's bytes: hashes one after the other, or u16be length and entry, and so on.
 * MK_ENOTFOUND while the log does not fill it. */
int log_tile(struct state *state, const struct tile *tile, char **ret_bytes,
             size_t *ret_len);
/* The bytes of one entry; MK_ENOTFOUND. */
int log_entry(struct state *state, uint64_t index, char **ret_bytes);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers may read of the log: checkpoint, proofs, keys.  All text is
 * NUL-terminated, malloc'd and the caller's to free. */
#ifndef MUNKEY_STORAGE_LOG_H
#define MUNKEY_STORAGE_LOG_H

#include "storage/state.h"

/* log/checkpoint, byte for byte. */
int log_checkpoint(struct state *state, char **ret_text);
/* The tlog-proof file of one entry against the current checkpoint; MK_ENOTFOUND. */
int log_proof(struct state *state, uint64_t index, char **ret_text);
/* The log's verifier key, one line. */
int log_vkey(struct state *state, char **ret_text);
/* JWK set with current and retired receipt keys, as JSON. */
int log_jwks(struct state *state, char **ret_text);
/* The bytes of one entry; MK_ENOTFOUND. */
int log_entry(struct state *state, uint64_t index, char **ret_bytes);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers may read of the log. */
#include "storage/log.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
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

int log_vkey(struct state *state, char **ret_text)
{
    char *line = malloc(VKEY_SIZE + 1);
    if (!line)
        return fail(MK_ENOMEM, "no memory for the verifier key");
    note_vkey(&state->note_key, line);
    strcat(line, "\n");
    *ret_text = line;
    return 0;
}

int log_jwks(struct state *state, char **ret_text)
{
    uint8_t key[1][ED25519_SIZE];
    signer_public(state->receipt_key, key[0]);
    return jwks_write((const uint8_t(*)[ED25519_SIZE])key, 1, ret_text);
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

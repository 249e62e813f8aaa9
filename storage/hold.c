/* SPDX-License-Identifier: Apache-2.0 */
/* Holds on erasure. */
#include "storage/hold.h"

#include <assert.h>

#include "core/err.h"
#include "storage/state_private.h"

static int set_locked(struct state *state, struct subject subject, char basis,
                      uint64_t until)
{
    uint8_t tag[SHA256_SIZE];
    int rc = state_usable(state);
    if (rc < 0)
        return rc;
    keyring_tag(state->keyring, subject.id, subject.len, tag);
    uint32_t owner = keyring_find(state->keyring, tag);
    crypto_wipe(tag, sizeof tag);
    if (owner == KEYRING_NONE || holdings_count(&state->holdings, owner) == 0)
        return fail(MK_ENOTFOUND, "nothing is held about this subject");
    return state_break(state, keyring_hold(state->keyring, owner, basis, until));
}

static int set(struct state *state, struct subject subject, char basis, uint64_t until)
{
    pthread_mutex_lock(&state->mutex);
    int rc = set_locked(state, subject, basis, until);
    pthread_mutex_unlock(&state->mutex);
    return rc;
}

int hold_set(struct state *state, struct subject subject, char basis, int64_t until)
{
    assert(basis >= 'a' && basis <= 'e' && until >= 0);
    return set(state, subject, basis, (uint64_t)until);
}

int hold_lift(struct state *state, struct subject subject)
{
    return set(state, subject, 0, 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Restriction of processing.  The flag stands in the keyring, so that no older database lifts or
 * revives it; whichever side of the commit a crash comes on, nobody whose restriction was answered
 * is searched. */
#include "storage/restrict.h"

#include <assert.h>
#include <string.h>

#include "core/err.h"
#include "storage/petition.h"

/* One request on its way.  Personal: wiped by run(). */
struct restriction {
    struct petition petition;
    struct change change;
    char ground;    /* 0: to be lifted */
    uint64_t index; /* of the entry that answers it */
};

static int check_held(const struct petition *petition)
{
    const struct state *state = petition->state;
    return petition->owner != KEYRING_NONE &&
                   holdings_count(&state->holdings, petition->owner) > 0
               ? 0
               : fail(MK_ENOTFOUND, "nothing is held about this subject");
}

/* Entry and idempotency row, into the transaction. */
static int write_entry(struct restriction *restriction)
{
    struct petition *petition = &restriction->petition;
    struct entry entry = {.act = petition->act};
    int rc = petition_seal(petition);
    if (rc < 0)
        return rc;
    memcpy(entry.commit, petition->commit, SHA256_SIZE);
    rc = change_add(petition->state, &restriction->change, &entry, &restriction->index);
    return rc < 0 ? rc : petition_keep(petition, restriction->index);
}

/* A lifting that was committed before still stands in meta.pending: a start after a crash would clear
 * the new flag for it. */
static int settle_lifting(struct state *state, const uint8_t ref[static REF_SIZE])
{
    static const uint8_t zeros[REF_SIZE];
    uint8_t pending[REF_SIZE];
    int rc = store_meta_read(state->store, META_PENDING, pending, sizeof pending);
    if (rc < 0 || memcmp(pending, ref, sizeof pending) != 0)
        return rc;
    if ((rc = store_begin(state->store)) < 0)
        return rc;
    if ((rc = store_meta_write(state->store, META_PENDING, zeros, sizeof zeros)) < 0) {
        store_rollback(state->store);
        return rc;
    }
    return state_break(state, store_commit(state->store));
}

/* The flag, then the commit: after a crash in between the person is restricted and was not
 * answered, and the next start leaves it so. */
static int commit_set(struct restriction *restriction)
{
    struct state *state = restriction->petition.state;
    int rc = keyring_restrict(state->keyring, restriction->petition.owner,
                              restriction->ground);
    if (rc == 0)
        rc = change_commit(state, &restriction->change);
    return state_break(state, rc);
}

/* The commit, then the flag: a start clears that of a ref in meta.pending. */
static int commit_lift(struct restriction *restriction)
{
    struct state *state = restriction->petition.state;
    uint32_t owner = restriction->petition.owner;
    memcpy(restriction->change.pending, keyring_at(state->keyring, owner)->ref, REF_SIZE);
    int rc = change_commit(state, &restriction->change);
    return rc < 0 ? rc : state_break(state, keyring_restrict(state->keyring, owner, 0));
}

static int commit(struct restriction *restriction)
{
    struct state *state = restriction->petition.state;
    const uint8_t *ref = keyring_at(state->keyring, restriction->petition.owner)->ref;
    int rc = restriction->ground ? settle_lifting(state, ref) : 0;
    if (rc < 0 || (rc = change_begin(state, 1, &restriction->change)) < 0 ||
        (rc = write_entry(restriction)) < 0)
        return rc;
    return restriction->ground ? commit_set(restriction) : commit_lift(restriction);
}

/* After the commit: an error makes the outcome unknown.  The mask waits for predictions that have
 * seen the person's keys until they are on their way. */
static int finish(struct restriction *restriction)
{
    struct state *state = restriction->petition.state;
    int rc = change_publish(state, &restriction->change);
    if (rc < 0)
        return rc;
    memory_mask(state->bank, restriction->petition.owner, restriction->ground != 0);
    return state_sign(state);
}

static int answer(const struct restriction *restriction, struct restricted *restricted)
{
    const struct petition *petition = &restriction->petition;
    struct memory *bank = petition->state->bank;
    if (petition->owner != KEYRING_NONE) {
        restricted->records = memory_count(bank, petition->owner);
        restricted->masked = memory_masked(bank, petition->owner);
    }
    return petition_answer(petition, restriction->index, &restricted->answer);
}

static int restrict_locked(struct restriction *restriction, struct restricted *restricted)
{
    struct state *state = restriction->petition.state;
    int rc = state_usable(state);
    if (rc < 0 || (rc = petition_find(&restriction->petition, &restriction->index)) < 0)
        return rc;
    if (rc == 1)
        return answer(restriction, restricted);
    if ((rc = check_held(&restriction->petition)) < 0 || (rc = commit(restriction)) < 0)
        return rc;
    if ((rc = finish(restriction)) == 0)
        rc = answer(restriction, restricted);
    return state_break(state, rc);
}

static int run(struct state *state, struct subject subject, char ground,
               const char *request, bool idempotent, struct restricted *ret_restricted)
{
    struct restriction restriction = {.ground = ground};
    struct restricted restricted = {0};
    pthread_mutex_lock(&state->mutex);
    petition_init(&restriction.petition, state, ground ? ACT_RESTRICT : ACT_UNRESTRICT,
                  subject, request, idempotent);
    int rc = restrict_locked(&restriction, &restricted);
    change_done(state, &restriction.change);
    petition_done(&restriction.petition);
    pthread_mutex_unlock(&state->mutex);
    if (rc == 0)
        *ret_restricted = restricted; /* transferred */
    crypto_wipe(&restricted, sizeof restricted);
    return rc;
}

int restrict_set(struct state *state, struct subject subject, char ground,
                 const char *request, bool idempotent, struct restricted *ret_restricted)
{
    assert(ground >= 'a' && ground <= 'd');
    return run(state, subject, ground, request, idempotent, ret_restricted);
}

int restrict_lift(struct state *state, struct subject subject, const char *request,
                  bool idempotent, struct restricted *ret_restricted)
{
    return run(state, subject, 0, request, idempotent, ret_restricted);
}

void restricted_done(struct restricted *restricted)
{
    answer_done(&restricted->answer);
    crypto_wipe(restricted, sizeof *restricted);
}

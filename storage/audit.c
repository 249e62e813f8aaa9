/* SPDX-License-Identifier: Apache-2.0 */
/* Audits, a portion at a time. */
#include "storage/audit.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/state_private.h"

enum {
    PORTION = 256, /* slots, and subjects: some milliseconds */
    ROUNDS = 4, /* beside so many writes a last portion never comes: then all at once */
};

/* The slots PORTION * i + 1 and those that follow. */
struct portion {
    bool stale;          /* written since it was read, or never read */
    struct digest found; /* of what was read; secret */
};

struct audit {
    struct portion **portion; /* (portions) */
    size_t portions, stale, next;
    size_t steps;
    uint32_t owner; /* whose records are compared next */
    bool bank_fits; /* so far */
};

static void drop(struct state *state)
{
    struct audit *audit = state->audit;
    state->audit = NULL;
    if (!audit)
        return;
    for (size_t i = 0; i < audit->portions; i++) {
        crypto_wipe(audit->portion[i], sizeof *audit->portion[i]);
        free(audit->portion[i]);
    }
    free(audit->portion);
    free(audit);
}

int audit_begin(struct state *state)
{
    pthread_mutex_lock(&state->mutex);
    int rc = state_usable(state);
    if (rc == 0 && state->audit)
        rc = 1;
    else if (rc == 0 && !(state->audit = calloc(1, sizeof *state->audit)))
        rc = fail(MK_ENOMEM, "no memory for an audit");
    else if (rc == 0)
        state->audit->bank_fits = true;
    pthread_mutex_unlock(&state->mutex);
    return rc;
}

void audit_abandon(struct state *state)
{
    pthread_mutex_lock(&state->mutex);
    drop(state);
    pthread_mutex_unlock(&state->mutex);
}

void audit_status(struct state *state, struct audit_status *ret_status)
{
    pthread_mutex_lock(&state->mutex);
    struct audit_status status = {.running = state->audit != NULL,
                                  .last = state->audited};
    pthread_mutex_unlock(&state->mutex);
    *ret_status = status;
}

static void spoil(struct audit *audit, size_t i)
{
    audit->stale += !audit->portion[i]->stale;
    audit->portion[i]->stale = true;
}

void audit_mark(struct state *state, uint64_t slot)
{
    size_t i = (size_t)(slot - 1) / PORTION;
    if (state->audit && i < state->audit->portions)
        spoil(state->audit, i);
}

/* Portions for slots that were added. */
static int cover(struct audit *audit, uint64_t slots)
{
    size_t n = (size_t)((slots + PORTION - 1) / PORTION);
    struct portion **portion = audit->portion;
    if (n > audit->portions && !(portion = realloc(portion, n * sizeof *portion)))
        return fail(MK_ENOMEM, "no memory to audit %zu slots", (size_t)slots);
    audit->portion = portion;
    for (; audit->portions < n; audit->portions++) {
        if (!(portion[audit->portions] = calloc(1, sizeof **portion)))
            return fail(MK_ENOMEM, "no memory to audit %zu slots", (size_t)slots);
        spoil(audit, audit->portions);
    }
    return 0;
}

/* Whose slot it is; the key of the owner before is at hand. */
struct owner {
    uint32_t index;
    uint8_t data_key[SECRET_SIZE];
};

static bool find_owner(const struct state *state, const uint8_t *ref, struct owner *owner)
{
    uint32_t index = keyring_find_ref(state->keyring, ref);
    if (index == KEYRING_NONE)
        return false;
    if (index != owner->index &&
        keyring_data_key(state->keyring, index, owner->data_key) < 0)
        index = KEYRING_NONE;
    owner->index = index;
    return index != KEYRING_NONE;
}

/* A slot that cannot be read or opened is not there: the digest tells. */
static void read_slot(struct state *state, uint64_t id, struct owner *owner,
                      struct digest *found)
{
    uint8_t body[SLOT_SIZE_MAX], key_bytes[KEY_BYTES_MAX];
    struct instance instance;
    if (store_slot_read(state->store, id, body) == 0 &&
        !slot_is_free(&state->shape, body) && find_owner(state, body, owner)) {
        struct slot_place place = {.ref = body, .key = owner->data_key, .id = id};
        if (slot_open(&state->shape, &place, body, &instance) == 0) {
            struct element element = slot_element(&state->shape, &instance, key_bytes);
            digest_add(found, &element);
        }
    }
    crypto_wipe(body, sizeof body);
    crypto_wipe(&instance, sizeof instance);
    crypto_wipe(key_bytes, sizeof key_bytes);
}

static void read_portion(struct state *state, size_t i)
{
    struct portion *portion = state->audit->portion[i];
    struct owner owner = {.index = KEYRING_NONE};
    uint64_t id = i * PORTION + 1, end = id + PORTION;
    memset(&portion->found, 0, sizeof portion->found);
    store_refresh(state->store);
    for (; id < end && id <= store_slots(state->store); id++)
        read_slot(state, id, &owner, &portion->found);
    crypto_wipe(&owner, sizeof owner);
    portion->stale = false;
    state->audit->stale--;
}

static void read_next(struct state *state)
{
    struct audit *audit = state->audit;
    if (audit->stale == 0)
        return;
    while (audit->next >= audit->portions || !audit->portion[audit->next]->stale)
        audit->next = audit->next >= audit->portions ? 0 : audit->next + 1;
    read_portion(state, audit->next);
}

/* As many records in the bank as slots, masked where the subject is restricted. */
static bool records_fit(const struct state *state, uint32_t owner)
{
    const struct keyring_record *record = keyring_at(state->keyring, owner);
    bool masked = record && record->flags & FLAG_RESTRICTED;
    size_t n = holdings_count(&state->holdings, owner);
    return memory_count(state->bank, owner) == n &&
           memory_masked(state->bank, owner) == (masked ? n : 0);
}

/* Bank and holdings change together, so that a subject may be compared at any time. */
static void compare_next(struct state *state)
{
    struct audit *audit = state->audit;
    uint32_t n = keyring_size(state->keyring);
    for (uint32_t i = 0; i < PORTION && audit->owner < n; i++, audit->owner++)
        audit->bank_fits &= records_fit(state, audit->owner);
}

static bool bank_state_fits(const struct state *state)
{
    memory_lock_shared(state->bank);
    struct memory_state bank = memory_state(state->bank);
    memory_unlock_shared(state->bank);
    return bank.n == state->digest.n &&
           !memcmp(bank.digest, state->mem, sizeof bank.digest);
}

static void sum_up(const struct state *state, struct audited *ret_audited)
{
    const struct audit *audit = state->audit;
    struct digest found = {0};
    struct audited audited = {0};
    for (size_t i = 0; i < audit->portions; i++)
        digest_merge(&found, &audit->portion[i]->found);
    digest_value(&found, audited.found);
    audited.ok = !memcmp(audited.found, state->mem, SHA256_SIZE) && audit->bank_fits &&
                 bank_state_fits(state);
    crypto_wipe(&found, sizeof found);
    *ret_audited = audited;
}

static int write_entry(struct state *state, struct audited *audited)
{
    struct change change = {0};
    struct entry entry = {.act = ACT_AUDIT, .ok = audited->ok};
    memcpy(entry.found, audited->found, SHA256_SIZE);
    int rc = change_begin(state, 1, &change);
    if (rc == 0 && (rc = change_add(state, &change, &entry, &audited->index)) == 0 &&
        (rc = change_commit(state, &change)) == 0 &&
        (rc = change_publish(state, &change)) == 0)
        rc = state_sign(state);
    change_done(state, &change);
    return rc;
}

static int finish(struct state *state)
{
    struct audited audited;
    sum_up(state, &audited);
    int rc = write_entry(state, &audited);
    if (rc == 0)
        state->audited = audited;
    return rc;
}

static int step(struct state *state)
{
    struct audit *audit = state->audit;
    int rc = state_usable(state);
    if (rc < 0 || (rc = cover(audit, store_slots(state->store))) < 0)
        return rc;
    bool all = audit->steps++ > ROUNDS * audit->portions;
    do
        read_next(state);
    while (all && audit->stale > 0);
    compare_next(state);
    return audit->stale > 0 || audit->owner < keyring_size(state->keyring)
               ? 1
               : finish(state);
}

int audit_step(struct state *state)
{
    pthread_mutex_lock(&state->mutex);
    int rc = state->audit ? step(state) : 0;
    if (rc != 1)
        drop(state);
    pthread_mutex_unlock(&state->mutex);
    return rc;
}

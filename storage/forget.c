/* SPDX-License-Identifier: Apache-2.0 */
/* Forgetting: the one operation munkeyd exists for.  The order of its steps is the order of
 * docs/LEDGER.md, found by trying all others: they lose an entry, leave a key alive or bring
 * somebody back. */
#include "storage/forget.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "storage/encode.h"
#include "storage/opening.h"
#include "storage/read.h"

/* One erasure on its way.  Personal: wiped by forget(). */
struct erasure {
    struct state *state;
    struct bytes subject, request;
    bool idempotent;
    uint8_t idem_tag[SHA256_SIZE];
    uint64_t pepper_made;
    uint8_t salt[SECRET_SIZE], commit[SHA256_SIZE];
    uint32_t owner; /* KEYRING_NONE: unknown */
    struct reader reader;
    struct change change;
};

static void make_commit(struct erasure *erasure)
{
    struct opening opening = {erasure->subject, erasure->request, {0}};
    memcpy(opening.salt, erasure->salt, SECRET_SIZE);
    opening_commit(&opening, erasure->commit);
    crypto_wipe(&opening, sizeof opening);
}

/* The salt that a retry gets again while this pepper lives. */
static void salt_from(struct erasure *erasure, const uint8_t pepper[static SECRET_SIZE])
{
    opening_salt(pepper, erasure->request, erasure->subject, erasure->salt);
    make_commit(erasure);
}

/* Whether entry n commits to the same subject and request: "the recomputed commitment tells". */
static int compare_commit(const struct erasure *erasure, uint64_t n)
{
    struct entry_row row;
    struct entry entry;
    int rc = store_entry_read(erasure->state->store, n, &row);
    if (rc < 0)
        return rc;
    rc = entry_parse(row.bytes, row.len, &entry);
    entry_row_done(&row);
    if (rc < 0)
        return fail(MK_ESTORE, "log entry %llu cannot be read", (unsigned long long)n);
    return crypto_equal(entry.commit, erasure->commit, SHA256_SIZE)
               ? 0
               : fail(MK_EUNPROCESSABLE,
                      "this idempotency key was used for another subject: "
                      "send a new key");
}

/* Step 0.  1 when the request was answered before, and as which entry; 0 when it is new. */
static int find_answer(struct erasure *erasure, uint64_t *ret_index)
{
    struct state *state = erasure->state;
    struct idem_row row;
    uint8_t pepper[SECRET_SIZE];
    if (!erasure->idempotent)
        return 0;
    opening_idem_tag(keyring_tag_key(state->keyring), erasure->request,
                     erasure->idem_tag);
    int rc = store_idem_read(state->store, erasure->idem_tag, &row);
    if (rc == 0)
        rc = keyring_pepper_of(state->keyring, row.pepper, pepper);
    if (rc < 0)
        return rc == MK_ENOTFOUND ? 0 : rc;
    salt_from(erasure, pepper);
    crypto_wipe(pepper, sizeof pepper);
    if (strcmp(row.act, act_name(ACT_ERASE)))
        return fail(MK_EUNPROCESSABLE,
                    "this idempotency key was used for another act: send a "
                    "new key");
    if ((rc = compare_commit(erasure, row.n)) < 0)
        return rc;
    *ret_index = row.n;
    return 1;
}

static int make_salt(struct erasure *erasure)
{
    uint8_t pepper[SECRET_SIZE];
    if (!erasure->idempotent) {
        crypto_random(erasure->salt, SECRET_SIZE);
        make_commit(erasure);
        return 0;
    }
    int rc = keyring_pepper(erasure->state->keyring, time(NULL), &erasure->pepper_made,
                            pepper);
    if (rc == 0)
        salt_from(erasure, pepper);
    crypto_wipe(pepper, sizeof pepper);
    return rc;
}

/* GDPR Art. 17(3): an erasure may have to wait. */
static int check_hold(const struct erasure *erasure)
{
    const struct keyring_record *record =
        keyring_at(erasure->state->keyring, erasure->owner);
    if (record && record->flags & FLAG_HELD &&
        (record->until == 0 || record->until > (uint64_t)time(NULL)))
        return fail(MK_ECONFLICT, "the subject is held: lift the hold before erasing");
    return 0;
}

static void find_owner(struct erasure *erasure)
{
    const struct keyring *keyring = erasure->state->keyring;
    uint8_t tag[SHA256_SIZE];
    keyring_tag(keyring, erasure->subject.data, erasure->subject.len, tag);
    erasure->owner = keyring_find(keyring, tag);
    crypto_wipe(tag, sizeof tag);
}

/* Step 0.  Everything that can refuse, and room in the ledger for the entry. */
static int prepare(struct erasure *erasure)
{
    struct state *state = erasure->state;
    find_owner(erasure);
    int rc = check_hold(erasure);
    if (rc < 0 || (rc = make_salt(erasure)) < 0 ||
        (rc = reader_open(state, erasure->owner, &erasure->reader)) < 0)
        return rc;
    return change_begin(state, erasure->reader.n ? ACT_ERASE : ACT_NOT_HELD,
                        &erasure->change);
}

/* Steps 1 and 2, for one slot: out of the digest, and zero. */
static int zero_slot(struct erasure *erasure, size_t i)
{
    static const uint8_t zeros[SLOT_SIZE_MAX];
    struct state *state = erasure->state;
    struct change *change = &erasure->change;
    struct instance instance;
    uint8_t key_bytes[KEY_BYTES_MAX];
    int rc = reader_read(&erasure->reader, i, &instance);
    if (rc < 0)
        return rc;
    struct element element = slot_element(&state->shape, &instance, key_bytes);
    digest_remove(&change->digest, &element);
    change->entry.exact += instance.class == CLASS_EXACT;
    change->entry.trained += instance.class == CLASS_TRAINED;
    crypto_wipe(&instance, sizeof instance);
    crypto_wipe(key_bytes, sizeof key_bytes);
    return store_slot_write(state->store, erasure->reader.slot[i], zeros);
}

/* Step 2.  "Zero the slots, insert entry, tree nodes, state, idempotency row, receipt
 * signature.  COMMIT: the commit point." */
static int commit(struct erasure *erasure)
{
    struct state *state = erasure->state;
    struct change *change = &erasure->change;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < erasure->reader.n; i++)
        rc = zero_slot(erasure, i);
    memcpy(change->entry.commit, erasure->commit, SHA256_SIZE);
    if (rc < 0 || (rc = change_write(state, change)) < 0)
        return rc;
    if (erasure->idempotent) {
        struct idem_row row = {.n = change->index, .pepper = erasure->pepper_made};
        strcpy(row.act, act_name(ACT_ERASE));
        if ((rc = store_idem_write(state->store, erasure->idem_tag, &row)) < 0)
            return rc;
    }
    return change_commit(state, change);
}

/* Step 3.  The tombstone first: "a ledger that knows of an erasure whose ref is nowhere would
 * bring the person back on a restore". */
static int tell_ledger(struct erasure *erasure)
{
    struct state *state = erasure->state;
    const struct keyring_record *record = keyring_at(state->keyring, erasure->owner);
    uint8_t ref[1][REF_SIZE];
    if (record) {
        memcpy(ref[0], record->ref, REF_SIZE);
        int rc = ledger_append_refs(state->ledger, ref, 1);
        if (rc < 0)
            return rc;
    }
    return change_publish(state, &erasure->change);
}

/* Step 4.  From here on no backup of the database brings the subject back. */
static int destroy_key(struct erasure *erasure)
{
    if (erasure->owner == KEYRING_NONE)
        return 0;
    return keyring_destroy(erasure->state->keyring, &erasure->owner, 1);
}

/* Steps 5 and 6.  RAM comes after the commit: a crash in between never leaves somebody gone
 * from RAM, back after the restart, and without an entry. */
static void wipe_memory(struct erasure *erasure)
{
    struct state *state = erasure->state;
    struct memory_state bank_state = state_of_bank(state);
    if (erasure->owner != KEYRING_NONE) {
        memory_drop(state->bank, erasure->owner, &bank_state);
        if (erasure->reader.n > 0)
            holdings_release(&state->holdings, erasure->owner);
    }
    if (state->scrub)
        state->scrub(state->scrub_context);
}

/* Step 8.  What the receipt's `verified` says: of now, also when the answer is an old one and
 * the subject has come back since. */
static void look_at_bank(const struct erasure *erasure, struct forgotten *forgotten)
{
    struct state *state = erasure->state;
    memory_lock_shared(state->bank);
    struct memory_state bank_state = memory_state(state->bank);
    memory_unlock_shared(state->bank);
    forgotten->records_left =
        erasure->owner == KEYRING_NONE ? 0 : memory_count(state->bank, erasure->owner);
    forgotten->digest_match = bank_state.n == state->digest.n &&
                              !memcmp(bank_state.digest, state->mem, SHA256_SIZE);
}

static int check_bank(const struct erasure *erasure, struct forgotten *forgotten)
{
    look_at_bank(erasure, forgotten);
    if (forgotten->records_left > 0 || !forgotten->digest_match)
        return fail(MK_EUNKNOWN,
                    "the bank is not what the log says: it has to be filled anew");
    return 0;
}

/* Step 10.  The answer to entry index, the same whenever it is asked for. */
static int answer(const struct erasure *erasure, uint64_t index,
                  struct forgotten *forgotten)
{
    struct state *state = erasure->state;
    struct entry_row row;
    struct entry entry;
    int rc = store_entry_read(state->store, index, &row);
    if (rc < 0)
        return rc;
    rc = entry_parse(row.bytes, row.len, &entry);
    if (rc == 0)
        rc = receipt_write(row.kid, row.bytes, row.len, row.signature,
                           &forgotten->receipt);
    if (rc == 0)
        rc = state_prove(state, index, &forgotten->proof);
    merkle_leaf(row.bytes, row.len, forgotten->leaf_hash);
    entry_row_done(&row);
    if (rc < 0)
        return rc;
    forgotten->erased = entry.act == ACT_ERASE;
    forgotten->exact = entry.exact;
    forgotten->trained = entry.trained;
    forgotten->index = index;
    base64url_encode(erasure->salt, SECRET_SIZE, forgotten->salt);
    return 0;
}

/* Everything after the commit: an error makes the outcome unknown. */
static int finish(struct erasure *erasure, struct forgotten *forgotten)
{
    struct state *state = erasure->state;
    int rc;
    if ((rc = tell_ledger(erasure)) < 0 || (rc = destroy_key(erasure)) < 0)
        return rc;
    wipe_memory(erasure);
    if ((rc = store_empty_wal(state->store)) < 0 ||
        (rc = check_bank(erasure, forgotten)) < 0 || (rc = state_sign(state)) < 0)
        return rc;
    return answer(erasure, erasure->change.index, forgotten);
}

static int forget_locked(struct erasure *erasure, struct forgotten *forgotten)
{
    uint64_t index = 0;
    int rc = state_usable(erasure->state);
    if (rc < 0 || (rc = find_answer(erasure, &index)) < 0)
        return rc;
    if (rc == 1) {
        find_owner(erasure);
        look_at_bank(erasure, forgotten);
        return answer(erasure, index, forgotten);
    }
    if ((rc = prepare(erasure)) < 0 || (rc = commit(erasure)) < 0)
        return rc;
    return state_break(erasure->state, finish(erasure, forgotten));
}

int forget(struct state *state, struct subject subject, const char *request,
           bool idempotent, struct forgotten *ret_forgotten)
{
    struct erasure erasure = {.state = state,
                              .subject = {subject.id, subject.len},
                              .request = {request, strlen(request)},
                              .idempotent = idempotent,
                              .owner = KEYRING_NONE};
    struct forgotten forgotten = {0};
    pthread_mutex_lock(&state->mutex);
    int rc = forget_locked(&erasure, &forgotten);
    change_done(state, &erasure.change);
    reader_close(&erasure.reader);
    pthread_mutex_unlock(&state->mutex);
    crypto_wipe(&erasure, sizeof erasure);
    if (rc < 0)
        forgotten_done(&forgotten);
    else
        *ret_forgotten = forgotten; /* transferred */
    crypto_wipe(&forgotten, sizeof forgotten);
    return rc;
}

void forgotten_done(struct forgotten *forgotten)
{
    free(forgotten->receipt);
    free(forgotten->proof);
    crypto_wipe(forgotten, sizeof *forgotten);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Forgetting: the one operation munkeyd exists for.  The order of its steps is the order of
 * docs/LEDGER.md, found by trying all others: they lose an entry, leave a key alive or bring
 * somebody back. */
#include "storage/forget.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "storage/callback.h"
#include "storage/petition.h"
#include "storage/read.h"
#include "storage/request.h"

/* One person's erasure on its way.  Personal: wiped by forget_batch(). */
struct erasure {
    struct petition petition;
    const struct erasure_request *request;
    const struct regime *regime;
    int64_t received;
    struct request_row row; /* of a named one: when it came and is due */
    struct reader reader;   /* of the subject's slots, until they are zero */
    uint64_t index;         /* of the entry that answers it */
    bool answered;          /* before this batch, or by an earlier one of it */
    int rc;                 /* why it is refused, or 0 */
    char *why;
};

/* Erasures that share a transaction. */
struct erasures {
    struct state *state;
    struct erasure *erasure; /* (n) */
    size_t n;
    int64_t now;
    size_t rows; /* of requests, written in this change */
    struct change change;
    uint32_t *owner; /* (owners): keyring records to destroy */
    size_t owners;
    uint64_t callback[FORGET_MAX *
                      CALLBACKS_EACH]; /* (callbacks): rows written in this change */
    size_t callbacks;
};

/* One of several is refused: the others go on.  Any other error is that of all. */
static int refuse_one(struct erasure *erasure, int rc)
{
    if (rc != MK_EUNPROCESSABLE && rc != MK_ECONFLICT && rc != MK_EBUSY)
        return rc;
    erasure->rc = rc;
    erasure->why = strdup(err_why());
    return 0;
}

static bool is_open(const struct erasure *erasure)
{
    return !erasure->answered && erasure->rc == 0;
}

static int find_answer(struct erasure *erasure)
{
    int rc = petition_find(&erasure->petition, &erasure->index);
    erasure->answered = rc == 1;
    return rc < 0 ? refuse_one(erasure, rc) : 0;
}

/* Step 0.  How many are left to do. */
static int find_answers(struct erasures *all, size_t *ret_open)
{
    size_t open = 0;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < all->n; i++) {
        rc = find_answer(&all->erasure[i]);
        open += is_open(&all->erasure[i]);
    }
    *ret_open = open;
    return rc;
}

/* GDPR Art. 17(3): an erasure may have to wait. */
static int check_hold(const struct erasure *erasure)
{
    const struct keyring_record *record =
        keyring_at(erasure->petition.state->keyring, erasure->petition.owner);
    if (record && keyring_is_held(record, time(NULL)))
        return fail(MK_ECONFLICT, "the subject is held: lift the hold before erasing");
    return 0;
}

/* Whether an earlier erasure of the batch takes this subject already. */
static bool is_taken(const struct erasures *all, uint32_t owner)
{
    for (size_t i = 0; i < all->owners; i++)
        if (all->owner[i] == owner)
            return true;
    return false;
}

/* Steps 1 and 2, for one slot: out of the digest, and zero. */
static int zero_slot(struct erasures *all, const struct reader *reader, size_t i,
                     struct entry *entry)
{
    static const uint8_t zeros[SLOT_SIZE_MAX];
    struct state *state = all->state;
    struct instance instance;
    uint8_t key_bytes[KEY_BYTES_MAX];
    int rc = reader_read(reader, i, &instance);
    if (rc < 0)
        return rc;
    struct element element = slot_element(&state->shape, &instance, key_bytes);
    digest_remove(&all->change.digest, &element);
    entry->exact += instance.class == CLASS_EXACT;
    entry->trained += instance.class == CLASS_TRAINED;
    crypto_wipe(&instance, sizeof instance);
    crypto_wipe(key_bytes, sizeof key_bytes);
    return change_slot(state, reader->slot[i], zeros);
}

static int zero_slots(struct erasures *all, struct erasure *erasure, struct entry *entry)
{
    struct reader *reader = &erasure->reader;
    uint32_t owner = erasure->petition.owner;
    if (is_taken(all, owner))
        owner = KEYRING_NONE;
    int rc = reader_open(all->state, owner, reader);
    if (rc == 0 && owner != KEYRING_NONE)
        all->owner[all->owners++] = owner;
    for (size_t i = 0; rc == 0 && i < reader->n; i++)
        rc = zero_slot(all, reader, i, entry);
    entry->act = reader->n > 0 ? ACT_ERASE : ACT_NOT_HELD;
    return rc;
}

/* The answer to a named request is kept under its name, in the same transaction. */
static int keep_row(struct erasures *all, struct erasure *erasure)
{
    if (!erasure->petition.idempotent)
        return 0;
    all->rows++;
    return request_keep(&erasure->petition, all->now, &erasure->row);
}

/* To be told of once it is done, which the same transaction decides. */
static int add_callbacks(struct erasures *all, const struct erasure *erasure)
{
    const struct request_row *row = &erasure->row;
    struct callback callback = {.n = erasure->index,
                                .received = row->received,
                                .due = row->due,
                                .completed = row->answered,
                                .erased = row->erased};
    int rc = 0;
    strcpy(callback.regulation, row->regulation);
    strcpy(callback.request, erasure->request->request);
    for (size_t i = 0; rc == 0 && i < erasure->request->callback_urls; i++) {
        crypto_random(callback.id, sizeof callback.id);
        strcpy(callback.url, erasure->request->callback_url[i]);
        rc = callback_add(all->state, &callback, &all->callback[all->callbacks]);
        all->callbacks += rc == 0;
    }
    crypto_wipe(&callback, sizeof callback);
    return rc;
}

/* Held: it stays, and so does the day on which it came. */
static int hold_back(struct erasures *all, struct erasure *erasure, int rc)
{
    erasure->row.held = true;
    refuse_one(erasure, rc);
    return keep_row(all, erasure);
}

/* Step 2, for one: "zero the slots, insert entry, tree nodes, state, idempotency row, receipt
 * signature". */
static int write_one(struct erasures *all, struct erasure *erasure)
{
    struct petition *petition = &erasure->petition;
    struct entry entry = {0};
    int rc;
    if ((rc = find_answer(erasure)) < 0 || !is_open(erasure))
        return rc;
    if ((rc = callbacks_check_room(all->state, erasure->request->callback_urls)) < 0)
        return refuse_one(erasure, rc);
    if (petition->idempotent && (rc = request_find(petition, erasure->regime,
                                                   erasure->received, &erasure->row)) < 0)
        return refuse_one(erasure, rc);
    if ((rc = petition_seal(petition)) < 0)
        return rc;
    if ((rc = check_hold(erasure)) < 0)
        return hold_back(all, erasure, rc);
    if ((rc = zero_slots(all, erasure, &entry)) < 0)
        return rc;
    memcpy(entry.commit, petition->commit, SHA256_SIZE);
    if ((rc = change_add(all->state, &all->change, &entry, &erasure->index)) < 0 ||
        (rc = petition_keep(petition, erasure->index)) < 0)
        return rc;
    erasure->row.erased = entry.act == ACT_ERASE;
    erasure->row.n = erasure->index;
    return (rc = keep_row(all, erasure)) < 0 ? rc : add_callbacks(all, erasure);
}

/* Steps 0 to 2.  "COMMIT: the commit point." */
static int commit(struct erasures *all, size_t open)
{
    int rc = change_begin(all->state, open, &all->change);
    for (size_t i = 0; rc == 0 && i < all->n; i++)
        if (is_open(&all->erasure[i]))
            rc = write_one(all, &all->erasure[i]);
    if (rc == 0 && all->rows > 0)
        rc = request_expire(all->state, all->now);
    if (rc < 0 || all->change.entries + all->rows == 0)
        return rc;
    return change_commit(all->state, &all->change);
}

/* Step 3.  The tombstones first: "a ledger that knows of an erasure whose ref is nowhere would
 * bring the person back on a restore". */
static int tell_ledger(struct erasures *all)
{
    struct state *state = all->state;
    uint8_t ref[FORGET_MAX][REF_SIZE];
    for (size_t i = 0; i < all->owners; i++)
        memcpy(ref[i], keyring_at(state->keyring, all->owner[i])->ref, REF_SIZE);
    int rc = all->owners > 0 ? ledger_append_refs(state->ledger, ref, all->owners) : 0;
    return rc < 0 ? rc : change_publish(state, &all->change);
}

/* Steps 5 and 6.  RAM comes after the commit: a crash in between never leaves somebody gone
 * from RAM, back after the restart, and without an entry. */
static void wipe_memory(struct erasures *all)
{
    struct state *state = all->state;
    struct memory_state bank_state = state_of_bank(state);
    if (all->owners > 0)
        memory_drop_all(state->bank, all->owner, all->owners, &bank_state);
    for (size_t i = 0; i < all->owners; i++)
        if (holdings_count(&state->holdings, all->owner[i]) > 0)
            holdings_release(&state->holdings, all->owner[i]);
    if (state->scrub)
        state->scrub(state->scrub_context);
}

/* Step 8.  What the receipt's `verified` says: of now, also when the answer is an old one and
 * the subject has come back since. */
static void look_at_bank(const struct erasure *erasure, struct forgotten *forgotten)
{
    const struct petition *petition = &erasure->petition;
    struct state *state = petition->state;
    memory_lock_shared(state->bank);
    struct memory_state bank_state = memory_state(state->bank);
    memory_unlock_shared(state->bank);
    forgotten->records_left =
        petition->owner == KEYRING_NONE ? 0 : memory_count(state->bank, petition->owner);
    forgotten->digest_match = bank_state.n == state->digest.n &&
                              !memcmp(bank_state.digest, state->mem, SHA256_SIZE);
}

static int check_bank(const struct erasures *all, struct forgotten *forgotten)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct erasure *erasure = &all->erasure[i];
        look_at_bank(erasure, &forgotten[i]);
        if (is_open(erasure) &&
            (forgotten[i].records_left > 0 || !forgotten[i].digest_match))
            return fail(MK_EUNKNOWN,
                        "the bank is not what the log says: it has to be filled anew");
    }
    return 0;
}

/* Steps 3 to 9, after the commit: an error makes the outcome unknown. */
static int finish(struct erasures *all, struct forgotten *forgotten)
{
    struct state *state = all->state;
    int rc;
    /* Step 4: from here on no backup of the database brings the subjects back. */
    if ((rc = tell_ledger(all)) < 0 ||
        (rc = keyring_destroy(state->keyring, all->owner, all->owners)) < 0)
        return rc;
    wipe_memory(all);
    if ((rc = store_empty_wal(state->store)) < 0 || (rc = check_bank(all, forgotten)) < 0)
        return rc;
    return state_sign(state);
}

/* Of an answer from before there were rows of requests, its entry knows the day. */
static int find_times(struct erasure *erasure, const struct answer *answer)
{
    int rc = request_times(&erasure->petition, &erasure->row);
    if (rc != MK_ENOTFOUND)
        return rc;
    erasure->row.received = answer->iat;
    erasure->row.due = regime_due(erasure->regime, answer->iat);
    return 0;
}

static int answer_one(struct erasure *erasure, struct forgotten *forgotten)
{
    struct answer *answer = &forgotten->answer;
    int rc = petition_answer(&erasure->petition, erasure->index, answer);
    return rc == 0 && erasure->answered ? find_times(erasure, answer) : rc;
}

/* Step 10. */
static int answer(const struct erasures *all, struct forgotten *forgotten)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < all->n; i++) {
        struct erasure *erasure = &all->erasure[i];
        forgotten[i].rc = erasure->rc;
        forgotten[i].why = erasure->why; /* transferred */
        erasure->why = NULL;
        if (erasure->rc == 0)
            rc = answer_one(erasure, &forgotten[i]);
        forgotten[i].received = erasure->row.received;
        forgotten[i].due = erasure->row.due;
    }
    return rc;
}

static int forget_locked(struct erasures *all, struct forgotten *forgotten)
{
    size_t open = 0;
    int rc = state_usable(all->state);
    if (rc < 0 || (rc = find_answers(all, &open)) < 0)
        return rc;
    if (open > 0 && (rc = commit(all, open)) < 0)
        return rc;
    if (all->change.entries == 0) {
        check_bank(all, forgotten);
        return answer(all, forgotten);
    }
    if ((rc = finish(all, forgotten)) == 0)
        rc = answer(all, forgotten);
    if (rc == 0 && all->callbacks > 0)
        callbacks_wake(all->state);
    return state_break(all->state, rc);
}

static int erasure_init(struct state *state, const struct erasure_request *request,
                        struct erasure *erasure)
{
    petition_init(&erasure->petition, state, ACT_ERASE, request->subject,
                  request->request, request->idempotent);
    erasure->request = request;
    erasure->regime = request->regime;
    erasure->received = request->received ? request->received : time(NULL);
    return request->regime ? 0 : regime_find(NULL, &erasure->regime);
}

static int erasures_init(struct erasures *all, const struct erasure_request *requests)
{
    all->erasure = calloc(all->n, sizeof *all->erasure);
    all->owner = calloc(all->n, sizeof *all->owner);
    if (!all->erasure || !all->owner)
        return fail(MK_ENOMEM, "no memory for %zu erasures", all->n);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < all->n; i++)
        rc = erasure_init(all->state, &requests[i], &all->erasure[i]);
    return rc;
}

static void erasures_done(struct erasures *all)
{
    for (size_t i = 0; all->change.open && i < all->callbacks; i++)
        callback_give_back(all->state, all->callback[i]);
    change_done(all->state, &all->change);
    for (size_t i = 0; all->erasure && i < all->n; i++) {
        petition_done(&all->erasure[i].petition);
        reader_close(&all->erasure[i].reader);
        free(all->erasure[i].why);
    }
    free(all->erasure);
    free(all->owner);
}

int forget_batch(struct state *state, const struct erasure_request *requests, size_t n,
                 struct forgotten *ret_forgotten)
{
    struct erasures all = {.state = state, .n = n, .now = time(NULL)};
    if (n < 1 || n > FORGET_MAX)
        return fail(MK_ETOOBIG, "%zu erasures at once: there may be 1 to %d", n,
                    FORGET_MAX);
    memset(ret_forgotten, 0, n * sizeof *ret_forgotten);
    pthread_mutex_lock(&state->mutex);
    int rc = erasures_init(&all, requests);
    if (rc == 0)
        rc = forget_locked(&all, ret_forgotten);
    erasures_done(&all);
    pthread_mutex_unlock(&state->mutex);
    for (size_t i = 0; rc < 0 && i < n; i++)
        forgotten_done(&ret_forgotten[i]);
    return rc;
}

int forget(struct state *state, struct subject subject, const char *request,
           bool idempotent, struct forgotten *ret_forgotten)
{
    const struct erasure_request one = {
        .subject = subject, .request = request, .idempotent = idempotent};
    struct forgotten forgotten;
    int rc = forget_batch(state, &one, 1, &forgotten);
    if (rc == 0 && (rc = forgotten.rc) < 0) {
        rc = fail(rc, "%s", forgotten.why ? forgotten.why : "the erasure is refused");
        forgotten_done(&forgotten);
    }
    if (rc == 0)
        *ret_forgotten = forgotten; /* transferred */
    crypto_wipe(&forgotten, sizeof forgotten);
    return rc;
}

void forgotten_done(struct forgotten *forgotten)
{
    free(forgotten->why);
    answer_done(&forgotten->answer);
    crypto_wipe(forgotten, sizeof *forgotten);
}

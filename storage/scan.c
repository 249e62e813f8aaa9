/* SPDX-License-Identifier: Apache-2.0 */
/* The scan of all slots at a start. */
#include "storage/scan.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/refs.h"

enum { BATCH = 256 }; /* records that go into the bank at once */

struct scan {
    struct state *state;
    scan_unreadable *unreadable;
    void *context;
    struct refs tombstones;
    struct memory_state bank_state;
    uint32_t owner; /* whose data key it is; KEYRING_NONE: nobody's */
    uint8_t data_key[SECRET_SIZE];
    struct record record[BATCH];
    size_t n;
};

static int flush(struct scan *scan)
{
    struct memory *bank = scan->state->bank;
    int rc = bank ? memory_add(bank, scan->record, scan->n, &scan->bank_state) : 0;
    crypto_wipe(scan->record, scan->n * sizeof *scan->record);
    scan->n = 0;
    /* They fit beside each other: it is the model's own that are new. */
    return rc == MK_ECONFLICT
               ? fail(MK_EREFUSED,
                      "a label of the memory cannot be told from one that is built into "
                      "this model, or with these there would be too many: start with the "
                      "model of before")
               : rc;
}

static int find_key(struct scan *scan, uint64_t id, uint32_t owner)
{
    if (owner == scan->owner)
        return 0;
    scan->owner = KEYRING_NONE;
    if (keyring_data_key(scan->state->keyring, owner, scan->data_key) < 0)
        return fail(MK_EREFUSED,
                    "the key of slot %llu does not open: keys/root is not the one "
                    "that belongs to keys/keyring",
                    (unsigned long long)id);
    scan->owner = owner;
    return 0;
}

/* Under the model's kind of labels the others have no meaning, nor has one that it does not know. */
static int check_label(const struct state *state, const struct instance *instance)
{
    bool named = instance->name[0];
    if (!named && !state->shape.open_labels && instance->label >= state->shape.classes)
        return fail(
            MK_EREFUSED,
            "the memory holds a label of number %u, and this model knows %u: start "
            "with the model of before, or init another folder",
            instance->label, state->shape.classes);
    if (named == state->shape.open_labels)
        return 0;
    return fail(
        MK_EREFUSED,
        "the memory was made with a model of %s labels, and those of this model are "
        "%s: start with such a model, or init another folder",
        named ? "open" : "closed", named ? "closed" : "open");
}

static int take(struct scan *scan, const struct instance *instance)
{
    struct state *state = scan->state;
    uint8_t key_bytes[KEY_BYTES_MAX];
    int rc = check_label(state, instance);
    if (rc < 0)
        return rc;
    struct element element = slot_element(&state->shape, instance, key_bytes);
    digest_add(&state->digest, &element);
    crypto_wipe(key_bytes, sizeof key_bytes);
    slot_record(instance, scan->owner, &scan->record[scan->n++]);
    return scan->n == BATCH ? flush(scan) : 0;
}

static int visit(void *context, uint64_t id, const uint8_t *body)
{
    struct scan *scan = context;
    struct state *state = scan->state;
    struct instance instance;
    int rc;
    if (slot_is_free(&state->shape, body)) {
        holdings_free_slot(&state->holdings, id);
        return 0;
    }
    uint32_t owner = keyring_find_ref(state->keyring, body);
    bool erased = refs_has(&scan->tombstones, body);
    if (erased || owner == KEYRING_NONE)
        return scan->unreadable(scan->context, id, body, erased);
    if ((rc = find_key(scan, id, owner)) < 0)
        return rc;
    struct slot_place place = {.ref = body, .key = scan->data_key, .id = id};
    if (slot_open(&state->shape, &place, body, &instance) < 0)
        return fail(MK_EREFUSED,
                    "slot %llu of the database is damaged: run munkeyctl restore with a "
                    "backup",
                    (unsigned long long)id);
    holdings_assign(&state->holdings, id, scan->owner);
    rc = take(scan, &instance);
    crypto_wipe(&instance, sizeof instance);
    return rc;
}

/* One that nobody may read ends a start. */
static int refuse(void *context, uint64_t id, const uint8_t *ref, bool erased)
{
    (void)context, (void)ref;
    return erased
               ? fail(MK_EREFUSED,
                      "munkeyd.db holds a subject that log/tombstones says was erased: "
                      "run munkeyctl restore with it")
               : fail(MK_EREFUSED,
                      "slot %llu has no key in the keyring: put back the keys/ folder "
                      "that belongs to munkeyd.db, or give up such slots with munkeyctl "
                      "restore",
                      (unsigned long long)id);
}

static int scan_all(struct scan *scan)
{
    struct state *state = scan->state;
    int rc = refs_add_tombstones(&scan->tombstones, state->ledger);
    if (rc == 0)
        rc = store_slots_scan(state->store, visit, scan);
    return rc < 0 ? rc : flush(scan);
}

int scan_slots(struct state *state, uint64_t n, scan_unreadable *unreadable,
               void *context)
{
    int rc = holdings_reserve(&state->holdings, store_slots(state->store),
                              keyring_size(state->keyring));
    if (rc < 0)
        return rc;
    struct scan *scan = calloc(1, sizeof *scan);
    if (!scan)
        return fail(MK_ENOMEM, "no memory to read the slots");
    scan->state = state;
    scan->unreadable = unreadable ? unreadable : refuse;
    scan->context = context;
    scan->owner = KEYRING_NONE;
    scan->bank_state.n = n;
    memcpy(scan->bank_state.digest, state->mem, SHA256_SIZE);
    refs_init(&scan->tombstones);
    rc = scan_all(scan);
    refs_done(&scan->tombstones);
    crypto_wipe(scan, sizeof *scan);
    free(scan);
    return rc;
}

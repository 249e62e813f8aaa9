/* SPDX-License-Identifier: Apache-2.0 */
/* The scan of all slots at a start. */
#include "storage/scan.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

enum { BATCH = 256 }; /* records that go into the bank at once */

struct scan {
    struct state *state;
    struct memory_state bank_state;
    uint32_t owner; /* whose data key it is; KEYRING_NONE: nobody's */
    uint8_t data_key[SECRET_SIZE];
    struct record record[BATCH];
    size_t n;
};

static int flush(struct scan *scan)
{
    int rc = memory_add(scan->state->bank, scan->record, scan->n, &scan->bank_state);
    crypto_wipe(scan->record, scan->n * sizeof *scan->record);
    scan->n = 0;
    return rc;
}

static int find_key(struct scan *scan, uint64_t id, const uint8_t *body)
{
    const struct state *state = scan->state;
    uint32_t owner = keyring_find_ref(state->keyring, body);
    if (owner == KEYRING_NONE)
        return fail(MK_EREFUSED,
                    "slot %llu has no key in the keyring: put back the keys/ folder that "
                    "belongs to munkeyd.db, or give up such slots with munkeyctl restore",
                    (unsigned long long)id);
    if (owner == scan->owner)
        return 0;
    scan->owner = KEYRING_NONE;
    if (keyring_data_key(state->keyring, owner, scan->data_key) < 0)
        return fail(MK_EREFUSED,
                    "the key of slot %llu does not open: keys/root is not the one "
                    "that belongs to keys/keyring",
                    (unsigned long long)id);
    scan->owner = owner;
    return 0;
}

static int take(struct scan *scan, const struct instance *instance)
{
    struct state *state = scan->state;
    uint8_t key_bytes[KEY_BYTES_MAX];
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
    if ((rc = find_key(scan, id, body)) < 0)
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

static int check_tombstone(void *context, uint64_t index, const uint8_t *ref, size_t len)
{
    const struct state *state = context;
    uint32_t owner = keyring_find_ref(state->keyring, ref);
    (void)index, (void)len;
    if (owner != KEYRING_NONE && holdings_count(&state->holdings, owner) > 0)
        return fail(MK_EREFUSED,
                    "munkeyd.db holds a subject that log/tombstones says was erased: run "
                    "munkeyctl restore with it");
    return 0;
}

int scan_slots(struct state *state, uint64_t n)
{
    int rc = holdings_reserve(&state->holdings, store_slots(state->store),
                              keyring_size(state->keyring));
    if (rc < 0)
        return rc;
    struct scan *scan = calloc(1, sizeof *scan);
    if (!scan)
        return fail(MK_ENOMEM, "no memory to read the slots");
    scan->state = state;
    scan->owner = KEYRING_NONE;
    scan->bank_state.n = n;
    memcpy(scan->bank_state.digest, state->mem, SHA256_SIZE);
    rc = store_slots_scan(state->store, visit, scan);
    if (rc == 0)
        rc = flush(scan);
    crypto_wipe(scan, sizeof *scan);
    free(scan);
    return rc < 0 ? rc : ledger_each_ref(state->ledger, check_tombstone, state);
}

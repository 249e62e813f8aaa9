/* SPDX-License-Identifier: Apache-2.0 */
/* Starting: compare everything, refuse what does not fit, and only then complete what a crash
 * left half done (docs/LEDGER.md, "Start"). */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "storage/aside.h"
#include "storage/compare.h"
#include "storage/label.h"
#include "storage/request.h"
#include "storage/rotate.h"
#include "storage/start.h"

/* The keyring records that no slot names: of an enrolment that was not committed, or of an
 * erasure that was. */
static int list_unnamed(const struct state *state, uint32_t **ret_owners, size_t *ret_n)
{
    size_t n = 0;
    uint32_t *owners = calloc(keyring_size(state->keyring) + 1, sizeof *owners);
    if (!owners)
        return fail(MK_ENOMEM, "no memory for a list of keyring records");
    for (uint32_t i = 0; i < keyring_size(state->keyring); i++)
        if (keyring_at(state->keyring, i) && holdings_count(&state->holdings, i) == 0)
            owners[n++] = i;
    *ret_owners = owners;
    *ret_n = n;
    return 0;
}

static int bury(struct state *state, const uint32_t *owners, size_t n)
{
    uint8_t(*refs)[REF_SIZE] = calloc(n + 1, REF_SIZE);
    if (!refs)
        return fail(MK_ENOMEM, "no memory for %zu refs", n);
    for (size_t i = 0; i < n; i++)
        memcpy(refs[i], keyring_at(state->keyring, owners[i])->ref, REF_SIZE);
    int rc =
        n ? ledger_append_refs(state->ledger, (const uint8_t(*)[REF_SIZE])refs, n) : 0;
    free(refs);
    return rc;
}

static int append_missing_entries(struct state *state)
{
    int rc = 0;
    while (rc == 0 && ledger_entries(state->ledger) < store_entries(state->store)) {
        struct entry_row row;
        rc = store_entry_read(state->store, ledger_entries(state->ledger), &row);
        if (rc < 0)
            break;
        rc = ledger_append_entries(state->ledger, &(struct bytes){row.bytes, row.len}, 1);
        entry_row_done(&row);
    }
    return rc;
}

/* "unrestrict: the transaction also stores the ref in meta.pending, then the flag is
 * cleared; start clears the flag of a ref that stands there." */
static int lift_pending(struct state *state)
{
    uint8_t ref[REF_SIZE];
    int rc = store_meta_read(state->store, META_PENDING, ref, sizeof ref);
    uint32_t owner = rc < 0 ? KEYRING_NONE : keyring_find_ref(state->keyring, ref);
    return owner == KEYRING_NONE ? rc : keyring_restrict(state->keyring, owner, 0);
}

/* In this order: a ledger that knows of an erasure whose ref is nowhere would bring the person
 * back with an older database. */
static int complete(struct state *state)
{
    uint32_t *owners = NULL;
    size_t n = 0;
    int rc = list_unnamed(state, &owners, &n);
    if (rc == 0 && (rc = bury(state, owners, n)) == 0 &&
        (rc = append_missing_entries(state)) == 0 && (rc = rotate_complete(state)) == 0 &&
        (rc = keyring_destroy(state->keyring, owners, n)) == 0 &&
        (rc = keyring_repair(state->keyring)) == 0 && (rc = lift_pending(state)) == 0)
        rc = store_empty_wal(state->store);
    /* What a restore has replaced may hold people whom the next erasure forgets. */
    if (rc == 0)
        rc = aside_sweep(state);
    free(owners);
    return rc;
}

static void mask_restricted(struct state *state)
{
    for (uint32_t i = 0; i < keyring_size(state->keyring); i++) {
        const struct keyring_record *record = keyring_at(state->keyring, i);
        if (record && record->flags & FLAG_RESTRICTED)
            memory_mask(state->bank, i, true);
    }
}

static int append_start(struct state *state)
{
    struct change change = {0};
    struct entry entry = {.act = ACT_START};
    uint64_t index;
    int rc = change_begin(state, 1, &change);
    if (rc == 0 && (rc = request_expire(state, time(NULL))) == 0 &&
        (rc = change_add(state, &change, &entry, &index)) == 0 &&
        (rc = change_commit(state, &change)) == 0)
        rc = change_publish(state, &change);
    change_done(state, &change);
    return rc;
}

int start_open(struct state *state, const struct state_options *options,
               const char *folder)
{
    char origin[ORIGIN_SIZE] = "";
    uint8_t public[ED25519_SIZE];
    int rc = store_open(folder, &state->store);
    if (rc == MK_ENOTFOUND && state_is_initialised(state->folder))
        return fail(
            MK_EREFUSED,
            "munkeyd.db is missing: run munkeyctl restore with a backup, or, where "
            "a restore was interrupted, with aside/munkeyd.db of the state folder");
    if (rc == MK_ENOTFOUND)
        return fail(MK_EREFUSED,
                    "the state folder is not initialised: run munkeyctl init");
    if (rc < 0 ||
        (rc = store_meta_read(state->store, META_ORIGIN, origin, sizeof origin)) < 0 ||
        (rc = ledger_open(state->folder, &state->ledger)) < 0 ||
        (rc = state_read_keys(state, options)) < 0)
        return rc;
    state->shape.size = store_slot_size(state->store);
    signer_public(state->log_key, public);
    return note_key_init(origin, public, &state->note_key);
}

/* "Unless log/entries is, byte for byte, a prefix of the database's entries": refuse. */
static int compare_ledger(const struct state *state)
{
    if (ledger_entries(state->ledger) > store_entries(state->store))
        return fail(
            MK_EREFUSED,
            "munkeyd.db is older than log/entries, as a copy that was put back by "
            "hand is: run munkeyctl restore with it, or people who were forgotten "
            "would come back");
    return compare_entries(state);
}

/* Nothing is swept before all comparisons hold. */
static int compare(struct state *state, const struct model_info *model)
{
    struct entry last;
    int rc;
    if ((rc = compare_encoder(state, model)) < 0 || (rc = compare_ledger(state)) < 0 ||
        (rc = compare_checkpoint(state)) < 0 ||
        (rc = compare_last_entry(state, &last)) < 0)
        return rc;
    return compare_memory(state, &last);
}

int start_finish(struct state *state, const struct model_info *model, bool write_start)
{
    int rc = model->open_labels ? label_open(state->bank, model) : 0;
    if (rc < 0 || (rc = compare(state, model)) < 0 || (rc = callbacks_open(state)) < 0 ||
        (rc = complete(state)) < 0)
        return rc;
    mask_restricted(state);
    if (write_start && (rc = append_start(state)) < 0)
        return rc;
    return state_sign(state);
}

/* A start that cannot be made is refused, whatever the reason; without memory it is said so. */
static int refuse(int rc)
{
    return rc == MK_ENOMEM ? rc : fail(MK_EREFUSED, "%s", strdupa(err_why()));
}

int state_open(const struct state_options *options, const struct model_info *model,
               const uint8_t model_sha256[static 32], struct memory *bank,
               bool write_start, struct state **ret_state)
{
    struct state *state = NULL;
    int rc = state_new(options, model, model_sha256, &state);
    if (rc < 0)
        return refuse(rc);
    state->bank = bank;
    if ((rc = start_open(state, options, state->folder)) == 0)
        rc = start_finish(state, model, write_start);
    if (rc < 0) {
        state->broken = true; /* nothing of it is written, not even at its closing */
        state_close(state);
        return refuse(rc);
    }
    *ret_state = state;
    return 0;
}

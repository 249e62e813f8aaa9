/* SPDX-License-Identifier: Apache-2.0 */
/* Going back to an older database without bringing anybody back.  All that can be refused is
 * refused while the database is made ready in a folder of its own, in one transaction; then it
 * takes its place, and the rest is what a start completes after a crash. */
#include "storage/restore.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "storage/aside.h"
#include "storage/carry.h"
#include "storage/compare.h"
#include "storage/refs.h"
#include "storage/scan.h"
#include "storage/start.h"

struct restore {
    struct state *state; /* its database is the draft */
    struct restore_plan plan;
    struct entry own, last; /* the last entry of the backup, and of the log */
    uint64_t *slot;         /* (slots): of those that nobody may read */
    size_t slots, room;
    struct refs keyless; /* of subjects who were not erased */
    struct carry carry;  /* callbacks that wait */
    struct change change;
};

static int give_up(void *context, uint64_t id, const uint8_t *ref, bool erased)
{
    struct restore *restore = context;
    if (restore->slots == restore->room) {
        size_t room = restore->room ? 2 * restore->room : 256;
        uint64_t *slot = realloc(restore->slot, room * sizeof *slot);
        if (!slot)
            return fail(MK_ENOMEM, "no memory for a list of %zu slots", room);
        restore->slot = slot;
        restore->room = room;
    }
    restore->slot[restore->slots++] = id;
    restore->plan.erased += erased;
    return erased ? 0 : refs_add(&restore->keyless, ref);
}

/* Whether the slots and the digest's state are those that the backup's log ends with, as far as
 * that can be told without the keys of those who were erased. */
static int check_slots(const struct restore *restore)
{
    const struct state *state = restore->state;
    uint8_t lanes[DIGEST_STATE_SIZE], stated[SHA256_SIZE], found[SHA256_SIZE];
    struct digest digest;
    int rc = store_meta_read(state->store, META_STATE, lanes, sizeof lanes);
    if (rc < 0)
        return rc;
    digest_load(lanes, restore->own.n[1], &digest);
    digest_value(&digest, stated);
    digest_value(&state->digest, found);
    crypto_wipe(lanes, sizeof lanes);
    crypto_wipe(&digest, sizeof digest);
    bool all = state->digest.n + restore->slots == restore->own.n[1];
    bool same = restore->slots > 0 || !memcmp(found, stated, sizeof found);
    return all && same && !memcmp(stated, restore->own.mem[1], sizeof stated)
               ? 0
               : fail(MK_EREFUSED, "the slots of the backup are not those that its log "
                                   "ends with: restore another one");
}

/* One entry of log/entries into the draft, unless it is there already. */
static int replay(void *context, uint64_t index, const uint8_t *bytes, size_t len)
{
    struct restore *restore = context;
    struct entry *last = &restore->last;
    char *text;
    if (index < store_entries(restore->state->store))
        return 0;
    if (!(text = strndup((const char *)bytes, len)))
        return fail(MK_ENOMEM, "no memory for a log entry");
    int rc = entry_parse(text, len, last);
    free(text);
    if (rc < 0)
        return fail(MK_EREFUSED,
                    "entry %llu of log/entries cannot be read: put log/ back",
                    (unsigned long long)index);
    restore->plan.entries++;
    return change_replay(restore->state, (struct bytes){bytes, len},
                         act_has_receipt(last->act));
}

/* "The `restore` entry, whose mem[0] and n[0] are the last entry's mem[1] and n[1]." */
static void begin_where_log_ends(struct restore *restore)
{
    struct change *change = &restore->change;
    const struct entry *last = &restore->last;
    memcpy(change->mem, last->mem[1], SHA256_SIZE);
    change->n = last->n[1];
    change->iat = entry_iat(time(NULL), last->iat, restore->state->granularity);
}

/* Records of the keyring that no slot of the backup names. */
static uint64_t count_unnamed(const struct state *state, const struct refs *tombstones)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < keyring_size(state->keyring); i++) {
        const struct keyring_record *record = keyring_at(state->keyring, i);
        n += record && holdings_count(&state->holdings, i) == 0 &&
             !refs_has(tombstones, record->ref);
    }
    return n;
}

static int make_plan(struct restore *restore)
{
    struct state *state = restore->state;
    struct restore_plan *plan = &restore->plan;
    struct refs tombstones;
    if (state->digest.n > restore->last.n[1])
        return fail(MK_EREFUSED,
                    "the backup gives back more than the log says there is: put the log/ "
                    "and keys/ folders back that belong together");
    refs_init(&tombstones);
    int rc = refs_add_tombstones(&tombstones, state->ledger);
    plan->callbacks = restore->carry.found;
    plan->instances = state->digest.n;
    plan->lost = restore->last.n[1] - state->digest.n;
    if (rc == 0 && plan->lost > 0)
        plan->subjects = count_unnamed(state, &tombstones) + restore->keyless.n;
    refs_done(&tombstones);
    return rc;
}

/* A ref that waits for its restriction to be lifted is of now only when nothing came later: an
 * older one would lift a newer restriction. */
static int keep_pending(struct restore *restore)
{
    struct change *change = &restore->change;
    return restore->plan.entries > 0
               ? 0
               : store_meta_read(restore->state->store, META_PENDING, change->pending,
                                 sizeof change->pending);
}

static int zero_slots(const struct restore *restore)
{
    static const uint8_t zeros[SLOT_SIZE_MAX];
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < restore->slots; i++)
        rc = store_slot_write(restore->state->store, restore->slot[i], zeros);
    return rc;
}

/* Everything that the draft needs, in one transaction. */
static int make_ready(struct restore *restore, restore_ask *ask, void *context)
{
    struct state *state = restore->state;
    struct entry entry = {.act = ACT_RESTORE};
    uint64_t index;
    int rc;
    if ((rc = change_begin(state, 1, &restore->change)) < 0 ||
        (rc = ledger_each_entry(state->ledger, replay, restore)) < 0 ||
        (rc = compare_checkpoint(state)) < 0 || (rc = make_plan(restore)) < 0 ||
        (rc = ask(context, &restore->plan)) < 0)
        return rc;
    begin_where_log_ends(restore);
    if ((rc = keep_pending(restore)) < 0 || (rc = zero_slots(restore)) < 0 ||
        (rc = carry_write(state, &restore->carry)) < 0 ||
        (rc = change_add(state, &restore->change, &entry, &index)) < 0)
        return rc;
    return change_commit(state, &restore->change);
}

static int examine(struct restore *restore, const struct model_info *model)
{
    struct state *state = restore->state;
    int rc;
    if ((rc = compare_encoder(state, model)) < 0 || (rc = compare_entries(state)) < 0 ||
        (rc = compare_last_entry(state, &restore->own)) < 0 ||
        (rc = scan_slots(state, 0, give_up, restore)) < 0)
        return rc;
    restore->last = restore->own;
    carry_read(state, store_entries(state->store), &restore->carry);
    return check_slots(restore);
}

static int make_draft(struct state *state, const struct state_options *options,
                      const struct model_info *model, const char *file, restore_ask *ask,
                      void *context)
{
    struct restore restore = {.state = state};
    char folder[PATH_SIZE];
    refs_init(&restore.keyless);
    int rc = aside_draft(state, file, folder);
    if (rc == 0 && (rc = start_open(state, options, folder)) == 0 &&
        (rc = examine(&restore, model)) == 0 &&
        (rc = make_ready(&restore, ask, context)) == 0)
        rc = store_empty_wal(state->store);
    change_done(state, &restore.change);
    refs_done(&restore.keyless);
    carry_done(&restore.carry);
    free(restore.slot);
    state_close_files(state);
    return rc;
}

static int restore_locked(struct state *state, const struct state_options *options,
                          const struct model_info *model, struct memory *bank,
                          const char *file, restore_ask *ask, void *context)
{
    if (!state_is_initialised(state->folder))
        return fail(MK_EREFUSED,
                    "log/checkpoint is missing: put the log/ folder back that "
                    "belongs to the backup");
    int rc = make_draft(state, options, model, file, ask, context);
    if (rc < 0) {
        const char *why = strdupa(err_why());
        aside_sweep_draft(state);
        return fail(rc == MK_EUNKNOWN ? MK_EIO : rc, "%s", why);
    }
    state->bank = bank;
    if ((rc = aside_swap(state)) == 0 &&
        (rc = start_open(state, options, state->folder)) == 0)
        rc = start_finish(state, model, false);
    return rc < 0
               ? fail(MK_EUNKNOWN, "%s: run munkeyctl restore again", strdupa(err_why()))
               : 0;
}

int state_restore(const struct state_options *options, const struct model_info *model,
                  const uint8_t model_sha256[static 32], struct memory *bank,
                  const char *file, restore_ask *ask, void *context,
                  struct state_status *ret_status)
{
    struct state *state = NULL;
    int rc = state_new(options, model, model_sha256, &state);
    if (rc < 0)
        return rc;
    rc = restore_locked(state, options, model, bank, file, ask, context);
    if (rc == 0)
        state_status(state, ret_status);
    else
        state->broken = true; /* nothing of it is written, not even at its closing */
    state_close(state);
    return rc;
}

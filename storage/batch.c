/* SPDX-License-Identifier: Apache-2.0 */
/* Storing a batch of instances. */
#include "storage/batch.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/model_shape.h"
#include "storage/enroll.h"
#include "storage/label.h"

struct row {
    uint32_t owner;
    struct instance instance;
};

struct batch {
    size_t n;
    struct row *row;       /* (n) */
    struct record *record; /* (n): what the bank gets */
    uint64_t *slot;        /* (n) */
    size_t reused;         /* the first slots were free; the others are grown */
};

struct batch *batch_new(size_t n)
{
    struct batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        return NULL;
    batch->n = n;
    batch->row = calloc(n, sizeof *batch->row);
    batch->record = calloc(n, sizeof *batch->record);
    batch->slot = calloc(n, sizeof *batch->slot);
    if (!batch->row || !batch->record || !batch->slot) {
        batch_free(batch);
        return NULL;
    }
    return batch;
}

void batch_free(struct batch *batch)
{
    if (!batch)
        return;
    if (batch->row)
        crypto_wipe(batch->row, batch->n * sizeof *batch->row);
    if (batch->record)
        crypto_wipe(batch->record, batch->n * sizeof *batch->record);
    free(batch->row);
    free(batch->record);
    free(batch->slot);
    free(batch);
}

static const char *text_of(const struct provenance *provenance, size_t f)
{
    return provenance->field[f] ? provenance->field[f] : "";
}

/* What a slot has room for beside the name of a label. */
static int room_beside(const struct state *state, const char *name, size_t *ret_room)
{
    size_t room = slot_room(&state->shape), taken = 0;
    int rc = 0;
    if (state->shape.open_labels && name) {
        rc = label_check(name);
        taken = slot_name_size(name);
    }
    if (rc == 0 && taken > room)
        rc = fail(MK_EUNPROCESSABLE,
                  "label: a slot has room for %zu bytes of provenance and the name "
                  "together: init a folder with larger slots",
                  room);
    if (rc == 0)
        *ret_room = room - taken;
    return rc;
}

int enroll_fits(const struct state *state, const struct provenance *provenance,
                const char *name)
{
    size_t all = 0, room;
    int rc = room_beside(state, name, &all);
    if (rc < 0)
        return rc;
    room = all;
    for (size_t f = 0; f < PROVENANCE_FIELDS; f++) {
        size_t len = strlen(text_of(provenance, f));
        if (len > room || len > PROVENANCE_MAX)
            return fail(
                MK_EUNPROCESSABLE,
                "%s: the four fields of provenance have room for %zu bytes together, "
                "and at most %d each",
                provenance_names[f], all, PROVENANCE_MAX);
        room -= len;
    }
    return 0;
}

/* names: each label_check()ed. */
static int names_fit(struct state *state, const char *const *names, size_t n)
{
    struct record *record = calloc(n, sizeof *record);
    if (!record)
        return fail(MK_ENOMEM, "no memory for %zu labels", n);
    for (size_t i = 0; i < n; i++) {
        record[i].label = label_code(names[i]);
        strcpy(record[i].name, names[i]);
    }
    int rc = memory_check_labels(state->bank, record, n);
    crypto_wipe(record, n * sizeof *record);
    free(record);
    return rc;
}

int enroll_names_fit(struct state *state, const char *const *names, size_t n)
{
    int rc = n > CLASSES_MAX
                 ? fail(MK_ECONFLICT, "there would be %zu labels: %d is the limit", n,
                        CLASSES_MAX)
                 : 0;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = label_check(names[i]);
    return rc < 0 ? rc : names_fit(state, names, n);
}

int batch_set(const struct state *state, struct batch *batch, size_t i,
              const struct new_instance *instance, const uint8_t iid[static IID_SIZE],
              const uint8_t nonce[static NONCE_SIZE])
{
    struct instance *to = &batch->row[i].instance;
    int rc = enroll_fits(state, &instance->provenance, instance->name);
    if (rc < 0)
        return rc;
    if (state->shape.open_labels)
        strcpy(to->name, instance->name);
    for (size_t f = 0; f < PROVENANCE_FIELDS; f++)
        strcpy(to->provenance[f], text_of(&instance->provenance, f));
    memcpy(to->iid, iid, IID_SIZE);
    memcpy(to->nonce, nonce, NONCE_SIZE);
    memcpy(to->model, state->model, SHA256_SIZE);
    to->label = to->name[0] ? label_element(to->name) : instance->label;
    memcpy(&to->key, &instance->key, sizeof to->key);
    return 0;
}

int batch_check(struct state *state, struct batch *batch)
{
    if (!state->shape.open_labels)
        return 0;
    for (size_t i = 0; i < batch->n; i++)
        slot_record(&batch->row[i].instance, 0, &batch->record[i]);
    return memory_check_labels(state->bank, batch->record, batch->n);
}

void batch_set_owner(struct batch *batch, size_t i, uint32_t owner)
{
    batch->row[i].owner = owner;
}

/* Room everywhere, so that nothing after the commit can fail for lack of it. */
static int reserve(struct state *state, const struct batch *batch)
{
    uint32_t owners = keyring_size(state->keyring);
    int rc =
        holdings_reserve(&state->holdings, store_slots(state->store) + batch->n, owners);
    if (rc == 0)
        rc = memory_reserve(state->bank, batch->n, owners - 1);
    return rc == MK_ETOOBIG ? fail(MK_EBUSY, "%s", strdupa(err_why())) : rc;
}

static int take_slots(struct state *state, struct batch *batch)
{
    batch->reused = holdings_take(&state->holdings, batch->n, batch->slot);
    uint64_t next = store_slots(state->store) + 1;
    for (size_t i = batch->reused; i < batch->n; i++)
        batch->slot[i] = next++;
    return store_slots_grow(state->store, batch->n - batch->reused);
}

static void give_slots_back(struct state *state, struct batch *batch)
{
    while (batch->reused > 0)
        holdings_free_slot(&state->holdings, batch->slot[--batch->reused]);
}

/* Seals row i into its slot and adds it to the digest. */
static int write_row(struct state *state, struct batch *batch, size_t i,
                     const uint8_t *data_key, struct digest *digest)
{
    const struct row *row = &batch->row[i];
    uint8_t body[SLOT_SIZE_MAX], key_bytes[KEY_BYTES_MAX];
    struct slot_place place = {keyring_at(state->keyring, row->owner)->ref, data_key,
                               batch->slot[i]};
    struct element element = slot_element(&state->shape, &row->instance, key_bytes);
    digest_add(digest, &element);
    crypto_wipe(key_bytes, sizeof key_bytes);
    slot_seal(&state->shape, &place, &row->instance, body);
    int rc = change_slot(state, batch->slot[i], body);
    crypto_wipe(body, sizeof body);
    return rc;
}

static int write_rows(struct state *state, struct batch *batch, enum instance_class class,
                      struct change *change)
{
    uint8_t data_key[SECRET_SIZE];
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < batch->n; i++) {
        struct row *row = &batch->row[i];
        row->instance.class = class;
        row->instance.added_at = change->iat;
        if (i == 0 || row->owner != batch->row[i - 1].owner)
            rc = keyring_data_key(state->keyring, row->owner, data_key);
        if (rc == 0)
            rc = write_row(state, batch, i, data_key, &change->digest);
    }
    crypto_wipe(data_key, sizeof data_key);
    return rc;
}

/* After the commit and the ledger: the rows become visible to searches. */
static int show_rows(struct state *state, struct batch *batch)
{
    struct memory_state bank_state = state_of_bank(state);
    for (size_t i = 0; i < batch->n; i++) {
        const struct row *row = &batch->row[i];
        slot_record(&row->instance, row->owner, &batch->record[i]);
        holdings_assign(&state->holdings, batch->slot[i], row->owner);
    }
    return state_break(state,
                       memory_add(state->bank, batch->record, batch->n, &bank_state));
}

/* Destroys the records that were made for this batch: whoever was refused leaves no trace. */
static void forget_new_owners(struct state *state, const struct batch *batch)
{
    uint32_t *owner = calloc(batch->n, sizeof *owner);
    size_t n = 0;
    for (size_t i = 0; owner && i < batch->n; i++) {
        size_t known = 0;
        while (known < n && owner[known] != batch->row[i].owner)
            known++;
        if (known == n && holdings_count(&state->holdings, batch->row[i].owner) == 0)
            owner[n++] = batch->row[i].owner;
    }
    keyring_destroy(state->keyring, owner, n);
    free(owner);
}

static int store_rows(struct state *state, struct batch *batch, enum instance_class class,
                      const uint8_t *import)
{
    struct change change = {0};
    struct entry entry = {.act = ACT_ENROLL, .class = class};
    uint64_t index;
    int rc = reserve(state, batch);
    if (rc < 0 || (rc = change_begin(state, 1, &change)) < 0)
        return rc;
    if ((rc = take_slots(state, batch)) == 0 &&
        (rc = write_rows(state, batch, class, &change)) == 0 &&
        (!import ||
         (rc = store_meta_write(state->store, META_IMPORT, import, IMPORT_SIZE)) == 0) &&
        (rc = change_add(state, &change, &entry, &index)) == 0)
        rc = change_commit(state, &change);
    if (rc < 0)
        give_slots_back(state, batch);
    else if ((rc = change_publish(state, &change)) == 0 &&
             (rc = show_rows(state, batch)) == 0)
        rc = state_sign(state);
    change_done(state, &change);
    return rc;
}

int batch_store(struct state *state, struct batch *batch, enum instance_class class,
                const uint8_t *import)
{
    int rc = store_rows(state, batch, class, import);
    if (rc < 0 && !state->broken)
        forget_new_owners(state, batch);
    return rc;
}

/* Where a tag stands among the first n, or n. */
static size_t find_tag(const uint8_t (*tags)[SHA256_SIZE], size_t n, const uint8_t *tag)
{
    size_t i = 0;
    while (i < n && memcmp(tags[i], tag, SHA256_SIZE))
        i++;
    return i;
}

/* Marks an owner that is still a place among the new tags. */
enum { NEW_BASE = 1 << 30 };

/* Known owners as they are; for unknown subjects NEW_BASE and their place among the tags. */
static int look_up(const struct state *state, const struct subject *subjects, size_t n,
                   uint32_t *owners, uint8_t (*tags)[SHA256_SIZE], size_t *ret_new)
{
    size_t new = 0;
    for (size_t i = 0; i < n; i++) {
        keyring_tag(state->keyring, subjects[i].id, subjects[i].len, tags[new]);
        owners[i] = keyring_find(state->keyring, tags[new]);
        if (owners[i] == KEYRING_NONE) {
            size_t at = find_tag(tags, new, tags[new]);
            owners[i] = NEW_BASE + (uint32_t)at;
            new += at == new;
        } else if (keyring_at(state->keyring, owners[i])->flags & FLAG_RESTRICTED) {
            return fail(MK_ECONFLICT,
                        "the subject is restricted: lift the restriction before "
                        "enrolling more");
        }
    }
    *ret_new = new;
    return 0;
}

int batch_owners(struct state *state, const struct subject *subjects, size_t n,
                 uint32_t *ret_owners)
{
    size_t new = 0;
    uint8_t(*tags)[SHA256_SIZE] = calloc(n + 1, sizeof *tags);
    uint32_t *added = calloc(n + 1, sizeof *added);
    int rc = tags && added ? look_up(state, subjects, n, ret_owners, tags, &new)
                           : fail(MK_ENOMEM, "no memory for a batch");
    if (rc == 0)
        rc = keyring_add(state->keyring, (const uint8_t(*)[SHA256_SIZE])tags, new, added);
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (ret_owners[i] >= NEW_BASE)
            ret_owners[i] = added[ret_owners[i] - NEW_BASE];
    if (tags)
        crypto_wipe(tags, (n + 1) * sizeof *tags);
    free(tags);
    free(added);
    return rc;
}

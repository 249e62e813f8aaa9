/* SPDX-License-Identifier: Apache-2.0 */
/* What is held about one subject. */
#include "storage/subject.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "storage/read.h"

static void show(const struct instance *instance, struct held_instance *ret_held)
{
    memcpy(ret_held->iid, instance->iid, IID_SIZE);
    ret_held->label = instance->label;
    memcpy(ret_held->name, instance->name, sizeof ret_held->name);
    ret_held->class = instance->class;
    ret_held->added_at = instance->added_at;
    memcpy(ret_held->model, instance->model, sizeof ret_held->model);
    memcpy(&ret_held->key, &instance->key, sizeof ret_held->key);
    memcpy(ret_held->provenance, instance->provenance, sizeof ret_held->provenance);
}

/* Slots after the cursor, which is the number of the last one shown: it stays true when
 * others are enrolled or erased between two pages. */
static int read_page(const struct reader *reader, uint64_t cursor, size_t limit,
                     struct held *held)
{
    size_t first = 0;
    while (first < reader->n && reader->slot[first] <= cursor)
        first++;
    size_t n = reader->n - first < limit ? reader->n - first : limit;
    struct instance instance;
    int rc = 0;
    if (!(held->instance = calloc(n + 1, sizeof *held->instance)))
        return fail(MK_ENOMEM, "no memory for %zu instances", n);
    for (; rc == 0 && held->n < n; held->n++)
        if ((rc = reader_read(reader, first + held->n, &instance)) == 0)
            show(&instance, &held->instance[held->n]);
    crypto_wipe(&instance, sizeof instance);
    held->total = reader->n;
    held->next = n > 0 && first + n < reader->n ? reader->slot[first + n - 1] : 0;
    return rc;
}

static void show_marks(const struct keyring_record *record, struct held *held)
{
    held->restricted = record->flags & FLAG_RESTRICTED;
    held->ground = (char)record->ground;
    held->basis = (char)record->basis;
    held->until = (int64_t)record->until;
    held->held = keyring_is_held(record, time(NULL));
}

static int read_subject(struct state *state, struct subject subject, uint64_t cursor,
                        size_t limit, struct held *held)
{
    uint8_t tag[SHA256_SIZE];
    struct reader reader;
    keyring_tag(state->keyring, subject.id, subject.len, tag);
    uint32_t owner = keyring_find(state->keyring, tag);
    crypto_wipe(tag, sizeof tag);
    if (owner == KEYRING_NONE || holdings_count(&state->holdings, owner) == 0)
        return fail(MK_ENOTFOUND, "nothing is held about this subject");
    show_marks(keyring_at(state->keyring, owner), held);
    int rc = reader_open(state, owner, &reader);
    if (rc == 0)
        rc = read_page(&reader, cursor, limit, held);
    reader_close(&reader);
    return rc;
}

int subject_read(struct state *state, struct subject subject, uint64_t cursor,
                 size_t limit, struct held *ret_held)
{
    struct held held = {0};
    pthread_mutex_lock(&state->mutex);
    int rc = read_subject(state, subject, cursor, limit, &held);
    pthread_mutex_unlock(&state->mutex);
    if (rc < 0)
        held_done(&held);
    else
        *ret_held = held; /* transferred */
    return rc;
}

void held_done(struct held *held)
{
    if (held->instance)
        crypto_wipe(held->instance, held->n * sizeof *held->instance);
    free(held->instance);
    *held = (struct held){0};
}

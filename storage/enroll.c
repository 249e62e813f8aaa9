/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment of one subject's instances. */
#include "storage/enroll.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/batch.h"
#include "storage/opening.h"
#include "storage/read.h"

/* Fresh ids, or with an Idempotency-Key those that a repeat computes again. */
static void make_iids(const struct state *state, struct subject subject, size_t n,
                      const char *idempotency_key, uint8_t (*ret_iids)[IID_SIZE])
{
    if (!idempotency_key) {
        crypto_random(ret_iids, n * sizeof *ret_iids);
        return;
    }
    struct bytes key = {idempotency_key, strlen(idempotency_key)};
    for (size_t i = 0; i < n; i++)
        opening_iid(keyring_tag_key(state->keyring), key,
                    (struct bytes){subject.id, subject.len}, (uint32_t)i, ret_iids[i]);
}

/* Whether the instance with an id is the one that is sent again, as far as its label tells: a key may
 * be another where another processor made it. */
static bool is_same(const struct state *state, const struct instance *held,
                    const struct new_instance *sent)
{
    return state->shape.open_labels ? sent->name && strcmp(held->name, sent->name) == 0
                                    : held->label == sent->label;
}

/* How many of the subject's instances have an id of these, n and the one that another instance would
 * have had; and how many of them are what is sent. */
static int count_held(const struct reader *reader, const uint8_t (*iids)[IID_SIZE],
                      const struct new_instance *sent, size_t n, size_t *ret_held,
                      size_t *ret_same)
{
    struct instance instance = {0};
    int rc = 0;
    *ret_held = *ret_same = 0;
    for (size_t slot = 0; rc == 0 && slot < reader->n; slot++) {
        rc = reader_read(reader, slot, &instance);
        for (size_t i = 0; rc == 0 && i <= n; i++)
            if (!memcmp(instance.iid, iids[i], IID_SIZE)) {
                ++*ret_held;
                *ret_same += i < n && is_same(reader->state, &instance, &sent[i]);
            }
    }
    crypto_wipe(&instance, sizeof instance);
    return rc;
}

/* Whether this was enrolled before: 1, 0 or an error.  iids: (n + 1). */
static int find_repeat(struct state *state, struct subject subject,
                       const uint8_t (*iids)[IID_SIZE], const struct new_instance *sent,
                       size_t n)
{
    uint8_t tag[SHA256_SIZE];
    struct reader reader = {0};
    size_t held = 0, same = 0;
    keyring_tag(state->keyring, subject.id, subject.len, tag);
    int rc = reader_open(state, keyring_find(state->keyring, tag), &reader);
    if (rc == 0)
        rc = count_held(&reader, iids, sent, n, &held, &same);
    crypto_wipe(tag, sizeof tag);
    reader_close(&reader);
    if (rc < 0 || held == 0)
        return rc;
    return held == n && same == n
               ? 1
               : fail(MK_EUNPROCESSABLE,
                      "this idempotency key was used to enrol other images or labels: "
                      "send a new key");
}

/* An erasure's or a restriction's key is no enrolment's: the caller has mixed them up. */
static int check_key_is_free(const struct state *state, const char *idempotency_key)
{
    uint8_t tag[SHA256_SIZE];
    struct idem_row row;
    opening_idem_tag(keyring_tag_key(state->keyring),
                     (struct bytes){idempotency_key, strlen(idempotency_key)}, tag);
    int rc = store_idem_read(state->store, tag, &row);
    if (rc == 0)
        return fail(MK_EUNPROCESSABLE, "this idempotency key was used for another act: "
                                       "send a new key");
    return rc == MK_ENOTFOUND ? 0 : rc;
}

static int fill(const struct state *state, struct batch *batch,
                const struct new_instance *instances, size_t n,
                const uint8_t (*iids)[IID_SIZE])
{
    uint8_t nonce[NONCE_SIZE];
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        crypto_random(nonce, sizeof nonce);
        rc = batch_set(state, batch, i, &instances[i], iids[i], nonce);
    }
    crypto_wipe(nonce, sizeof nonce);
    return rc;
}

/* The subject's record comes last of what can refuse: a refused one leaves no trace. */
static int store(struct state *state, struct subject subject, struct batch *batch,
                 size_t n)
{
    uint32_t owner;
    int rc = batch_owners(state, &subject, 1, &owner);
    for (size_t i = 0; rc == 0 && i < n; i++)
        batch_set_owner(batch, i, owner);
    return rc < 0 ? rc : batch_store(state, batch, CLASS_EXACT, NULL);
}

static int enroll_locked(struct state *state, struct subject subject,
                         const struct new_instance *instances, size_t n,
                         const char *idempotency_key, uint8_t (*iids)[IID_SIZE])
{
    int rc = state_usable(state);
    if (rc < 0)
        return rc;
    make_iids(state, subject, n + 1, idempotency_key, iids);
    if (idempotency_key &&
        ((rc = check_key_is_free(state, idempotency_key)) < 0 ||
         (rc = find_repeat(state, subject, (const uint8_t(*)[IID_SIZE])iids, instances,
                           n)) != 0))
        return rc < 0 ? rc : 0;
    struct batch *batch = batch_new(n);
    if (!batch)
        return fail(MK_ENOMEM, "no memory for %zu instances", n);
    rc = fill(state, batch, instances, n, (const uint8_t(*)[IID_SIZE])iids);
    if (rc == 0 && (rc = batch_check(state, batch)) == 0)
        rc = store(state, subject, batch, n);
    batch_free(batch);
    return rc;
}

int enroll(struct state *state, struct subject subject,
           const struct new_instance *instances, size_t n, const char *idempotency_key,
           uint8_t (*ret_iids)[IID_SIZE])
{
    uint8_t(*iids)[IID_SIZE];
    if (n < 1 || n > ENROLL_MAX)
        return fail(MK_ETOOBIG, "%zu instances in one request: it may have 1 to %d", n,
                    ENROLL_MAX);
    if (!(iids = calloc(n + 1, sizeof *iids)))
        return fail(MK_ENOMEM, "no memory for %zu instances", n);
    pthread_mutex_lock(&state->mutex);
    int rc = enroll_locked(state, subject, instances, n, idempotency_key, iids);
    pthread_mutex_unlock(&state->mutex);
    if (rc == 0)
        memcpy(ret_iids, iids, n * sizeof *iids);
    crypto_wipe(iids, (n + 1) * sizeof *iids);
    free(iids);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of people: openings, idempotency, answers. */
#include "storage/petition.h"

#include <string.h>
#include <time.h>

#include "core/err.h"
#include "storage/encode.h"
#include "storage/opening.h"

void petition_init(struct petition *petition, struct state *state, enum act act,
                   struct subject subject, const char *request, bool idempotent)
{
    uint8_t tag[SHA256_SIZE];
    *petition = (struct petition){.state = state,
                                  .act = act,
                                  .subject = {subject.id, subject.len},
                                  .request = {request, strlen(request)},
                                  .idempotent = idempotent};
    keyring_tag(state->keyring, subject.id, subject.len, tag);
    petition->owner = keyring_find(state->keyring, tag);
    crypto_wipe(tag, sizeof tag);
    if (idempotent)
        opening_idem_tag(keyring_tag_key(state->keyring), petition->request,
                         petition->idem_tag);
}

void petition_done(struct petition *petition)
{
    crypto_wipe(petition, sizeof *petition);
}

static void make_commit(struct petition *petition)
{
    struct opening opening = {petition->subject, petition->request, {0}};
    memcpy(opening.salt, petition->salt, SECRET_SIZE);
    opening_commit(&opening, petition->commit);
    crypto_wipe(&opening, sizeof opening);
}

/* The salt that a retry gets again while this pepper lives. */
static void salt_from(struct petition *petition, const uint8_t pepper[static SECRET_SIZE])
{
    opening_salt(pepper, petition->request, petition->subject, petition->salt);
    make_commit(petition);
}

/* "The recomputed commitment tells whether it names the same subject." */
static int compare_commit(const struct petition *petition,
                          const uint8_t commit[static SHA256_SIZE])
{
    return crypto_equal(commit, petition->commit, SHA256_SIZE)
               ? 0
               : fail(MK_EUNPROCESSABLE, "this idempotency key was used for another "
                                         "subject: send a new key");
}

static int compare_entry(const struct petition *petition, uint64_t n)
{
    struct entry_row row;
    struct entry entry;
    int rc = store_entry_read(petition->state->store, n, &row);
    if (rc < 0)
        return rc;
    rc = entry_parse(row.bytes, row.len, &entry);
    entry_row_done(&row);
    if (rc < 0)
        return fail(MK_ESTORE, "log entry %llu cannot be read", (unsigned long long)n);
    return compare_commit(petition, entry.commit);
}

int petition_check(struct petition *petition, uint64_t pepper_made,
                   const uint8_t commit[static SHA256_SIZE])
{
    uint8_t pepper[SECRET_SIZE];
    int rc = keyring_pepper_of(petition->state->keyring, pepper_made, pepper);
    if (rc < 0)
        return rc == MK_ENOTFOUND ? 0 : rc;
    salt_from(petition, pepper);
    crypto_wipe(pepper, sizeof pepper);
    return compare_commit(petition, commit);
}

int petition_find(struct petition *petition, uint64_t *ret_index)
{
    struct state *state = petition->state;
    struct idem_row row;
    uint8_t pepper[SECRET_SIZE];
    if (!petition->idempotent)
        return 0;
    int rc = store_idem_read(state->store, petition->idem_tag, &row);
    if (rc == 0)
        rc = keyring_pepper_of(state->keyring, row.pepper, pepper);
    if (rc < 0)
        return rc == MK_ENOTFOUND ? 0 : rc;
    salt_from(petition, pepper);
    crypto_wipe(pepper, sizeof pepper);
    if (strcmp(row.act, act_name(petition->act)))
        return fail(MK_EUNPROCESSABLE, "this idempotency key was used for another act: "
                                       "send a new key");
    if ((rc = compare_entry(petition, row.n)) < 0)
        return rc;
    *ret_index = row.n;
    return 1;
}

int petition_seal(struct petition *petition)
{
    uint8_t pepper[SECRET_SIZE];
    if (!petition->idempotent) {
        crypto_random(petition->salt, SECRET_SIZE);
        make_commit(petition);
        return 0;
    }
    int rc = keyring_pepper(petition->state->keyring, time(NULL), &petition->pepper_made,
                            pepper);
    if (rc == 0)
        salt_from(petition, pepper);
    crypto_wipe(pepper, sizeof pepper);
    return rc;
}

int petition_keep(const struct petition *petition, uint64_t index)
{
    struct idem_row row = {.n = index, .pepper = petition->pepper_made};
    if (!petition->idempotent)
        return 0;
    strcpy(row.act, act_name(petition->act));
    return store_idem_write(petition->state->store, petition->idem_tag, &row);
}

int petition_answer(const struct petition *petition, uint64_t index,
                    struct answer *ret_answer)
{
    int rc = answer_make(petition->state, index, ret_answer);
    if (rc == 0)
        base64url_encode(petition->salt, SECRET_SIZE, ret_answer->salt);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A person's request that ends in a receipt: whom it is about, under which name it was sent, and
 * whether it was answered before.
 *
 *     petition_init(&petition, state, ACT_ERASE, subject, request, idempotent);
 *     rc = petition_find(&petition, &index);          1: answered before, as entry index
 *     rc = petition_seal(&petition);                  salt and commitment
 *     memcpy(entry.commit, petition.commit, SHA256_SIZE);
 *     ... change_add() ...
 *     rc = petition_keep(&petition, index);           in the same transaction
 *     ... commit ...
 *     rc = petition_answer(&petition, index, &answer);
 *     petition_done(&petition);                       wipes
 *
 * The caller holds the state's mutex, and keeps subject and request until the end.
 */
#ifndef MUNKEY_STORAGE_PETITION_H
#define MUNKEY_STORAGE_PETITION_H

#include "storage/answer.h"
#include "storage/state_private.h"

struct petition {
    struct state *state;
    enum act act; /* what is asked for; a `not_held` was asked for as ACT_ERASE */
    struct bytes subject, request;
    bool idempotent;
    uint32_t owner; /* the subject's keyring record; KEYRING_NONE: unknown */
    uint8_t idem_tag[SHA256_SIZE];
    uint64_t pepper_made;
    uint8_t salt[SECRET_SIZE], commit[SHA256_SIZE];
};

/* request: 1 to REQUEST_MAX visible ASCII bytes; idempotent: it is the caller's own name for it,
 * and a repeat has to get the same answer. */
void petition_init(struct petition *petition, struct state *state, enum act act,
                   struct subject subject, const char *request, bool idempotent);
void petition_done(struct petition *petition);

/* 1 and the entry that answered it; 0 when it is new; MK_EUNPROCESSABLE when its name was used for
 * another subject or another act. */
int petition_find(struct petition *petition, uint64_t *ret_index);

/* Whether a commitment that was made under the pepper of that time is to this subject and request:
 * MK_EUNPROCESSABLE.  0 also when the pepper is gone: nobody can tell any more. */
int petition_check(struct petition *petition, uint64_t pepper_made,
                   const uint8_t commit[static SHA256_SIZE]);

/* May make a new pepper, which is durable in the keyring when 0 is returned. */
int petition_seal(struct petition *petition);

/* The idempotency row, where there is one to keep. */
int petition_keep(const struct petition *petition, uint64_t index);

/* What entry index says, with the salt.  Sealed or found before. */
int petition_answer(const struct petition *petition, uint64_t index,
                    struct answer *ret_answer);

/* answer_read() for those who hold the mutex. */
int answer_make(struct state *state, uint64_t index, struct answer *ret_answer);

#endif

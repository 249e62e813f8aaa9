/* SPDX-License-Identifier: Apache-2.0 */
/* The commitment to a subject that a log entry holds, and the opening (subject, request,
 * salt) that its owner gets and nobody keeps.
 *
 *     opening_salt(pepper, idempotency_key, subject, salt);   or crypto_random(salt, 32)
 *     opening_commit(&opening, commit);
 *
 * All lengths here fit u16be; longer strings are a programmer's error.
 */
#ifndef MUNKEY_STORAGE_OPENING_H
#define MUNKEY_STORAGE_OPENING_H

#include "core/key.h"
#include "storage/crypto.h"

enum { SALT_TEXT_SIZE = 44 }; /* base64url without padding, with the final NUL */

struct opening {
    struct bytes subject, request;
    uint8_t salt[SECRET_SIZE];
};

/* HMAC-SHA256(salt, "munkeyd/subject/v1\0" || subject || request): binding and, to those
 * without the salt, hiding. */
void opening_commit(const struct opening *opening,
                    uint8_t ret_commit[static SHA256_SIZE]);

/* The salt that a retry with the same Idempotency-Key gets again while the pepper lives.
 */
void opening_salt(const uint8_t pepper[static SECRET_SIZE], struct bytes idempotency_key,
                  struct bytes subject, uint8_t ret_salt[static SECRET_SIZE]);

/* The name of an idempotency row: the database never holds the key itself. */
void opening_idem_tag(const uint8_t tag_key[static SECRET_SIZE],
                      struct bytes idempotency_key, uint8_t ret_tag[static SHA256_SIZE]);

/* The name of a request row (storage/request.h). */
void opening_request_tag(const uint8_t tag_key[static SECRET_SIZE], struct bytes request,
                         uint8_t ret_tag[static SHA256_SIZE]);

/* The id of instance i of an enrolment with an Idempotency-Key. */
void opening_iid(const uint8_t tag_key[static SECRET_SIZE], struct bytes idempotency_key,
                 struct bytes subject, uint32_t i, uint8_t ret_iid[static IID_SIZE]);

#endif

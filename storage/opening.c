/* SPDX-License-Identifier: Apache-2.0 */
/* Commitments, openings and what is derived from an Idempotency-Key. */
#include "storage/opening.h"

#include <assert.h>
#include <string.h>

/* The final NUL of a label counts. */
static const char subject_label[] = "munkeyd/subject/v1";
static const char salt_label[] = "munkeyd/salt/v1";
static const char idem_label[] = "munkeyd/idem/v1";
static const char request_label[] = "munkeyd/request/v1";
static const char iid_label[] = "munkeyd/iid/v1";

/* u16be(length) */
struct length {
    uint8_t byte[2];
};

static struct length length_of(struct bytes text)
{
    assert(text.len <= UINT16_MAX);
    return (struct length){{(uint8_t)(text.len >> 8), (uint8_t)text.len}};
}

void opening_commit(const struct opening *opening, uint8_t ret_commit[static SHA256_SIZE])
{
    struct length subject = length_of(opening->subject),
                  request = length_of(opening->request);
    crypto_hmac(opening->salt,
                (struct bytes[]){{subject_label, sizeof subject_label},
                                 {subject.byte, sizeof subject.byte},
                                 opening->subject,
                                 {request.byte, sizeof request.byte},
                                 opening->request},
                5, ret_commit);
}

void opening_salt(const uint8_t pepper[static SECRET_SIZE], struct bytes idempotency_key,
                  struct bytes subject, uint8_t ret_salt[static SECRET_SIZE])
{
    struct length key_len = length_of(idempotency_key), subject_len = length_of(subject);
    crypto_hmac(pepper,
                (struct bytes[]){{salt_label, sizeof salt_label},
                                 {key_len.byte, sizeof key_len.byte},
                                 idempotency_key,
                                 {subject_len.byte, sizeof subject_len.byte},
                                 subject},
                5, ret_salt);
}

void opening_idem_tag(const uint8_t tag_key[static SECRET_SIZE],
                      struct bytes idempotency_key, uint8_t ret_tag[static SHA256_SIZE])
{
    crypto_hmac(tag_key,
                (struct bytes[]){{idem_label, sizeof idem_label}, idempotency_key}, 2,
                ret_tag);
}

void opening_request_tag(const uint8_t tag_key[static SECRET_SIZE], struct bytes request,
                         uint8_t ret_tag[static SHA256_SIZE])
{
    crypto_hmac(tag_key, (struct bytes[]){{request_label, sizeof request_label}, request},
                2, ret_tag);
}

void opening_iid(const uint8_t tag_key[static SECRET_SIZE], struct bytes idempotency_key,
                 struct bytes subject, uint32_t i, uint8_t ret_iid[static IID_SIZE])
{
    struct length key_len = length_of(idempotency_key), subject_len = length_of(subject);
    const uint8_t number[4] = {(uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8),
                               (uint8_t)i};
    uint8_t mac[SHA256_SIZE];
    crypto_hmac(tag_key,
                (struct bytes[]){{iid_label, sizeof iid_label},
                                 {key_len.byte, sizeof key_len.byte},
                                 idempotency_key,
                                 {subject_len.byte, sizeof subject_len.byte},
                                 subject,
                                 {number, sizeof number}},
                6, mac);
    memcpy(ret_iid, mac, IID_SIZE);
}

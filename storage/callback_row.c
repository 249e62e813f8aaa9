/* SPDX-License-Identifier: Apache-2.0 */
/* The layout of a callback's row, sealing and opening. */
#include "storage/callback_row.h"

#include <endian.h>
#include <string.h>

#include "core/err.h"

enum {
    PLAIN_SIZE = STORE_CALLBACK_SIZE - GCM_NONCE_SIZE - GCM_TAG_SIZE,
    NUMBERS = 5,
    TEXTS_AT = CALLBACK_ID_SIZE + 8 * NUMBERS,
};
_Static_assert(TEXTS_AT + REGIME_SIZE + REQUEST_MAX + 1 + CALLBACK_URL_MAX + 1 <=
                   PLAIN_SIZE,
               "a callback fits into its row");

/* id, then n, received, due, completed and erased as u64le, then the texts, each in a field of its
 * own size; the rest is zero. */
static void pack(const struct callback *callback, uint8_t ret_plain[static PLAIN_SIZE])
{
    const uint64_t number[NUMBERS] = {
        htole64(callback->n), htole64((uint64_t)callback->received),
        htole64((uint64_t)callback->due), htole64((uint64_t)callback->completed),
        htole64(callback->erased)};
    uint8_t *to = ret_plain + TEXTS_AT;
    memset(ret_plain, 0, PLAIN_SIZE);
    memcpy(ret_plain, callback->id, CALLBACK_ID_SIZE);
    memcpy(ret_plain + CALLBACK_ID_SIZE, number, sizeof number);
    strcpy((char *)to, callback->regulation);
    strcpy((char *)(to += REGIME_SIZE), callback->request);
    strcpy((char *)(to += REQUEST_MAX + 1), callback->url);
}

static void unpack(const uint8_t plain[static PLAIN_SIZE], struct callback *ret_callback)
{
    uint64_t number[NUMBERS];
    const uint8_t *from = plain + TEXTS_AT;
    memcpy(ret_callback->id, plain, CALLBACK_ID_SIZE);
    memcpy(number, plain + CALLBACK_ID_SIZE, sizeof number);
    ret_callback->n = le64toh(number[0]);
    ret_callback->received = (int64_t)le64toh(number[1]);
    ret_callback->due = (int64_t)le64toh(number[2]);
    ret_callback->completed = (int64_t)le64toh(number[3]);
    ret_callback->erased = number[4] != 0;
    memcpy(ret_callback->regulation, from, REGIME_SIZE);
    memcpy(ret_callback->request, from += REGIME_SIZE, REQUEST_MAX + 1);
    memcpy(ret_callback->url, from += REQUEST_MAX + 1, CALLBACK_URL_MAX + 1);
}

enum { AAD_SIZE = 20 + 8 };

static struct bytes aad_of(uint64_t row, uint8_t aad[static AAD_SIZE])
{
    uint64_t id = htole64(row);
    memcpy(aad, "munkeyd/callback/v1", 20);
    memcpy(aad + 20, &id, sizeof id);
    return (struct bytes){aad, AAD_SIZE};
}

void callback_row_seal(const uint8_t key[static SECRET_SIZE], uint64_t row,
                       const struct callback *callback,
                       uint8_t ret_body[static STORE_CALLBACK_SIZE])
{
    uint8_t plain[PLAIN_SIZE], aad[AAD_SIZE];
    pack(callback, plain);
    crypto_random(ret_body, GCM_NONCE_SIZE);
    crypto_seal(key, ret_body, aad_of(row, aad), plain, PLAIN_SIZE,
                ret_body + GCM_NONCE_SIZE);
    crypto_wipe(plain, sizeof plain);
}

int callback_row_open(const uint8_t key[static SECRET_SIZE], uint64_t row,
                      const uint8_t body[static STORE_CALLBACK_SIZE],
                      struct callback *ret_callback)
{
    uint8_t plain[PLAIN_SIZE], aad[AAD_SIZE];
    int rc = crypto_open(key, body, aad_of(row, aad), body + GCM_NONCE_SIZE, PLAIN_SIZE,
                         plain);
    if (rc == 0)
        unpack(plain, ret_callback);
    crypto_wipe(plain, sizeof plain);
    return rc < 0 ? fail(MK_ESTORE, "a callback that waits cannot be read") : 0;
}

bool callback_row_is_free(const uint8_t body[static STORE_CALLBACK_SIZE])
{
    return body[0] == 0 && !memcmp(body, body + 1, STORE_CALLBACK_SIZE - 1);
}

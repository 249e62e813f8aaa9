/* SPDX-License-Identifier: Apache-2.0 */
/* A callback as a row of the database holds it: sealed under a key that no backup has, because
 * nobody knows what a URL or the name of a request gives away.
 *
 *     callback_row_seal(key, row, &callback, body);
 *     rc = callback_row_open(key, row, body, &callback);
 *
 * body = nonce[12] || AES-256-GCM(key, AAD "munkeyd/callback/v1\0" || u64le row) || tag[16];
 * all zero: free.
 */
#ifndef MUNKEY_STORAGE_CALLBACK_ROW_H
#define MUNKEY_STORAGE_CALLBACK_ROW_H

#include <stdbool.h>

#include "storage/state.h"
#include "storage/store.h"

enum { CALLBACK_ID_SIZE = 16, CALLBACK_URL_MAX = 512 };

/* What is to be told of an erasure that is done, and where. */
struct callback {
    uint8_t id[CALLBACK_ID_SIZE];     /* random: the receiver knows a repeat by it */
    uint64_t n;                       /* the log entry that answers the request */
    int64_t received, due, completed; /* Unix seconds */
    bool erased;                      /* else nothing was held */
    char regulation[REGIME_SIZE];
    char request[REQUEST_MAX + 1];
    char url[CALLBACK_URL_MAX + 1];
};

void callback_row_seal(const uint8_t key[static SECRET_SIZE], uint64_t row,
                       const struct callback *callback,
                       uint8_t ret_body[static STORE_CALLBACK_SIZE]);

/* MK_ESTORE: damaged, or of another row. */
int callback_row_open(const uint8_t key[static SECRET_SIZE], uint64_t row,
                      const uint8_t body[static STORE_CALLBACK_SIZE],
                      struct callback *ret_callback);

bool callback_row_is_free(const uint8_t body[static STORE_CALLBACK_SIZE]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The secrets that callbacks are signed with: one for each receiver, which is a prefix of URLs, so
 * that no receiver can speak for munkeyd to another.
 *
 *     callback_root(root, callback_root_key);                  once
 *     callback_secret(callback_root_key, "https://example.org/hooks/", secret);
 */
#ifndef MUNKEY_STORAGE_CALLBACK_SECRET_H
#define MUNKEY_STORAGE_CALLBACK_SECRET_H

#include "storage/crypto.h"

/* HKDF(keys/root, "munkeyd/callback/v1"), and of that HKDF(..., prefix).  The caller wipes. */
void callback_root(const uint8_t root[static SECRET_SIZE],
                   uint8_t ret_key[static SECRET_SIZE]);
void callback_secret(const uint8_t key[static SECRET_SIZE], const char *prefix,
                     uint8_t ret_secret[static SECRET_SIZE]);

/* The first of them, of a state folder that may be in use.  MK_EREFUSED. */
int callback_root_read(const char *folder, uint8_t ret_key[static SECRET_SIZE]);

#endif

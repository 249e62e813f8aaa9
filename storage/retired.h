/* SPDX-License-Identifier: Apache-2.0 */
/* The public keys that have signed before: a file of hexadecimal lines, the oldest first.
 *
 *     rc = retired_read(path, &retired);            no file: none
 *     rc = retired_add(path, &retired, public);     durable
 *     retired_done(&retired);
 */
#ifndef MUNKEY_STORAGE_RETIRED_H
#define MUNKEY_STORAGE_RETIRED_H

#include "storage/crypto.h"

enum { RETIRED_MAX = 1000 }; /* keys: a file has at most DISK_FILE_MAX bytes */

struct retired {
    uint8_t (*key)[ED25519_SIZE];
    size_t n;
};

/* MK_EREFUSED when the file is damaged. */
int retired_read(const char *path, struct retired *ret_retired);

/* Nothing when the key is there already.  MK_EIO, MK_ENOMEM, MK_ECONFLICT beyond RETIRED_MAX. */
int retired_add(const char *path, struct retired *retired,
                const uint8_t key[static ED25519_SIZE]);
void retired_done(struct retired *retired);

#endif

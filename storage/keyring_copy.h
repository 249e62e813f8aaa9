/* SPDX-License-Identifier: Apache-2.0 */
/* One copy of the keyring: a file of 128-byte records, and what a record is.
 *
 *     rc = keyring_copy_open(path, "keys/keyring", &copy);
 *     keyring_copy_read(&copy, &records, &n);
 *     keyring_copy_write(&copy, index, &record);
 *     keyring_copy_sync(&copy);
 *
 * A record lies within one sector, and its checksum tells a torn one from a whole one.
 */
#ifndef MUNKEY_STORAGE_KEYRING_COPY_H
#define MUNKEY_STORAGE_KEYRING_COPY_H

#include "storage/crypto.h"
#include "storage/ledger.h"

enum { KEYRING_RECORD_SIZE = 128, FLAG_RESTRICTED = 1, FLAG_HELD = 2 };

/* A subject's data key, or a pepper (ref zero).  All zero: free. */
struct keyring_record {
    uint8_t ref[REF_SIZE];    /* the subject's random name for one life in the memory */
    uint8_t tag[SHA256_SIZE]; /* HMAC-SHA256(tag key, subject) */
    uint8_t wrapped[WRAPPED_SIZE]; /* the data key */
    uint8_t flags, ground, basis;
    uint64_t until; /* of a hold; of a pepper: when it was made; Unix seconds */
};

struct keyring_copy {
    int fd;
    const char *name; /* for errors; borrowed for ever */
};

/* Makes an empty file, or empties it. */
int keyring_copy_create(const char *path);

/* MK_EREFUSED when it is not there. */
int keyring_copy_open(const char *path, const char *name, struct keyring_copy *ret_copy);
void keyring_copy_close(struct keyring_copy *copy);

/* All records; those that are damaged are free in records and true in damaged.  The caller
 * wipes and frees. */
int keyring_copy_read(const struct keyring_copy *copy,
                      struct keyring_record **ret_records, bool **ret_damaged,
                      uint32_t *ret_n);

/* record NULL: zeros.  Durable after keyring_copy_sync().  MK_ESTORE. */
int keyring_copy_write(const struct keyring_copy *copy, uint32_t index,
                       const struct keyring_record *record);
int keyring_copy_sync(const struct keyring_copy *copy);

bool keyring_record_is_free(const struct keyring_record *record);
bool keyring_record_is_pepper(const struct keyring_record *record);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring: each subject's data key, outside the database and all its backups.
 *
 *     keyring_tag(keyring, subject.id, subject.len, tag);
 *     owner = keyring_find(keyring, tag);               KEYRING_NONE: unknown
 *     rc = keyring_add(keyring, tags, n, owners);       durable in every copy
 *     rc = keyring_data_key(keyring, owner, key);
 *     rc = keyring_destroy(keyring, &owner, 1);         and nobody reads those slots again
 *
 * A subject's record number is also its owner number in the bank.  A destroyed record is
 * zeroed in place in every copy.  After a failed write the keyring refuses all others: what
 * the disk holds is unknown until the next start.  The owner holds the state's mutex.
 */
#ifndef MUNKEY_STORAGE_KEYRING_H
#define MUNKEY_STORAGE_KEYRING_H

#include "storage/keyring_copy.h"
#include "storage/table.h"

struct keyring; /* opaque */

#define KEYRING_NONE TABLE_NONE
enum {
    PEPPER_DAYS = 30
}; /* a new one is made so often, and the last but one destroyed */

/* Both copies, empty.  mirror may be NULL. */
int keyring_create(const char *path, const char *mirror);

/* Reads and merges the copies: the union of flags, the later `until`.  root derives the key
 * that wraps data keys and the key of tags.  MK_EREFUSED. */
int keyring_open(const char *path, const char *mirror,
                 const uint8_t root[static SECRET_SIZE], struct keyring **ret_keyring);
void keyring_close(struct keyring *keyring); /* wipes */

/* 0, or MK_ESTORE with the reason why no write will succeed. */
int keyring_usable(const struct keyring *keyring);

/* Records 0 to n - 1; keyring_at: NULL when it is free or a pepper.  Valid until the next
 * change. */
uint32_t keyring_size(const struct keyring *keyring);
uint32_t keyring_subjects(const struct keyring *keyring);
const struct keyring_record *keyring_at(const struct keyring *keyring, uint32_t index);

/* HMAC key of subject and idempotency tags and of ids; borrowed. */
const uint8_t *keyring_tag_key(const struct keyring *keyring);
void keyring_tag(const struct keyring *keyring, const void *subject, size_t len,
                 uint8_t ret_tag[static SHA256_SIZE]);
uint32_t keyring_find(const struct keyring *keyring,
                      const uint8_t tag[static SHA256_SIZE]);
uint32_t keyring_find_ref(const struct keyring *keyring,
                          const uint8_t ref[static REF_SIZE]);

/* The caller wipes the key. */
int keyring_data_key(const struct keyring *keyring, uint32_t index,
                     uint8_t ret_key[static SECRET_SIZE]);

/* Records with fresh refs and data keys: one batch of writes, one sync per copy.  The tags
 * are different and unknown yet.  MK_ESTORE. */
int keyring_add(struct keyring *keyring, const uint8_t (*tags)[SHA256_SIZE], size_t n,
                uint32_t *ret_indices);

/* Zeroes the records in RAM and in every copy.  MK_EUNKNOWN. */
int keyring_destroy(struct keyring *keyring, const uint32_t *indices, size_t n);

/* Restriction and hold of a subject.  MK_ESTORE. */
int keyring_mark(struct keyring *keyring, uint32_t index,
                 const struct keyring_record *marks);

/* Restricts a subject on a ground, 'a' to 'd', or lifts that: 0.  Holds on a basis, 'a' to 'e',
 * until then (0: until it is lifted), or lifts that: 0, 0.  Durable in every copy; after MK_ESTORE
 * what the disk holds is unknown. */
int keyring_restrict(struct keyring *keyring, uint32_t index, char ground);
int keyring_hold(struct keyring *keyring, uint32_t index, char basis, uint64_t until);
bool keyring_is_held(const struct keyring_record *record, int64_t now);

/* Makes copies that differ equal again, and destroys peppers beyond the two newest.  Only
 * after a start's comparisons. */
int keyring_repair(struct keyring *keyring);

/* The pepper in use at now, made and durable when there is none younger than PEPPER_DAYS;
 * or the one made at that time: MK_ENOTFOUND when it is gone.  The caller wipes. */
int keyring_pepper(struct keyring *keyring, int64_t now, uint64_t *ret_made,
                   uint8_t ret_pepper[static SECRET_SIZE]);
int keyring_pepper_of(const struct keyring *keyring, uint64_t made,
                      uint8_t ret_pepper[static SECRET_SIZE]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring: records in RAM, two indexes over them, and one or two copies on disk. */
#include "storage/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

enum { COPIES_MAX = 2 };

struct keyring {
    struct keyring_copy copy[COPIES_MAX];
    size_t copies;
    struct keyring_record *record;
    bool *differs; /* the copies do, or one is damaged: keyring_repair() writes them */
    uint32_t n, capacity, subjects;
    uint32_t first_free; /* no free record lies before it */
    struct table by_tag, by_ref;
    uint8_t wrapping_key[SECRET_SIZE], tag_key[SECRET_SIZE];
    uint32_t pepper[2]; /* the newest, the one before; KEYRING_NONE */
    bool broken;
};

static const uint8_t *tag_of(const void *keyring, uint32_t index)
{
    return ((const struct keyring *)keyring)->record[index].tag;
}

static const uint8_t *ref_of(const void *keyring, uint32_t index)
{
    return ((const struct keyring *)keyring)->record[index].ref;
}

int keyring_create(const char *path, const char *mirror)
{
    int rc = keyring_copy_create(path);
    return rc == 0 && mirror ? keyring_copy_create(mirror) : rc;
}

/* Room for n records.  Not by realloc, which would leave the old ones behind. */
static int reserve(struct keyring *keyring, uint32_t n)
{
    if (n <= keyring->capacity)
        return 0;
    uint32_t capacity = n > 2 * keyring->capacity ? n : 2 * keyring->capacity;
    struct keyring_record *record = calloc(capacity, sizeof *record);
    bool *differs = calloc(capacity, sizeof *differs);
    if (!record || !differs) {
        free(record);
        free(differs);
        return fail(MK_ENOMEM, "no memory for %u keyring records", capacity);
    }
    if (keyring->record) {
        memcpy(record, keyring->record, keyring->n * sizeof *record);
        memcpy(differs, keyring->differs, keyring->n * sizeof *differs);
        crypto_wipe(keyring->record, keyring->n * sizeof *record);
    }
    free(keyring->record);
    free(keyring->differs);
    keyring->record = record;
    keyring->differs = differs;
    keyring->capacity = capacity;
    return 0;
}

/* Merges one copy's record into ours.  "Both copies live but differ: the union of flags, the
 * later `until`."  Whether a record that only one copy has should live is for the start to
 * say, which knows the slots. */
static int merge(struct keyring_record *ours, const struct keyring_record *theirs,
                 bool *differs)
{
    if (!memcmp(ours, theirs, sizeof *ours))
        return 0;
    *differs = true;
    if (keyring_record_is_free(theirs))
        return 0;
    if (keyring_record_is_free(ours)) {
        *ours = *theirs;
        return 0;
    }
    if (memcmp(ours, theirs, offsetof(struct keyring_record, flags)))
        return fail(MK_EREFUSED,
                    "the keyring and its mirror are of different times: copy the "
                    "newer over the older, keeping both aside");
    if (theirs->flags & ~ours->flags) {
        ours->ground = theirs->flags & FLAG_RESTRICTED ? theirs->ground : ours->ground;
        ours->basis = theirs->flags & FLAG_HELD ? theirs->basis : ours->basis;
    }
    ours->flags |= theirs->flags;
    ours->until = theirs->until > ours->until ? theirs->until : ours->until;
    return 0;
}

/* Reads one copy into the records; the first copy finds none yet. */
static int take_copy(struct keyring *keyring, size_t which)
{
    struct keyring_record *record = NULL;
    bool *damaged = NULL;
    uint32_t n = 0;
    int rc = keyring_copy_read(&keyring->copy[which], &record, &damaged, &n);
    if (rc < 0)
        return rc;
    if ((rc = reserve(keyring, n + 1)) == 0) {
        for (uint32_t i = n; i < keyring->n && which > 0; i++)
            keyring->differs[i] |= !keyring_record_is_free(&keyring->record[i]);
        keyring->n = n > keyring->n ? n : keyring->n;
    }
    for (uint32_t i = 0; rc == 0 && i < n; i++) {
        bool differs = false;
        rc = merge(&keyring->record[i], &record[i], &differs);
        keyring->differs[i] |= damaged[i] || (which > 0 && differs);
    }
    crypto_wipe(record, n * sizeof *record);
    free(record);
    free(damaged);
    return rc;
}

static bool is_subject(const struct keyring *keyring, uint32_t index)
{
    return !keyring_record_is_free(&keyring->record[index]) &&
           !keyring_record_is_pepper(&keyring->record[index]);
}

static int enlist(struct keyring *keyring, uint32_t index)
{
    int rc = table_put(&keyring->by_tag, index);
    if (rc == 0 && (rc = table_put(&keyring->by_ref, index)) < 0)
        table_remove(&keyring->by_tag, index);
    if (rc == 0)
        keyring->subjects++;
    return rc;
}

static int index_all(struct keyring *keyring)
{
    for (uint32_t i = 0; i < keyring->n; i++) {
        if (!is_subject(keyring, i))
            continue;
        if (keyring_find(keyring, keyring->record[i].tag) != KEYRING_NONE)
            return fail(MK_EREFUSED,
                        "the keyring names a subject twice: bring back the keys/ "
                        "folder that belongs to this database");
        int rc = enlist(keyring, i);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* The newest pepper made before that time, or KEYRING_NONE. */
static uint32_t newest_pepper(const struct keyring *keyring, uint64_t before)
{
    uint32_t newest = KEYRING_NONE;
    for (uint32_t i = 0; i < keyring->n; i++)
        if (keyring_record_is_pepper(&keyring->record[i]) &&
            keyring->record[i].until < before &&
            (newest == KEYRING_NONE ||
             keyring->record[i].until > keyring->record[newest].until))
            newest = i;
    return newest;
}

/* "Of peppers the two newest count." */
static void find_peppers(struct keyring *keyring)
{
    uint32_t first = newest_pepper(keyring, UINT64_MAX);
    keyring->pepper[0] = first;
    keyring->pepper[1] = first == KEYRING_NONE
                             ? first
                             : newest_pepper(keyring, keyring->record[first].until);
}

int keyring_open(const char *path, const char *mirror,
                 const uint8_t root[static SECRET_SIZE], struct keyring **ret_keyring)
{
    static const char *const names[COPIES_MAX] = {"keys/keyring", "the keyring's mirror"};
    const char *const paths[COPIES_MAX] = {path, mirror};
    struct keyring *keyring = calloc(1, sizeof *keyring);
    if (!keyring)
        return fail(MK_ENOMEM, "no memory for the keyring");
    keyring->by_tag =
        (struct table){.width = SHA256_SIZE, .key = tag_of, .context = keyring};
    keyring->by_ref =
        (struct table){.width = REF_SIZE, .key = ref_of, .context = keyring};
    crypto_hkdf(root, "munkeyd/kek/v1", keyring->wrapping_key);
    crypto_hkdf(root, "munkeyd/tag/v1", keyring->tag_key);

    int rc = 0;
    for (size_t i = 0; rc == 0 && i < COPIES_MAX && paths[i]; i++) {
        if ((rc = keyring_copy_open(paths[i], names[i], &keyring->copy[i])) == 0) {
            keyring->copies++;
            rc = take_copy(keyring, i);
        }
    }
    if (rc == 0)
        rc = index_all(keyring);
    if (rc < 0) {
        keyring_close(keyring);
        return rc;
    }
    find_peppers(keyring);
    *ret_keyring = keyring;
    return 0;
}

void keyring_close(struct keyring *keyring)
{
    if (!keyring)
        return;
    for (size_t i = 0; i < keyring->copies; i++)
        keyring_copy_close(&keyring->copy[i]);
    table_done(&keyring->by_tag);
    table_done(&keyring->by_ref);
    if (keyring->record)
        crypto_wipe(keyring->record, keyring->n * sizeof *keyring->record);
    free(keyring->record);
    free(keyring->differs);
    crypto_wipe(keyring, sizeof *keyring);
    free(keyring);
}

int keyring_usable(const struct keyring *keyring)
{
    return keyring->broken
               ? fail(MK_ESTORE, "a copy of the keyring failed: repair its disk, "
                                 "or remove the setting keyring_mirror, and start "
                                 "again")
               : 0;
}

uint32_t keyring_size(const struct keyring *keyring)
{
    return keyring->n;
}

uint32_t keyring_subjects(const struct keyring *keyring)
{
    return keyring->subjects;
}

const struct keyring_record *keyring_at(const struct keyring *keyring, uint32_t index)
{
    return index < keyring->n && is_subject(keyring, index) ? &keyring->record[index]
                                                            : NULL;
}

const uint8_t *keyring_tag_key(const struct keyring *keyring)
{
    return keyring->tag_key;
}

void keyring_tag(const struct keyring *keyring, const void *subject, size_t len,
                 uint8_t ret_tag[static SHA256_SIZE])
{
    crypto_hmac(keyring->tag_key, &(struct bytes){subject, len}, 1, ret_tag);
}

uint32_t keyring_find(const struct keyring *keyring,
                      const uint8_t tag[static SHA256_SIZE])
{
    return table_find(&keyring->by_tag, tag);
}

uint32_t keyring_find_ref(const struct keyring *keyring,
                          const uint8_t ref[static REF_SIZE])
{
    return table_find(&keyring->by_ref, ref);
}

int keyring_data_key(const struct keyring *keyring, uint32_t index,
                     uint8_t ret_key[static SECRET_SIZE])
{
    return crypto_unwrap(keyring->wrapping_key, keyring->record[index].wrapped, ret_key);
}

/* Writes the records as they are in RAM to every copy; durable when 0 is returned. */
static int write_through(struct keyring *keyring, const uint32_t *indices, size_t n)
{
    int rc = keyring_usable(keyring);
    for (size_t c = 0; rc == 0 && c < keyring->copies; c++) {
        for (size_t i = 0; rc == 0 && i < n; i++) {
            const struct keyring_record *record = &keyring->record[indices[i]];
            rc = keyring_copy_write(&keyring->copy[c], indices[i],
                                    keyring_record_is_free(record) ? NULL : record);
        }
        if (rc == 0)
            rc = keyring_copy_sync(&keyring->copy[c]);
    }
    keyring->broken |= rc < 0;
    return rc;
}

/* A free record, which the caller fills at once. */
static int take_free(struct keyring *keyring, uint32_t *ret_index)
{
    uint32_t i = keyring->first_free;
    while (i < keyring->n && !keyring_record_is_free(&keyring->record[i]))
        i++;
    if (i == KEYRING_NONE - 1)
        return fail(MK_EBUSY, "the keyring is full");
    int rc = reserve(keyring, i + 1);
    if (rc < 0)
        return rc;
    keyring->n = i < keyring->n ? keyring->n : i + 1;
    keyring->first_free = i + 1;
    *ret_index = i;
    return 0;
}

static void clear(struct keyring *keyring, uint32_t index)
{
    if (is_subject(keyring, index)) {
        table_remove(&keyring->by_tag, index);
        table_remove(&keyring->by_ref, index);
        keyring->subjects--;
    }
    crypto_wipe(&keyring->record[index], sizeof keyring->record[index]);
    if (index < keyring->first_free)
        keyring->first_free = index;
}

/* Fills a free record for a subject. */
static int make(struct keyring *keyring, const uint8_t *tag, uint32_t *ret_index)
{
    uint8_t key[SECRET_SIZE];
    uint32_t index;
    int rc = take_free(keyring, &index);
    if (rc < 0)
        return rc;
    struct keyring_record *record = &keyring->record[index];
    crypto_random(record->ref, REF_SIZE);
    memcpy(record->tag, tag, SHA256_SIZE);
    crypto_random(key, sizeof key);
    crypto_wrap(keyring->wrapping_key, key, record->wrapped);
    crypto_wipe(key, sizeof key);
    if ((rc = enlist(keyring, index)) < 0) {
        memset(record, 0, sizeof *record);
        return rc;
    }
    *ret_index = index;
    return 0;
}

int keyring_add(struct keyring *keyring, const uint8_t (*tags)[SHA256_SIZE], size_t n,
                uint32_t *ret_indices)
{
    int rc = keyring_usable(keyring);
    size_t made = 0;
    while (rc == 0 && made < n)
        if ((rc = make(keyring, tags[made], &ret_indices[made])) == 0)
            made++;
    if (rc == 0 && n > 0)
        rc = write_through(keyring, ret_indices, n);
    /* What reached a disk names no slot: the next start destroys it. */
    while (rc < 0 && made > 0)
        clear(keyring, ret_indices[--made]);
    return rc;
}

int keyring_destroy(struct keyring *keyring, const uint32_t *indices, size_t n)
{
    for (size_t i = 0; i < n; i++)
        clear(keyring, indices[i]);
    return n == 0 || write_through(keyring, indices, n) == 0 ? 0 : MK_EUNKNOWN;
}

int keyring_mark(struct keyring *keyring, uint32_t index,
                 const struct keyring_record *marks)
{
    struct keyring_record *record = &keyring->record[index];
    struct keyring_record before = *record;
    record->flags = marks->flags;
    record->ground = marks->ground;
    record->basis = marks->basis;
    record->until = marks->until;
    int rc = write_through(keyring, &index, 1);
    if (rc < 0)
        *record = before;
    crypto_wipe(&before, sizeof before);
    return rc;
}

/* Field by field: a copy of the record would leave its key on the stack. */
int keyring_restrict(struct keyring *keyring, uint32_t index, char ground)
{
    const struct keyring_record *record = &keyring->record[index];
    uint8_t others = record->flags & (uint8_t)~FLAG_RESTRICTED;
    struct keyring_record marks = {.flags = others | (ground ? FLAG_RESTRICTED : 0),
                                   .ground = (uint8_t)ground,
                                   .basis = record->basis,
                                   .until = record->until};
    return keyring_mark(keyring, index, &marks);
}

int keyring_hold(struct keyring *keyring, uint32_t index, char basis, uint64_t until)
{
    const struct keyring_record *record = &keyring->record[index];
    uint8_t others = record->flags & (uint8_t)~FLAG_HELD;
    struct keyring_record marks = {.flags = others | (basis ? FLAG_HELD : 0),
                                   .ground = record->ground,
                                   .basis = (uint8_t)basis,
                                   .until = until};
    return keyring_mark(keyring, index, &marks);
}

bool keyring_is_held(const struct keyring_record *record, int64_t now)
{
    return record->flags & FLAG_HELD &&
           (record->until == 0 || record->until > (uint64_t)now);
}

/* Zeroes the others, here and on disk. */
static int destroy_old_peppers(struct keyring *keyring)
{
    int rc = 0;
    find_peppers(keyring);
    for (uint32_t i = 0; rc == 0 && i < keyring->n; i++)
        if (keyring_record_is_pepper(&keyring->record[i]) && i != keyring->pepper[0] &&
            i != keyring->pepper[1])
            rc = keyring_destroy(keyring, &i, 1);
    return rc;
}

int keyring_repair(struct keyring *keyring)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < keyring->n; i++) {
        if (!keyring->differs[i])
            continue;
        keyring->differs[i] = false;
        rc = write_through(keyring, &i, 1);
    }
    return rc == 0 ? destroy_old_peppers(keyring) : rc;
}

static int make_pepper(struct keyring *keyring, uint64_t made, uint32_t *ret_index)
{
    uint8_t pepper[SECRET_SIZE];
    int rc = take_free(keyring, ret_index);
    if (rc < 0)
        return rc;
    crypto_random(pepper, sizeof pepper);
    crypto_wrap(keyring->wrapping_key, pepper, keyring->record[*ret_index].wrapped);
    crypto_wipe(pepper, sizeof pepper);
    keyring->record[*ret_index].until = made;
    if ((rc = write_through(keyring, ret_index, 1)) < 0) {
        clear(keyring, *ret_index);
        return rc;
    }
    return destroy_old_peppers(keyring) < 0 ? MK_ESTORE : 0;
}

int keyring_pepper(struct keyring *keyring, int64_t now, uint64_t *ret_made,
                   uint8_t ret_pepper[static SECRET_SIZE])
{
    uint32_t i = keyring->pepper[0];
    uint64_t lifetime = (uint64_t)PEPPER_DAYS * 86400;
    int rc = keyring_usable(keyring);
    if (rc == 0 &&
        (i == KEYRING_NONE || keyring->record[i].until + lifetime <= (uint64_t)now))
        rc = make_pepper(keyring, (uint64_t)now, &i);
    if (rc == 0)
        rc = keyring_data_key(keyring, i, ret_pepper);
    if (rc == 0)
        *ret_made = keyring->record[i].until;
    return rc;
}

int keyring_pepper_of(const struct keyring *keyring, uint64_t made,
                      uint8_t ret_pepper[static SECRET_SIZE])
{
    for (size_t i = 0; i < 2; i++)
        if (keyring->pepper[i] != KEYRING_NONE &&
            keyring->record[keyring->pepper[i]].until == made)
            return keyring_data_key(keyring, keyring->pepper[i], ret_pepper);
    return MK_ENOTFOUND;
}

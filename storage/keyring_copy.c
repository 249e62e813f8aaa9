/* SPDX-License-Identifier: Apache-2.0 */
/* One copy of the keyring. */
#include "storage/keyring_copy.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"

enum {
    TAG_AT = REF_SIZE,
    WRAPPED_AT = TAG_AT + SHA256_SIZE,
    FLAGS_AT = WRAPPED_AT + WRAPPED_SIZE,
    UNTIL_AT = FLAGS_AT + 4,
    CRC_AT = KEYRING_RECORD_SIZE - 4,
};

/* CRC-32 (IEEE 802.3), four bits at a time. */
static uint32_t crc32_of(const uint8_t *data, size_t len)
{
    static const uint32_t step[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                      0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                      0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                      0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = ~0u;
    for (size_t i = 0; i < len; i++) {
        crc = step[(crc ^ data[i]) & 15] ^ crc >> 4;
        crc = step[(crc ^ data[i] >> 4) & 15] ^ crc >> 4;
    }
    return ~crc;
}

static void pack(const struct keyring_record *record,
                 uint8_t ret_bytes[static KEYRING_RECORD_SIZE])
{
    uint64_t until = htole64(record->until);
    memset(ret_bytes, 0, KEYRING_RECORD_SIZE);
    memcpy(ret_bytes, record->ref, REF_SIZE);
    memcpy(ret_bytes + TAG_AT, record->tag, SHA256_SIZE);
    memcpy(ret_bytes + WRAPPED_AT, record->wrapped, WRAPPED_SIZE);
    ret_bytes[FLAGS_AT] = record->flags;
    ret_bytes[FLAGS_AT + 1] = record->ground;
    ret_bytes[FLAGS_AT + 2] = record->basis;
    memcpy(ret_bytes + UNTIL_AT, &until, sizeof until);
    uint32_t crc = htole32(crc32_of(ret_bytes, CRC_AT));
    memcpy(ret_bytes + CRC_AT, &crc, sizeof crc);
}

/* Whether the bytes are a whole record or zeros; a damaged one is read as free. */
static bool unpack(const uint8_t bytes[static KEYRING_RECORD_SIZE],
                   struct keyring_record *ret_record)
{
    static const uint8_t zeros[KEYRING_RECORD_SIZE];
    uint32_t crc;
    memset(ret_record, 0, sizeof *ret_record);
    if (!memcmp(bytes, zeros, sizeof zeros))
        return true;
    memcpy(&crc, bytes + CRC_AT, sizeof crc);
    if (le32toh(crc) != crc32_of(bytes, CRC_AT))
        return false;
    memcpy(ret_record->ref, bytes, REF_SIZE);
    memcpy(ret_record->tag, bytes + TAG_AT, SHA256_SIZE);
    memcpy(ret_record->wrapped, bytes + WRAPPED_AT, WRAPPED_SIZE);
    ret_record->flags = bytes[FLAGS_AT];
    ret_record->ground = bytes[FLAGS_AT + 1];
    ret_record->basis = bytes[FLAGS_AT + 2];
    memcpy(&ret_record->until, bytes + UNTIL_AT, sizeof ret_record->until);
    ret_record->until = le64toh(ret_record->until);
    return true;
}

bool keyring_record_is_free(const struct keyring_record *record)
{
    static const struct keyring_record nothing;
    return !memcmp(record->ref, nothing.ref, REF_SIZE) &&
           !memcmp(record->wrapped, nothing.wrapped, WRAPPED_SIZE);
}

bool keyring_record_is_pepper(const struct keyring_record *record)
{
    static const uint8_t zeros[REF_SIZE];
    return !keyring_record_is_free(record) && !memcmp(record->ref, zeros, REF_SIZE);
}

int keyring_copy_create(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || fsync(fd) < 0) {
        int why = errno;
        if (fd >= 0)
            close(fd);
        return fail(MK_ESTORE, "a copy of the keyring cannot be made: %s", strerror(why));
    }
    close(fd);
    return 0;
}

int keyring_copy_open(const char *path, const char *name, struct keyring_copy *ret_copy)
{
    int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail(
            MK_EREFUSED,
            "%s cannot be opened (%s): if it is the mirror, mount its disk, or copy "
            "keys/keyring there, or remove the setting keyring_mirror",
            name, strerror(errno));
    *ret_copy = (struct keyring_copy){fd, name};
    return 0;
}

void keyring_copy_close(struct keyring_copy *copy)
{
    if (copy->fd >= 0)
        close(copy->fd);
    copy->fd = -1;
}

static int read_at(const struct keyring_copy *copy, uint32_t index, uint8_t *ret_bytes)
{
    ssize_t n = pread(copy->fd, ret_bytes, KEYRING_RECORD_SIZE,
                      (off_t)index * KEYRING_RECORD_SIZE);
    if (n != KEYRING_RECORD_SIZE)
        return fail(MK_EREFUSED, "%s cannot be read: %s", copy->name,
                    n < 0 ? strerror(errno) : "it became shorter");
    return 0;
}

int keyring_copy_read(const struct keyring_copy *copy,
                      struct keyring_record **ret_records, bool **ret_damaged,
                      uint32_t *ret_n)
{
    uint8_t bytes[KEYRING_RECORD_SIZE];
    struct stat file;
    if (fstat(copy->fd, &file) < 0)
        return fail(MK_EREFUSED, "%s cannot be examined: %s", copy->name,
                    strerror(errno));
    /* A last record that a crash cut short names nothing: it is written over. */
    uint32_t n = (uint32_t)(file.st_size / KEYRING_RECORD_SIZE);
    struct keyring_record *records = calloc(n + 1, sizeof *records);
    bool *damaged = calloc(n + 1, sizeof *damaged);
    int rc = records && damaged ? 0 : fail(MK_ENOMEM, "no memory for the keyring");
    for (uint32_t i = 0; rc == 0 && i < n; i++)
        if ((rc = read_at(copy, i, bytes)) == 0)
            damaged[i] = !unpack(bytes, &records[i]);
    if (rc < 0) {
        free(records);
        free(damaged);
        return rc;
    }
    *ret_records = records;
    *ret_damaged = damaged;
    *ret_n = n;
    return 0;
}

int keyring_copy_write(const struct keyring_copy *copy, uint32_t index,
                       const struct keyring_record *record)
{
    uint8_t bytes[KEYRING_RECORD_SIZE] = {0};
    if (record)
        pack(record, bytes);
    if (pwrite(copy->fd, bytes, sizeof bytes, (off_t)index * KEYRING_RECORD_SIZE) !=
        sizeof bytes)
        return fail(MK_ESTORE, "%s cannot be written: %s", copy->name, strerror(errno));
    return 0;
}

int keyring_copy_sync(const struct keyring_copy *copy)
{
    if (fdatasync(copy->fd) < 0)
        return fail(MK_ESTORE, "%s cannot be synced: %s", copy->name, strerror(errno));
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's files: entries, tombstones, the checkpoint and those of rotations under log/ of a state
 * folder. */
#include "storage/ledger.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"

enum {
    RECORD_MAX = LEDGER_HEADER_SIZE + UINT16_MAX,
    /* Bytes that can be unsynced, and hence torn by a power cut, at once. */
    UNSYNCED_MAX = 2 * RECORD_MAX,
    CHECKPOINT_MAX = 65536,
    NAME_SIZE = 32, /* of a file in log/ */
};

struct ledger {
    int folder, entries, refs;      /* file descriptors; -1: not open */
    uint64_t entries_end, refs_end; /* where the next record begins */
    uint64_t n;                     /* entries */
};

static int fail_file(int err, const char *what, const char *name)
{
    return fail(err, "%s log/%s: %s", what, name, strerror(errno));
}

static int open_log_folder(const char *folder, int *ret_fd)
{
    int top = open(folder, O_DIRECTORY | O_CLOEXEC);
    int fd = top < 0 ? -1 : openat(top, "log", O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int rc = fd < 0 ? fail_file(MK_EREFUSED, "cannot open the folder", "") : 0;
    if (top >= 0)
        close(top);
    if (rc == 0)
        *ret_fd = fd;
    return rc;
}

static int sync_folder(const char *path)
{
    int fd = open(path, O_DIRECTORY | O_CLOEXEC);
    int rc =
        fd < 0 || fsync(fd) < 0 ? fail_file(MK_EIO, "cannot sync the folder of", "") : 0;
    if (fd >= 0)
        close(fd);
    return rc;
}

static int create_file(int folder, const char *name)
{
    int fd =
        openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    int rc = fd < 0 || fsync(fd) < 0 ? fail_file(MK_EIO, "cannot create", name) : 0;
    if (fd >= 0)
        close(fd);
    return rc;
}

int ledger_create(const char *folder)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/log", folder) >= (int)sizeof path)
        return fail(MK_EIO, "the state folder's path is too long");
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return fail_file(MK_EIO, "cannot create the folder", "");
    int fd;
    int rc = open_log_folder(folder, &fd);
    if (rc < 0)
        return rc;
    if (faccessat(fd, "checkpoint", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        rc = fail(MK_ECONFLICT, "there is a log already");
    if (rc == 0)
        rc = create_file(fd, "entries");
    if (rc == 0)
        rc = create_file(fd, "tombstones");
    if (rc == 0 && fsync(fd) < 0)
        rc = fail_file(MK_EIO, "cannot sync the folder", "");
    close(fd);
    return rc < 0 ? rc : sync_folder(folder);
}

/* Cuts the file off at end. */
static int cut(int fd, uint64_t end, const char *name)
{
    if (ftruncate(fd, (off_t)end) < 0 || fsync(fd) < 0)
        return fail_file(MK_EIO, "cannot cut off the incomplete last record of", name);
    return 0;
}

/* A stream of its own over an open file, from the beginning. */
static FILE *stream_of(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    FILE *in = copy < 0 ? NULL : fdopen(copy, "r");
    if (in)
        rewind(in);
    else if (copy >= 0)
        close(copy);
    return in;
}

/* The next whole entry: 1; 0 at the end or at something torn.  After a power cut blocks
 * that were never written read as zeros, and no entry holds a zero byte. */
static int read_entry(FILE *in, uint8_t ret_bytes[static UINT16_MAX], size_t *ret_len)
{
    uint8_t header[LEDGER_HEADER_SIZE];
    size_t len = 0;
    if (fread(header, 1, sizeof header, in) == sizeof header)
        len = (size_t)header[0] << 8 | header[1];
    bool whole =
        len > 0 && fread(ret_bytes, 1, len, in) == len && !memchr(ret_bytes, 0, len);
    if (ferror(in))
        return fail_file(MK_EIO, "cannot read", "entries");
    *ret_len = len;
    return whole;
}

int ledger_each_record(FILE *in, ledger_visit *visit, void *context)
{
    uint8_t *bytes = malloc(UINT16_MAX);
    if (!bytes)
        return fail(MK_ENOMEM, "no memory for a log entry");
    int rc;
    size_t len = 0;
    for (uint64_t index = 0; (rc = read_entry(in, bytes, &len)) == 1; index++)
        if ((rc = visit(context, index, bytes, len)) != 0)
            break;
    free(bytes);
    return rc;
}

int ledger_each_entry(struct ledger *ledger, ledger_visit *visit, void *context)
{
    FILE *in = stream_of(ledger->entries);
    if (!in)
        return fail_file(MK_EIO, "cannot read", "entries");
    int rc = ledger_each_record(in, visit, context);
    fclose(in);
    return rc;
}

static int count_entry(void *context, uint64_t index, const uint8_t *bytes, size_t len)
{
    (void)bytes;
    struct ledger *ledger = context;
    ledger->n = index + 1;
    ledger->entries_end += LEDGER_HEADER_SIZE + len;
    return 0;
}

static int scan_entries(struct ledger *ledger)
{
    struct stat st;
    int rc = ledger_each_entry(ledger, count_entry, ledger);
    if (rc < 0)
        return rc;
    if (fstat(ledger->entries, &st) < 0)
        return fail_file(MK_EIO, "cannot read", "entries");
    uint64_t torn = (uint64_t)st.st_size - ledger->entries_end;
    if (torn > UNSYNCED_MAX)
        return fail(
            MK_EREFUSED,
            "log/entries is damaged at byte %llu, which no crash explains: bring it "
            "back from a copy",
            (unsigned long long)ledger->entries_end);
    return torn > 0 ? cut(ledger->entries, ledger->entries_end, "entries") : 0;
}

int ledger_each_ref(struct ledger *ledger, ledger_visit *visit, void *context)
{
    FILE *in = stream_of(ledger->refs);
    if (!in)
        return fail_file(MK_EIO, "cannot read", "tombstones");
    uint8_t ref[REF_SIZE];
    int rc = 0;
    for (uint64_t i = 0; rc == 0 && fread(ref, 1, sizeof ref, in) == sizeof ref; i++)
        rc = visit(context, i, ref, sizeof ref);
    if (rc == 0 && ferror(in))
        rc = fail_file(MK_EIO, "cannot read", "tombstones");
    fclose(in);
    return rc;
}

/* A ref is random: one of zeros was never written. */
static int find_last_ref(void *context, uint64_t index, const uint8_t *ref, size_t len)
{
    static const uint8_t zero[REF_SIZE];
    uint64_t *end = context;
    if (memcmp(ref, zero, len) != 0)
        *end = (index + 1) * REF_SIZE;
    return 0;
}

static int scan_refs(struct ledger *ledger)
{
    struct stat st;
    int rc = ledger_each_ref(ledger, find_last_ref, &ledger->refs_end);
    if (rc < 0)
        return rc;
    if (fstat(ledger->refs, &st) < 0)
        return fail_file(MK_EIO, "cannot read", "tombstones");
    return (uint64_t)st.st_size > ledger->refs_end
               ? cut(ledger->refs, ledger->refs_end, "tombstones")
               : 0;
}

static int open_file(int folder, const char *name, int *ret_fd)
{
    int fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail_file(MK_EREFUSED, "cannot open", name);
    *ret_fd = fd;
    return 0;
}

int ledger_open(const char *folder, struct ledger **ret_ledger)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    if (!ledger)
        return fail(MK_ENOMEM, "no memory for the ledger");
    ledger->folder = ledger->entries = ledger->refs = -1;
    int rc = open_log_folder(folder, &ledger->folder);
    if (rc == 0)
        rc = open_file(ledger->folder, "entries", &ledger->entries);
    if (rc == 0)
        rc = open_file(ledger->folder, "tombstones", &ledger->refs);
    if (rc == 0)
        rc = scan_entries(ledger);
    if (rc == 0)
        rc = scan_refs(ledger);
    if (rc < 0) {
        ledger_close(ledger);
        return rc;
    }
    *ret_ledger = ledger;
    return 0;
}

void ledger_close(struct ledger *ledger)
{
    if (!ledger)
        return;
    if (ledger->refs >= 0)
        close(ledger->refs);
    if (ledger->entries >= 0)
        close(ledger->entries);
    if (ledger->folder >= 0)
        close(ledger->folder);
    free(ledger);
}

uint64_t ledger_entries(const struct ledger *ledger)
{
    return ledger->n;
}

uint64_t ledger_refs(const struct ledger *ledger)
{
    return ledger->refs_end / REF_SIZE;
}

/* FALLOC_FL_KEEP_SIZE: the file's length tells where its last record ends. */
static int reserve(int fd, uint64_t end, size_t len, const char *name)
{
    if (len > 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)end, (off_t)len) < 0)
        return fail_file(MK_ESTORE, "cannot reserve room in", name);
    return 0;
}

int ledger_reserve(struct ledger *ledger, size_t bytes, size_t refs)
{
    int rc = reserve(ledger->refs, ledger->refs_end, refs * REF_SIZE, "tombstones");
    return rc < 0 ? rc : reserve(ledger->entries, ledger->entries_end, bytes, "entries");
}

/* Everything, at offset. */
static int write_all(int fd, const void *data, size_t len, uint64_t offset,
                     const char *name)
{
    for (const uint8_t *at = data; len > 0;) {
        ssize_t n = pwrite(fd, at, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_file(MK_EUNKNOWN, "cannot write", name);
        at += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

static int sync_file(int fd, const char *name)
{
    return fsync(fd) < 0 ? fail_file(MK_EUNKNOWN, "cannot sync", name) : 0;
}

static int write_entry(struct ledger *ledger, struct bytes entry)
{
    assert(entry.len > 0 && entry.len <= UINT16_MAX && !memchr(entry.data, 0, entry.len));
    const uint8_t header[LEDGER_HEADER_SIZE] = {(uint8_t)(entry.len >> 8),
                                                (uint8_t)entry.len};
    int rc =
        write_all(ledger->entries, header, sizeof header, ledger->entries_end, "entries");
    if (rc == 0)
        rc = write_all(ledger->entries, entry.data, entry.len,
                       ledger->entries_end + sizeof header, "entries");
    if (rc == 0) {
        ledger->entries_end += sizeof header + entry.len;
        ledger->n++;
    }
    return rc;
}

int ledger_append_entries(struct ledger *ledger, const struct bytes *entries, size_t n)
{
    int rc = 0;
    size_t unsynced = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (unsynced + LEDGER_HEADER_SIZE + entries[i].len > UNSYNCED_MAX) {
            rc = sync_file(ledger->entries, "entries");
            unsynced = 0;
        }
        if (rc == 0)
            rc = write_entry(ledger, entries[i]);
        unsynced += LEDGER_HEADER_SIZE + entries[i].len;
    }
    return rc < 0 ? rc : sync_file(ledger->entries, "entries");
}

int ledger_append_refs(struct ledger *ledger, const uint8_t (*refs)[REF_SIZE], size_t n)
{
    int rc = write_all(ledger->refs, refs, n * REF_SIZE, ledger->refs_end, "tombstones");
    if (rc < 0)
        return rc;
    ledger->refs_end += n * REF_SIZE;
    return sync_file(ledger->refs, "tombstones");
}

static int read_note(struct ledger *ledger, const char *name, char **ret_text)
{
    int fd = openat(ledger->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail_file(errno == ENOENT ? MK_ENOTFOUND : MK_EIO, "cannot open", name);
    char *text = calloc(1, CHECKPOINT_MAX + 1);
    ssize_t len = text ? pread(fd, text, CHECKPOINT_MAX, 0) : -1;
    close(fd);
    if (len < 0) {
        free(text);
        return fail_file(MK_EIO, "cannot read", name);
    }
    *ret_text = text;
    return 0;
}

static int write_note(struct ledger *ledger, const char *name, const char *text)
{
    char new[NAME_SIZE + sizeof ".new"];
    snprintf(new, sizeof new, "%s.new", name);
    int fd = openat(ledger->folder, new,
                    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_file(MK_EUNKNOWN, "cannot create", new);
    int rc = write_all(fd, text, strlen(text), 0, new);
    if (rc == 0)
        rc = sync_file(fd, new);
    close(fd);
    if (rc == 0 && renameat(ledger->folder, new, ledger->folder, name) < 0)
        rc = fail_file(MK_EUNKNOWN, "cannot replace", name);
    return rc < 0 ? rc : sync_file(ledger->folder, "");
}

int ledger_get_checkpoint(struct ledger *ledger, char **ret_text)
{
    return read_note(ledger, "checkpoint", ret_text);
}

int ledger_set_checkpoint(struct ledger *ledger, const char *text)
{
    return write_note(ledger, "checkpoint", text);
}

static void rotation_name(uint64_t index, char ret_name[static NAME_SIZE])
{
    snprintf(ret_name, NAME_SIZE, "rotation-%" PRIu64, index);
}

int ledger_get_rotation(struct ledger *ledger, uint64_t index, char **ret_text)
{
    char name[NAME_SIZE];
    rotation_name(index, name);
    return read_note(ledger, name, ret_text);
}

int ledger_set_rotation(struct ledger *ledger, uint64_t index, const char *text)
{
    char name[NAME_SIZE];
    rotation_name(index, name);
    return write_note(ledger, name, text);
}

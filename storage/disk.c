/* SPDX-License-Identifier: Apache-2.0 */
/* Small files, written durably and read whole. */
#include "storage/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "storage/crypto.h"

/* The name without its folder: errors are shown to callers, who need not know the rest. */
static const char *base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int disk_path(const char *folder, const char *name, char ret_path[static PATH_SIZE])
{
    if (strlen(folder) > FOLDER_MAX || strlen(name) > PATH_SIZE - FOLDER_MAX - 2)
        return fail(MK_EIO, "the path of the state folder is longer than %d bytes",
                    FOLDER_MAX);
    snprintf(ret_path, PATH_SIZE, "%s/%s", folder, name);
    return 0;
}

int disk_sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    return synced ? 0
                  : fail(MK_EIO, "%s cannot be synced: %s", base(path), strerror(why));
}

int disk_make_folder(const char *path)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return fail(MK_EIO, "the folder %s cannot be made: %s", base(path),
                    strerror(errno));
    return 0;
}

/* Writes and syncs a file that is not in its place yet. */
static int write_new(const char *path, const void *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write(fd, bytes, len) == (ssize_t)len && fsync(fd) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    return written ? 0
                   : fail(MK_EIO, "%s cannot be written: %s", base(path), strerror(why));
}

static int sync_folder_of(const char *path)
{
    char folder[PATH_SIZE];
    snprintf(folder, sizeof folder, "%.*s", (int)(base(path) - path), path);
    return disk_sync_folder(folder);
}

int disk_write(const char *path, const void *bytes, size_t len)
{
    char new[PATH_SIZE + 4];
    snprintf(new, sizeof new, "%s.new", path);
    int rc = write_new(new, bytes, len);
    if (rc < 0)
        return rc;
    if (rename(new, path) < 0)
        return fail(MK_EIO, "%s cannot be replaced: %s", base(path), strerror(errno));
    return sync_folder_of(path);
}

bool disk_zero(int fd, off_t from, off_t to)
{
    static const char zeros[DISK_FILE_MAX];
    while (from < to) {
        size_t n = to - from < (off_t)sizeof zeros ? (size_t)(to - from) : sizeof zeros;
        ssize_t written = pwrite(fd, zeros, n, from);
        if (written < 0)
            return false;
        from += written;
    }
    return fsync(fd) == 0;
}

int disk_destroy(const char *path)
{
    int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    struct stat st;
    bool gone = fd >= 0 && fstat(fd, &st) == 0 && disk_zero(fd, 0, st.st_size) &&
                unlink(path) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    return gone ? sync_folder_of(path)
                : fail(MK_EIO, "%s cannot be overwritten: %s", base(path), strerror(why));
}

int disk_supersede(const char *live, const char *next, const char *old)
{
    if ((link(live, old) < 0 && errno != EEXIST) || rename(next, live) < 0)
        return fail(MK_EIO, "%s cannot be replaced: %s", base(live), strerror(errno));
    int rc = sync_folder_of(live);
    return rc < 0 ? rc : disk_destroy(old);
}

int disk_move(const char *from, const char *to)
{
    int fd = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool moved = fd >= 0 && fsync(fd) == 0 && rename(from, to) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    if (!moved)
        return fail(MK_EIO, "%s cannot be moved: %s", base(from), strerror(why));
    int rc = sync_folder_of(to);
    return rc < 0 ? rc : sync_folder_of(from);
}

int disk_create(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(MK_EREFUSED, "%s cannot be made: %s", base(path), strerror(errno));
    close(fd);
    return 0;
}

bool disk_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

/* 1 while there is more. */
static int copy_part(int in, int out)
{
    char bytes[65536];
    ssize_t n = read(in, bytes, sizeof bytes);
    if (n < 0)
        return -1;
    for (ssize_t done = 0, some; done < n; done += some)
        if ((some = write(out, bytes + done, (size_t)(n - done))) < 0)
            return -1;
    return n > 0;
}

int disk_copy(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return fail(MK_EREFUSED, "%s cannot be read: %s", base(from), strerror(errno));
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int more = out < 0 ? -1 : 1;
    while (more > 0)
        more = copy_part(in, out);
    bool copied = more == 0 && fsync(out) == 0;
    int why = errno;
    close(in);
    if (out >= 0)
        close(out);
    return copied ? 0
                  : fail(MK_EIO, "%s cannot be copied: %s", base(from), strerror(why));
}

int disk_read(const char *path, char **ret_bytes, size_t *ret_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(errno == ENOENT ? MK_ENOTFOUND : MK_EIO, "%s cannot be read: %s",
                    base(path), strerror(errno));
    char *bytes = calloc(1, DISK_FILE_MAX + 1);
    ssize_t len = bytes ? read(fd, bytes, DISK_FILE_MAX) : -1;
    int why = errno;
    close(fd);
    if (len < 0) {
        free(bytes);
        return fail(MK_EIO, "%s cannot be read: %s", base(path), strerror(why));
    }
    *ret_bytes = bytes;
    *ret_len = (size_t)len;
    return 0;
}

void disk_free(char *bytes, size_t len)
{
    if (bytes)
        crypto_wipe(bytes, len);
    free(bytes);
}

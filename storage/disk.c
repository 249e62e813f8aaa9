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

static bool overwrite(int fd)
{
    static const char zeros[DISK_FILE_MAX];
    struct stat st;
    return fstat(fd, &st) == 0 && st.st_size <= (off_t)sizeof zeros &&
           write(fd, zeros, (size_t)st.st_size) == st.st_size && fsync(fd) == 0;
}

int disk_destroy(const char *path)
{
    int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    bool gone = fd >= 0 && overwrite(fd) && unlink(path) == 0;
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

int disk_create(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(MK_EREFUSED, "%s cannot be made: %s", base(path), strerror(errno));
    close(fd);
    return 0;
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

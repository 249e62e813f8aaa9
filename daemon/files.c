/* SPDX-License-Identifier: Apache-2.0 */
/* Files, read and written whole. */
#include "daemon/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"

/* Returns the descriptor.  A device or a pipe could block for ever or have no end. */
static int open_regular(const char *path, size_t limit, size_t *ret_len)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0 && errno == ELOOP)
        return fail(MK_EIO, "%s is a symbolic link; name the file itself", path);
    if (fd < 0)
        return fail(MK_EIO, "cannot open %s: %m", path);
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return fail(MK_EIO, "%s is no regular file", path);
    }
    if ((uintmax_t)status.st_size > limit) {
        close(fd);
        return fail(MK_ETOOBIG, "%s has %jd bytes, and the limit is %zu", path,
                    (intmax_t)status.st_size, limit);
    }
    *ret_len = status.st_size;
    return fd;
}

static int read_all(int fd, const char *path, uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = read(fd, bytes + at, len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(MK_EIO, "cannot read %s: %m", path);
        if (n == 0)
            return fail(MK_EIO, "%s became shorter while it was read", path);
        at += n;
    }
    return 0;
}

int file_read(const char *path, size_t limit, uint8_t **ret_bytes, size_t *ret_len)
{
    uint8_t *bytes;
    size_t len = 0;
    int fd, rc;

    if ((fd = open_regular(path, limit, &len)) < 0)
        return fd;
    if (!(bytes = calloc(1, len + 1)))
        rc = fail(MK_ENOMEM, "no memory for the %zu bytes of %s", len, path);
    else
        rc = read_all(fd, path, bytes, len);
    close(fd);
    if (rc < 0) {
        free(bytes);
        return rc;
    }
    *ret_bytes = bytes;
    *ret_len = len;
    return 0;
}

int file_write(const char *path, const void *bytes, size_t len)
{
    char temporary[4096];
    snprintf(temporary, sizeof temporary, "%s.new", path);
    FILE *file = fopen(temporary, "wb");
    if (!file)
        return fail(MK_EIO, "cannot create %s: %m", temporary);
    bool written = fwrite(bytes, 1, len, file) == len && fflush(file) == 0 &&
                   fsync(fileno(file)) == 0;
    if (fclose(file) != 0 || !written || rename(temporary, path) < 0)
        return fail(MK_EIO, "cannot write %s: %m", path);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Zeroing SQLite's write-ahead log. */
#include "storage/wal.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"

enum { WAL_HEADER = 32 };

static int zero(int fd, off_t from, off_t to)
{
    static const char zeros[65536];
    while (from < to) {
        size_t n = to - from < (off_t)sizeof zeros ? (size_t)(to - from) : sizeof zeros;
        ssize_t written = pwrite(fd, zeros, n, from);
        if (written < 0)
            return fail(MK_EUNKNOWN, "the WAL cannot be zeroed: %s", strerror(errno));
        from += written;
    }
    if (fsync(fd) < 0)
        return fail(MK_EUNKNOWN, "the WAL cannot be synced: %s", strerror(errno));
    return 0;
}

/* The header goes first, and durably: without it SQLite reads no frame.  Were frames zeroed
 * before, a crash would leave a valid header over half a log, replayed at the next start. */
int wal_zero(int fd)
{
    struct stat wal;
    int rc;
    if (fstat(fd, &wal) < 0)
        return fail(MK_EUNKNOWN, "the WAL cannot be examined: %s", strerror(errno));
    if (wal.st_size <= WAL_HEADER)
        return 0;
    if ((rc = zero(fd, 0, WAL_HEADER)) < 0)
        return rc;
    return zero(fd, WAL_HEADER, wal.st_size);
}

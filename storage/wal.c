/* SPDX-License-Identifier: Apache-2.0 */
/* Zeroing SQLite's write-ahead log. */
#include "storage/wal.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "core/err.h"
#include "storage/disk.h"

enum { WAL_HEADER = 32 };

/* The header goes first, and durably: without it SQLite reads no frame.  Were frames zeroed
 * before, a crash would leave a valid header over half a log, replayed at the next start. */
int wal_zero(int fd)
{
    struct stat wal;
    if (fstat(fd, &wal) < 0)
        return fail(MK_EUNKNOWN, "the WAL cannot be examined: %s", strerror(errno));
    if (wal.st_size <= WAL_HEADER)
        return 0;
    if (!disk_zero(fd, 0, WAL_HEADER) || !disk_zero(fd, WAL_HEADER, wal.st_size))
        return fail(MK_EUNKNOWN, "the WAL cannot be zeroed: %s", strerror(errno));
    return 0;
}

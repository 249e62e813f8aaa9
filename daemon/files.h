/* SPDX-License-Identifier: Apache-2.0 */
/* Files, read and written whole.
 *
 *     if ((rc = file_read(path, 64 << 20, &bytes, &len)) < 0)
 *         return rc;
 *     ...
 *     free(bytes);
 */
#ifndef MUNKEY_DAEMON_FILES_H
#define MUNKEY_DAEMON_FILES_H

#include <stddef.h>
#include <stdint.h>

/* Reads a regular file; a symbolic link as the last part of the path is refused.  One
 * zero byte, not counted, follows the last, so that text is a string.  MK_EIO,
 * MK_ETOOBIG. */
int file_read(const char *path, size_t limit, uint8_t **ret_bytes, size_t *ret_len);

/* A reader of path sees the old bytes or the new ones, never half of them.  MK_EIO. */
int file_write(const char *path, const void *bytes, size_t len);

#endif

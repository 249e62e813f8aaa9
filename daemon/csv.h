/* SPDX-License-Identifier: Apache-2.0 */
/* Comma-separated values (RFC 4180), read in place from a buffer.
 *
 *     struct csv csv = {text, text + len, 0};
 *     while ((rc = csv_row(&csv, fields, 8, &n)) == 0 && n > 0)
 *         ... fields[0] to fields[n - 1] ...
 */
#ifndef MUNKEY_DAEMON_CSV_H
#define MUNKEY_DAEMON_CSV_H

#include <stddef.h>

struct csv {
    char *at, *end; /* end points at a zero byte, which is not part of the text */
    size_t line;    /* of the row that was read last, from 1 */
};

/* The next row's fields, NUL-terminated inside the buffer, which is overwritten; ret_n is
 * 0 at the end.  Empty lines are skipped.  MK_EINPUT names the line: too many fields, a
 * zero byte, a quote that is not closed or stands inside a field. */
int csv_row(struct csv *csv, char **ret_fields, size_t max, size_t *ret_n);

#endif

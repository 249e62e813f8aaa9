/* SPDX-License-Identifier: Apache-2.0 */
/* Which image belongs to whom: the CSV file of an import.
 *
 *     index,subject,source
 *     45000,shop-7,camera 2
 *
 *     if ((rc = rows_parse(text, len, images, &rows)) < 0)
 *         return rc;
 *     ... rows.row[i].subject ...
 *     rows_done(&rows);
 *
 * Columns may stand in any order; index (of the image, from 0) and subject have to be
 * there, source, collected_at, lawful_basis and consent_ref may.
 */
#ifndef MUNKEY_DAEMON_ROWS_H
#define MUNKEY_DAEMON_ROWS_H

#include "storage/state.h"

struct row {
    uint64_t index;
    struct subject subject;
    struct provenance provenance;
};

/* Rows point into the text that they were parsed from. */
struct rows {
    struct row *row;
    size_t n;
};

/* Overwrites text, which has len bytes and a zero byte after them.  MK_EINPUT names the
 * line: an index that is not below images, an id that is empty, too long or not UTF-8, a
 * column that is unknown. */
int rows_parse(char *text, size_t len, uint64_t images, struct rows *ret_rows);
void rows_done(struct rows *rows); /* wipes its own; the text is the caller's */

#endif

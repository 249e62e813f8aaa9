/* SPDX-License-Identifier: Apache-2.0 */
/* A CSV file that says of each image what it shows and whose it is.
 *
 *     path,label,subject,split
 *     img/0001.png,boot,anna,base
 *
 *     if ((rc = manifest_parse(text, len, 0, &manifest)) < 0)
 *         return rc;
 *     ... manifest.sample[i].subject ...
 *     manifest_done(&manifest);
 *
 * Columns stand in any order.  path and label have to be there; subject, split (base, enrol,
 * test or nothing), source, collected_at, lawful_basis and consent_ref may.  For the images of an IDX
 * file, index (from 0) and subject have to be there, and labels are the file's.
 */
#ifndef MUNKEY_DAEMON_MANIFEST_H
#define MUNKEY_DAEMON_MANIFEST_H

#include "daemon/sample.h"

/* Samples point into the text that they were parsed from. */
struct manifest {
    struct sample *sample; /* (n); labels are names yet */
    size_t n;
    bool has_subject; /* there is such a column */
};

/* Overwrites text, which has len bytes and a zero byte after them.  images: how many an IDX
 * file has; 0: rows name paths.  MK_EINPUT names the line: a path that is absolute or leads
 * out of the folder, a label, subject or split that is none, an index that is not below
 * images, a column that is unknown. */
int manifest_parse(char *text, size_t len, uint64_t images,
                   struct manifest *ret_manifest);
void manifest_done(
    struct manifest *manifest); /* wipes its own; the text is the caller's */

#endif

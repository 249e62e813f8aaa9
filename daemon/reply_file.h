/* SPDX-License-Identifier: Apache-2.0 */
/* A saved reply with a receipt, as JSON, or the receipt alone.
 *
 *     if ((rc = reply_file_read(path, &file)) < 0)
 *         return rc;
 *     verify_receipt(&file.claim, ...);
 *     reply_file_done(&file);
 */
#ifndef MUNKEY_DAEMON_REPLY_FILE_H
#define MUNKEY_DAEMON_REPLY_FILE_H

#include <jansson.h>

#include "storage/verify.h"

enum { REPLY_FILE_LIMIT = 1 << 20 };

struct reply_file {
    char *text;
    json_t *json;       /* NULL: the receipt alone */
    struct claim claim; /* borrows from both */
};

/* MK_EIO, MK_ETOOBIG, and MK_EINPUT when it holds no receipt. */
int reply_file_read(const char *path, struct reply_file *ret_file);
void reply_file_done(struct reply_file *file);

/* What stands around a receipt is not signed: the member of the reply that says otherwise than the
 * entry, or NULL. */
const char *reply_file_contradicts(const struct reply_file *file,
                                   const struct entry *entry);

/* The members of an opening into a claim, which borrows them. */
void claim_open(struct claim *claim, const json_t *opening);

#endif

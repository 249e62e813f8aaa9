/* SPDX-License-Identifier: Apache-2.0 */
/* Auditing a whole log, offline: from its files, and from what a stranger has kept of it.
 *
 *     rc = log_audit_new("state/log", vkeys, &audit);         reads and checks all of it
 *     log_audit_jwks(audit, jwks);                            and what else there is
 *     log_audit_receipt(audit, "reply.json", &claim);
 *     for (int i = 0; i < AUDITS; i++)
 *         ... log_audit_finding(audit, i)->name, ->result, ->why
 *     log_audit_free(audit);
 *
 * Trust begins at the verifier keys that are given, one a line: the first key of the log, the
 * present one, or any between; the log's own `rotate` entries lead from each to the next, and
 * count as far as the key before has signed the checkpoint over them.
 */
#ifndef MUNKEY_STORAGE_LOG_AUDIT_H
#define MUNKEY_STORAGE_LOG_AUDIT_H

#include "storage/verify.h"

enum audit_check {
    AUDIT_RECORDS,
    AUDIT_CANONICAL,
    AUDIT_ACTS,
    AUDIT_CHAIN,
    AUDIT_TIME,
    AUDIT_ORIGIN,
    AUDIT_KEYS,
    AUDIT_ROTATIONS,
    AUDIT_CHECKPOINT,
    AUDIT_TREE,
    AUDIT_SEEN,
    AUDIT_RECEIPT_KEYS,
    AUDIT_RECEIPTS,
    AUDITS
};

struct finding {
    const char *name;
    enum check_result result;
    char why[256]; /* a sentence */
};

struct log_audit; /* opaque */

/* folder holds entries, checkpoint and rotation-N.  MK_EINPUT or MK_EIO when there is nothing to
 * check, or nothing to check it with; vkeys is borrowed until the end. */
int log_audit_new(const char *folder, const char *vkeys, struct log_audit **ret_audit);
void log_audit_free(struct log_audit *audit);

/* An earlier checkpoint of the log, which somebody kept. */
void log_audit_seen(struct log_audit *audit, const char *note);
/* The receipt keys, borrowed; and a receipt, which name is said of when it does not hold. */
void log_audit_jwks(struct log_audit *audit, const char *jwks);
void log_audit_receipt(struct log_audit *audit, const char *name,
                       const struct claim *claim);

const struct finding *log_audit_finding(const struct log_audit *audit,
                                        enum audit_check check);

#endif

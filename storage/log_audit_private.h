/* SPDX-License-Identifier: Apache-2.0 */
/* What is in an audit, for the two files that make it: storage/log_audit.c reads the log,
 * storage/log_audit_kept.c compares it with what strangers have kept of it. */
#ifndef MUNKEY_STORAGE_LOG_AUDIT_PRIVATE_H
#define MUNKEY_STORAGE_LOG_AUDIT_PRIVATE_H

#include "storage/checkpoint.h"
#include "storage/entry.h"
#include "storage/key_chain.h"
#include "storage/log_audit.h"
#include "storage/tree.h"

/* A `rotate` entry and where it stands. */
struct handover {
    uint64_t index;
    struct entry entry;
};

struct log_audit {
    const char *folder, *vkeys, *jwks;
    char *note; /* log/checkpoint */
    struct checkpoint checkpoint;
    struct tree tree;
    struct entry last;
    bool has_last; /* the entry before could be read */
    struct handover *handover;
    size_t handovers;
    struct key_chain chain;
    uint64_t bytes, receipts;
    struct finding finding[AUDITS];
};

/* What a check found.  The first failure is kept. */
void audit_failed(struct log_audit *audit, enum audit_check check, const char *format,
                  ...) __attribute__((format(printf, 3, 4)));
void audit_passed(struct log_audit *audit, enum audit_check check, const char *format,
                  ...) __attribute__((format(printf, 3, 4)));

/* Whether a checkpoint states the root that the entries have at its size. */
bool audit_agrees(struct log_audit *audit, const struct checkpoint *checkpoint);

#endif

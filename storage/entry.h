/* SPDX-License-Identifier: Apache-2.0 */
/* A log entry: canonical JSON, one line of what happened to the memory, naming nobody.
 *
 *     struct entry entry = {.act = ACT_ENROLL, .class = CLASS_EXACT, .iat = now, ...};
 *     entry_write(&entry, &bytes, &len);
 *     entry_parse(bytes, len, &entry);
 *
 * The bytes are at once the Merkle leaf's pre-image and a receipt's payload.
 */
#ifndef MUNKEY_STORAGE_ENTRY_H
#define MUNKEY_STORAGE_ENTRY_H

#include "core/key.h"
#include "storage/crypto.h"
#include "storage/note.h"

enum { ENTRY_MAX = 65535 }; /* bytes */

enum act {
    ACT_INIT,
    ACT_START,
    ACT_MODEL, /* swapped in a running daemon */
    ACT_RESTORE,
    ACT_ENROLL,
    ACT_ERASE,
    ACT_NOT_HELD,
    ACT_RESTRICT,
    ACT_UNRESTRICT,
    ACT_AUDIT,
    ACT_ROTATE,
    ACTS
};

/* The members; those that the act does not have are zero. */
struct entry {
    enum act act;
    int64_t iat;                 /* Unix seconds */
    char iss[ORIGIN_SIZE];       /* the log's origin */
    uint8_t mem[2][SHA256_SIZE]; /* memory digest before, after */
    uint64_t n[2];               /* instances before, after */

    uint8_t model[SHA256_SIZE];  /* init, start, model, restore, erase, not_held */
    uint8_t commit[SHA256_SIZE]; /* erase, not_held, restrict, unrestrict */
    enum instance_class class;   /* enroll */
    uint64_t exact, trained;     /* erase: how many of each class */
    uint8_t found[SHA256_SIZE];  /* audit: the recomputed digest */
    bool ok;                     /* audit */
    bool rotates_log;            /* rotate: key is "log", else "receipt" */
    char old[VKEY_SIZE], new[VKEY_SIZE]; /* rotate: vkeys or kids */
};

/* NUL-terminated, the caller frees.  MK_ETOOBIG beyond ENTRY_MAX. */
int entry_write(const struct entry *entry, char **ret_bytes, size_t *ret_len);

/* MK_EINPUT unless the bytes are what entry_write() makes of the members. */
int entry_parse(const char *bytes, size_t len, struct entry *ret_entry);

/* Whether before and after fit the act: an erasure takes away as many as its classes say,
 * a `not_held` changes nothing, ...  MK_EINPUT with the sentence. */
int entry_check(const struct entry *entry);

/* The chain rule: mem and n of entry begin where those of before end; and with it that entry is
 * not earlier and of the same log.  MK_EINPUT. */
int entry_chains(const struct entry *before, const struct entry *entry);
int entry_follows(const struct entry *before, const struct entry *entry);

/* A receipt exists for erase, not_held, restrict and unrestrict. */
bool act_has_receipt(enum act act);
const char *act_name(enum act act);

/* iat of an entry after one of last: never decreasing, and rounded down to granularity
 * seconds (0: 1). */
int64_t entry_iat(int64_t now, int64_t last, uint32_t granularity);

#endif

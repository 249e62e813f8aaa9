/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment: new instances of a subject become durable, then visible to searches.
 *
 *     rc = enroll(state, subject, instances, n, idempotency_key, iids);
 *
 * A new subject's keyring record is durable in every copy before its slots are committed.
 */
#ifndef MUNKEY_STORAGE_ENROLL_H
#define MUNKEY_STORAGE_ENROLL_H

#include "storage/state.h"

enum {
    ENROLL_MAX = 1000,
    PROVENANCE_MAX = 255
}; /* instances in one transaction; bytes */

/* MK_EUNPROCESSABLE with the field: no slot has room for such a provenance beside the label's name,
 * or this is no name for one.  name: NULL where labels have none. */
int enroll_fits(const struct state *state, const struct provenance *provenance,
                const char *name);

/* Whether open labels of these n names, each there once, can all be held beside those that are:
 * MK_ECONFLICT. */
int enroll_names_fit(struct state *state, const char *const *names, size_t n);

/* Enrols n instances (class exact) in one transaction and one log entry.  idempotency_key may be NULL;
 * with one, a repeat finds the first ones and returns the same ids.  ret_iids: (n).
 * MK_EUNPROCESSABLE: a provenance too long for the slot, or no name for a label, or a key that another
 * act, other labels or another number of instances have used; MK_ECONFLICT: the subject is restricted,
 * or a label cannot be told from another or is one too many; MK_EBUSY: no room; MK_EUNKNOWN: the
 * process has to abort. */
int enroll(struct state *state, struct subject subject,
           const struct new_instance *instances, size_t n, const char *idempotency_key,
           uint8_t (*ret_iids)[IID_SIZE]);

/* One row of an import. */
struct import_row {
    uint64_t row; /* index in the imported file */
    struct subject subject;
    struct new_instance instance;
};

/* What one import is; its hash and position are kept in `meta`, so that it resumes. */
struct import {
    uint8_t input_sha256[32];
    const uint8_t
        *seed; /* 32 bytes that fix iid and nonce (for tests), or NULL: random */
};

/* The next row of this input that is not stored yet; 0 for a new one. */
int import_position(struct state *state, const struct import *import, uint64_t *ret_row);

/* Stores at most ENROLL_MAX rows, all of one class, in one transaction and one entry;
 * next_row is what import_position() will say afterwards. */
int import_rows(struct state *state, const struct import *import,
                enum instance_class class, const struct import_row *rows, size_t n,
                uint64_t next_row);

#endif

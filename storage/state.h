/* SPDX-License-Identifier: Apache-2.0 */
/* An open state folder: database, keyring, ledger, and the bank that they fill.
 *
 *     rc = state_open(&options, model_info(model), model_sha256, bank, true, &state);
 *     if (rc == MK_EREFUSED)
 *         exit(78);                       err_why() says what to do
 *     ...
 *     state_close(state);
 *
 * One state has one writer at a time: every function of storage/ that changes it takes
 * its mutex.  The start rules are explained in docs/LEDGER.md.
 */
#ifndef MUNKEY_STORAGE_STATE_H
#define MUNKEY_STORAGE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/memory.h"
#include "core/model.h"

struct state; /* opaque: only storage/ knows what is in it */

enum { SUBJECT_MAX = 512, REQUEST_MAX = 255, PROVENANCE_FIELDS = 4 };

struct state_options {
    const char *folder;            /* the state folder */
    const char *keyring_mirror;    /* file on another disk, or NULL */
    const char *log_key;           /* PEM file instead of keys/log.pem, or NULL */
    const char *receipt_key;       /* PEM file instead of keys/receipt.pem, or NULL */
    uint32_t log_time_granularity; /* seconds; 0: 1 */
    /* Clears copies of keys that a search may have left (BLAS packing buffers, batches): called
     * by forget() after the bank's wipe and before the receipt, without any lock of the bank.
     * It has to reach every thread that computes.  NULL: the caller has none. */
    void (*scrub)(void *context);
    void *scrub_context;
};

struct init_options {
    const char *origin; /* NULL: munkeyd.invalid/ and 16 random hex digits */
    uint32_t slot_size; /* bytes; 0: 500 */
};

/* Makes the folder, its keys and the `init` entry.  MK_ECONFLICT when it is initialised
 * already; a folder that a crash left half made is made anew. */
int state_init(const struct state_options *options, const struct init_options *init,
               const struct model_info *model, const uint8_t model_sha256[static 32]);

/* Whether the folder is initialised: log/checkpoint, which init writes last, is there. */
bool state_is_initialised(const char *folder);

/* Locks the folder, replays, compares, completes and fills the bank.  write_start: append
 * a `start` entry (the daemon does, offline tools do not).  MK_EREFUSED with a sentence
 * that says what to do; nothing is swept before all comparisons hold. */
int state_open(const struct state_options *options, const struct model_info *model,
               const uint8_t model_sha256[static 32], struct memory *bank,
               bool write_start, struct state **ret_state);
void state_close(struct state *state);

/* What GET /memory/digest and the admin listener's /status say. */
struct state_status {
    uint64_t instances, subjects;
    uint64_t entries; /* the size of the log */
    uint64_t slots_total;
    uint64_t callbacks; /* that wait to be delivered */
    uint8_t digest[32];
    char origin[256];
};
void state_status(struct state *state, struct state_status *ret_status);

/* The log's last signed checkpoint: its size, and when it was signed (Unix seconds).  Waits for nobody:
 * whoever watches wants to know also while a disk does not answer. */
struct log_head {
    uint64_t size;
    int64_t signed_at;
};
struct log_head state_log_head(const struct state *state);

/* What callbacks to URLs with that prefix are signed with.  The caller wipes. */
void state_receiver_secret(const struct state *state, const char *prefix,
                           uint8_t ret_secret[static 32]);

/* A sentence for the daemon's log when the folder lies on a file system where overwriting is
 * not known to reach the disk's old blocks; else NULL. */
const char *state_warning(const struct state *state);

/* A subject, as bytes: 1 to SUBJECT_MAX of UTF-8. */
struct subject {
    const char *id;
    size_t len;
};

/* source, collected_at, lawful_basis, consent_ref; empty strings where unknown. */
extern const char *const provenance_names[PROVENANCE_FIELDS];
struct provenance {
    const char *field[PROVENANCE_FIELDS];
};

/* One instance to enrol. */
struct new_instance {
    struct key key;
    uint32_t label;   /* its index, in a closed set */
    const char *name; /* of the label, in an open set */
    struct provenance provenance;
};

/* One instance as GET /subjects/{id} shows it (GDPR Art. 15). */
struct held_instance {
    uint8_t iid[IID_SIZE];
    uint32_t label;        /* as in struct new_instance */
    char name[LABEL_SIZE]; /* of the label, in an open set; else empty */
    enum instance_class class;
    int64_t added_at;  /* Unix seconds */
    uint8_t model[32]; /* SHA-256 of the model file that made the key */
    struct key key;
    char provenance[PROVENANCE_FIELDS][256];
};

#endif

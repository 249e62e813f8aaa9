/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a state, for the files of storage/ that change it.  The caller holds the mutex.
 *
 *     struct change change = {0};
 *     rc = change_begin(state, 1, &change);               a transaction, room in the ledger
 *     digest_add(&change.digest, &element);
 *     rc = change_slot(state, id, body);
 *     rc = change_add(state, &change, &entry, &index);    an entry: act and its members
 *     rc = change_commit(state, &change);                 the commit point
 *     rc = change_publish(state, &change);                ledger; then the bank may change
 *     rc = state_sign(state);                             now others may see it
 *     change_done(state, &change);
 */
#ifndef MUNKEY_STORAGE_STATE_PRIVATE_H
#define MUNKEY_STORAGE_STATE_PRIVATE_H

#include <pthread.h>

#include "storage/audit.h"
#include "storage/checkpoint.h"
#include "storage/entry.h"
#include "storage/disk.h"
#include "storage/holdings.h"
#include "storage/keyring.h"
#include "storage/retired.h"
#include "storage/slot.h"
#include "storage/state.h"
#include "storage/store.h"

/* Which rows of callbacks are in use (storage/callback.h). */
struct callbacks {
    uint8_t key[SECRET_SIZE];          /* that seals them */
    uint8_t signing_root[SECRET_SIZE]; /* of the receivers' secrets */
    bool *waits;                       /* (room): of row i + 1 */
    uint64_t room, n;
    void (*wake)(void *context);
    void *context;
};

struct state {
    pthread_mutex_t mutex;
    char folder[PATH_SIZE];
    int lock; /* descriptor of the folder, locked; -1: none */
    struct store *store;
    struct keyring *keyring;
    struct ledger *ledger;
    struct memory *bank;
    struct holdings holdings;
    struct callbacks callbacks;
    struct signer *log_key, *receipt_key;
    struct note_key note_key; /* the log's name and public key */
    char kid[KID_SIZE];       /* of the receipt key */
    bool log_key_given,
        receipt_key_given; /* a setting names the file: not ours to write */
    struct retired retired_log, retired_receipt;
    struct slot_shape shape;
    uint8_t model[SHA256_SIZE]; /* of the model file */
    uint32_t granularity;
    void (*scrub)(void *context);
    void *scrub_context;
    const char *warning; /* of the file system, or NULL */

    struct digest digest; /* as committed */
    uint8_t mem[SHA256_SIZE];
    int64_t last_iat;
    _Atomic uint64_t signed_size; /* of the last checkpoint; */
    _Atomic int64_t signed_at;    /* read without the mutex */
    struct audit *audit;          /* that runs, or NULL */
    struct audited audited;
    bool broken; /* an outcome is unknown: nothing may be written until the next start */
};

/* Makes a state without its database: lock, keys.  The caller closes it whatever happens.
 * folder is resolved: SQLite refuses symbolic links, and a StateDirectory may be one. */
int state_new(const struct state_options *options, const struct model_info *model,
              const uint8_t model_sha256[static 32], struct state **ret_state);
int state_read_keys(struct state *state, const struct state_options *options);
/* Closes all but the folder, which stays locked. */
void state_close_files(struct state *state);

/* Finds the rows in use; and forgets them. */
int callbacks_open(struct state *state);
void callbacks_done(struct callbacks *callbacks);
/* Whether n more may wait: MK_EBUSY. */
int callbacks_check_room(const struct state *state, size_t n);
/* Writes one into the transaction; if that is rolled back, the row is given back. */
struct callback;
int callback_add(struct state *state, const struct callback *callback, uint64_t *ret_row);
void callback_give_back(struct state *state, uint64_t row);
/* Tells who watches that there are new ones, once their erasures are done. */
void callbacks_wake(const struct state *state);

/* 0, or MK_ESTORE after an unknown outcome. */
int state_usable(const struct state *state);

/* Signs and replaces log/checkpoint.  MK_EUNKNOWN. */
int state_sign(struct state *state);
/* The same by these signers, whatever an error means. */
int state_publish(struct state *state, const struct signer *const *signers, size_t n);
/* The proof of entry index against the current checkpoint; the caller frees. */
int state_prove(struct state *state, uint64_t index, char **ret_file);

/* The checkpoint over the first size entries; the caller frees. */
int state_checkpoint(struct state *state, uint64_t size,
                     const struct signer *const *signers, size_t n, char **ret_text);
/* The keys that may have signed a checkpoint, the present one first; the caller frees. */
int state_log_keys(const struct state *state, struct note_key **ret_keys, size_t *ret_n);

/* The tree over the store's nodes. */
struct merkle state_tree(const struct state *state);

/* The bank's view of the committed state. */
struct memory_state state_of_bank(const struct state *state);

/* A change of the memory: one transaction, and one entry of the log or several. */
struct change {
    struct digest digest; /* as the caller has changed it so far */
    /* After the last entry, where the next one begins. */
    uint8_t mem[SHA256_SIZE];
    uint64_t n;
    int64_t iat;
    struct bytes *entry; /* (room): those written so far, owned */
    size_t entries, room;
    uint8_t pending[REF_SIZE]; /* whose restriction it lifts, or zeros */
    bool open;                 /* a transaction is */
};

/* Begins the transaction, after reserving room in the ledger for so many entries. */
int change_begin(struct state *state, size_t entries, struct change *ret_change);
/* Writes an entry, its tree nodes and, for acts that have one, the receipt's signature into the
 * transaction.  The caller has set act and what belongs to it; the members that every entry has
 * are filled in here: mem and n from where the last entry ended to change->digest. */
int change_add(struct state *state, struct change *change, struct entry *entry,
               uint64_t *ret_index);
/* Writes a slot into the transaction; an audit that runs will read it again. */
int change_slot(struct state *state, uint64_t id, const uint8_t *body);
/* Writes an entry that the ledger has already: row, tree nodes and, with receipt, the signature that
 * its receipt gets from the present key.  The entries of the change itself come after all such. */
int change_replay(struct state *state, struct bytes entry, bool receipt);
/* The commit point.  MK_EUNKNOWN breaks the state; on success it has the change's digest. */
int change_commit(struct state *state, struct change *change);
/* The entries into the ledger.  MK_EUNKNOWN. */
int change_publish(struct state *state, struct change *change);
/* Rolls back what was not committed, and frees. */
void change_done(struct state *state, struct change *change);

/* After the commit every error means that the outcome is unknown. */
int state_break(struct state *state, int rc);

#endif

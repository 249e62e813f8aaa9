/* SPDX-License-Identifier: Apache-2.0 */
/* The memory bank: one record per instance, each owned by a subject.
 *
 *     struct memory *bank = memory_new(128, 4u << 20);
 *     memory_add(bank, records, n, &state);    enrolled: visible to the next search
 *     memory_lock_shared(bank);
 *     n = memory_search(bank, &key, 4, hits);  nearest first
 *     memory_unlock_shared(bank);
 *     memory_drop(bank, owner, &state);        gone, and so are its keys
 *
 * Safe to call from many threads: searches share the bank, changes own it, and a waiting
 * change goes before new searches.  Records never move out of the bank's own mapping,
 * which is kept out of core dumps and, where the system allows it, of swap.
 */
#ifndef MUNKEY_CORE_MEMORY_H
#define MUNKEY_CORE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/census.h"
#include "core/key.h"
#include "core/labels.h"

struct memory; /* opaque: only memory.c knows the layout */

/* One instance on its way into the bank.  owner is a small number that storage gives to a
 * subject (its keyring record); the bank never knows names. */
struct record {
    uint8_t iid[IID_SIZE];
    uint32_t owner;
    uint64_t label; /* as in struct hit */
    enum instance_class class;
    struct key key;
    char name
        [LABEL_SIZE]; /* of the label, in an open set; a closed one does not read it */
};

/* What a search was made on: published beside every answer. The bank stores the digest
 * for storage, which computes it, and changes it together with the records. */
struct memory_state {
    uint64_t n; /* live instances, masked ones too */
    uint8_t digest[32];
};

/* key_dim: 1 to KEY_DIM_MAX.  capacity: records at most; address space is reserved for
 * them, RAM is used as they come.  NULL when there is no memory for it. */
struct memory *memory_new(uint32_t key_dim, size_t capacity);
void memory_free(struct memory *bank); /* wipes first */

/* From here on the bank, which is empty, keeps the labels of its records.  names, codes: (n), of
 * those that are built in.  MK_EREFUSED: two of them cannot be told apart; MK_ENOMEM. */
int memory_open_labels(struct memory *bank, const char *const *names,
                       const uint64_t *codes, size_t n);

/* Whether the labels of n records fit, as labels_check() says, and whether n more records do, no
 * owner above owner: MK_ETOOBIG, MK_ENOMEM.  A memory_add() of them that follows cannot fail: what
 * is durable must not be refused afterwards. */
int memory_check_labels(struct memory *bank, const struct record *records, size_t n);
int memory_reserve(struct memory *bank, size_t n, uint32_t owner);

/* Adds all n records or none: MK_ETOOBIG when the capacity would be passed, MK_ECONFLICT for their
 * labels. */
int memory_add(struct memory *bank, const struct record *records, size_t n,
               const struct memory_state *state);

/* Wipes every record of owner and starts a new forget epoch; returns how many.  Cannot
 * fail. */
size_t memory_drop(struct memory *bank, uint32_t owner, const struct memory_state *state);

/* ... of all owners (n): no search comes in between, where the bank would not be what its state says. */
size_t memory_drop_all(struct memory *bank, const uint32_t *owners, size_t n,
                       const struct memory_state *state);

/* Masks owner's records from retrieval, or unmasks them (GDPR Art. 18).  Starts a new
 * forget epoch. */
void memory_mask(struct memory *bank, uint32_t owner, bool masked);

/* How many records owner has now, and how many of them are masked. */
size_t memory_count(struct memory *bank, uint32_t owner);
size_t memory_masked(struct memory *bank, uint32_t owner);

/* Bytes of RAM that one record takes in a bank of such keys. */
size_t memory_record_size(uint32_t key_dim);

/* Searchers hold the lock from the search until they are done with what it returned, and
 * so does whoever sends a prediction: no change happens in between.  Not recursive. */
void memory_lock_shared(struct memory *bank);
void memory_unlock_shared(struct memory *bank);

/* The k nearest unmasked records, similarity descending, then iid ascending as bytes.
 * Exact: every record is compared.  Returns how many there are, at most k <= HITS_MAX.
 * The caller holds the shared lock. */
size_t memory_search(const struct memory *bank, const struct key *query, size_t k,
                     struct hit *ret_hits);

/* The labels of an open set that answer, built-in ones and those of unmasked records; of a bank
 * whose labels are closed, none.  The caller holds the shared lock. */
struct label_list memory_labels(const struct memory *bank);

/* How many instances there are; and the name of the label at one of the census's places, of a closed
 * set, where the place is the index, NULL.  The caller holds the shared lock while it uses them. */
const struct census *memory_census(const struct memory *bank);
const char *memory_label_name(const struct memory *bank, size_t place);

/* The state and the forget epoch that searches under the caller's shared lock see. */
struct memory_state memory_state(const struct memory *bank);
uint64_t memory_epoch(const struct memory *bank);

/* Whether the bank's pages are locked into RAM. */
bool memory_is_locked(const struct memory *bank);

#endif

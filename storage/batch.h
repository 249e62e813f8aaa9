/* SPDX-License-Identifier: Apache-2.0 */
/* Storing a batch of instances: what POST .../instances and an import have in common.
 *
 *     struct batch *batch = batch_new(n);
 *     rc = batch_set(state, batch, i, &instance, iid, nonce); for each
 *     rc = batch_check(state, batch);
 *     rc = batch_owners(state, subjects, n, owners);
 *     batch_set_owner(batch, i, owners[i]);                   for each
 *     rc = batch_store(state, batch, class, NULL);
 *     batch_free(batch);                                      wipes
 *
 * The caller holds the mutex.
 */
#ifndef MUNKEY_STORAGE_BATCH_H
#define MUNKEY_STORAGE_BATCH_H

#include "storage/state_private.h"

struct batch;

enum { IMPORT_SIZE = 40 }; /* bytes of META_IMPORT */

/* NULL when there is no memory for it. */
struct batch *batch_new(size_t n);
void batch_free(struct batch *batch);

/* Fills row i.  Class, time and model are batch_store()'s.  MK_EUNPROCESSABLE: a provenance too
 * long for a slot, or no name for a label. */
int batch_set(const struct state *state, struct batch *batch, size_t i,
              const struct new_instance *instance, const uint8_t iid[static IID_SIZE],
              const uint8_t nonce[static NONCE_SIZE]);
/* Whether the labels of all rows can be held beside those that are: MK_ECONFLICT. */
int batch_check(struct state *state, struct batch *batch);
void batch_set_owner(struct batch *batch, size_t i, uint32_t owner);

/* Makes all rows durable in one transaction and one entry, then visible.  import: bytes for
 * META_IMPORT in the same transaction, or NULL.  MK_EBUSY: no room in the bank. */
int batch_store(struct state *state, struct batch *batch, enum instance_class class,
                const uint8_t *import);

/* The owners of subjects, n at most ENROLL_MAX; those that are new get their keyring records,
 * durable in every copy.  MK_ECONFLICT: one is restricted. */
int batch_owners(struct state *state, const struct subject *subjects, size_t n,
                 uint32_t *ret_owners);

#endif

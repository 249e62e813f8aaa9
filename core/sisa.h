/* SPDX-License-Identifier: Apache-2.0 */
/* SISA: shards that are trained apart and answer together (Bourtoule et al., 2021).
 *
 *     struct sisa *sisa;
 *     rc = sisa_train(&plan, 5, &images, rows, tell, context, &sisa);
 *     rc = sisa_forget(sisa, &plan, &images, retain, tell, context);    some shards again
 *     sisa_probabilities(sisa, &images, test_rows, 2, p);
 *     sisa_free(sisa);
 *
 * A row's shard depends on the seed and the row alone, and a shard on its rows alone: what is
 * left after a deletion is, bit for bit, what would be there without the deleted rows.
 */
#ifndef MUNKEY_CORE_SISA_H
#define MUNKEY_CORE_SISA_H

#include "core/plain.h"

enum { SHARDS_MAX = 16 };

struct sisa {
    size_t n;
    struct params *shard[SHARDS_MAX];
    size_t rows[SHARDS_MAX]; /* that each has learnt from */
};

/* 0 .. shards - 1. */
size_t sisa_shard_of(uint64_t seed, size_t shards, uint32_t row);

/* Returns 0, 1 when tell() asked to stop, MK_EINPUT, also when a shard would have no row, or
 * MK_ENOMEM.  tell() counts the steps of all shards together. */
int sisa_train(const struct plain_plan *plan, size_t shards, const struct images *images,
               struct row_list rows, plain_tell *tell, void *context,
               struct sisa **ret_sisa);
void sisa_free(struct sisa *sisa);

/* Trains those shards again that held more rows than retain, a part of what they were trained
 * on in the same order, leaves them.  A shard that is done is done also when this is stopped. */
int sisa_forget(struct sisa *sisa, const struct plain_plan *plan,
                const struct images *images, struct row_list retain, plain_tell *tell,
                void *context);

/* The mean of the shards' probabilities.  ret_p: (rows, classes). */
int sisa_probabilities(const struct sisa *sisa, const struct images *images,
                       struct row_list rows, size_t threads, float *ret_p);

#endif

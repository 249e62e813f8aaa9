/* SPDX-License-Identifier: Apache-2.0 */
/* Repeatable random numbers for training; not for secrets.
 *
 *     struct rng rng = rng_at(seed, RNG_AUGMENT, step, image);
 *     uint32_t dx = rng_below(&rng, 5);
 *
 * A generator is named by where it is used, so that a run that resumes at some step draws
 * what an unbroken run would have drawn, and threads need not share one.
 */
#ifndef MUNKEY_CORE_RNG_H
#define MUNKEY_CORE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

enum rng_use {
    RNG_INIT,
    RNG_ORDER,
    RNG_AUGMENT,
    RNG_TEST,
    RNG_NAMES,
    RNG_RELABEL,
    RNG_FORGET,
    RNG_SPLIT,
    RNG_SHARD
};

struct rng rng_at(uint64_t seed, enum rng_use use, uint64_t step, uint64_t item);
uint64_t rng_next(struct rng *rng);
uint32_t rng_below(struct rng *rng, uint32_t n); /* n > 0 */
double rng_uniform(struct rng *rng);             /* [0, 1) */
double rng_normal(struct rng *rng);              /* mean 0, variance 1 */

/* Puts 0 .. n - 1 into order, shuffled. */
void rng_permutation(struct rng *rng, uint32_t *ret_order, uint32_t n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Repeatable random numbers: SplitMix64 (Steele, Lea and Flood, 2014). */
#include "core/rng.h"

#include <math.h>

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t rng_next(struct rng *rng)
{
    return mix(rng->state += 0x9e3779b97f4a7c15u);
}

struct rng rng_at(uint64_t seed, enum rng_use use, uint64_t step, uint64_t item)
{
    struct rng rng = {seed};
    rng.state = rng_next(&rng) ^ use;
    rng.state = rng_next(&rng) ^ step;
    rng.state = rng_next(&rng) ^ item;
    rng.state = rng_next(&rng);
    return rng;
}

/* The high half of a product is uniform to within n / 2^32. */
uint32_t rng_below(struct rng *rng, uint32_t n)
{
    return (uint32_t)(((rng_next(rng) >> 32) * n) >> 32);
}

double rng_uniform(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

/* Box and Muller, 1958. */
double rng_normal(struct rng *rng)
{
    double radius = sqrt(-2 * log(1 - rng_uniform(rng)));
    return radius * cos(2 * M_PI * rng_uniform(rng));
}

void rng_permutation(struct rng *rng, uint32_t *ret_order, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t j = rng_below(rng, i + 1);
        ret_order[i] = ret_order[j];
        ret_order[j] = i;
    }
}

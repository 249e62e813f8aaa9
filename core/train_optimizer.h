/* SPDX-License-Identifier: Apache-2.0 */
/* AdamW (Loshchilov and Hutter, 2019), with warm-up, cosine, clipping and a weight
 * average.
 *
 *     struct optimizer *o;
 *     optimizer_new(params, 4000, 1e-3, &o);
 *     params_start(params, seed);
 *     while (o->step < o->steps) { ...; optimizer_step(o, gradients, n); }
 *     o->average                               what is frozen in the end
 */
#ifndef MUNKEY_CORE_TRAIN_OPTIMIZER_H
#define MUNKEY_CORE_TRAIN_OPTIMIZER_H

#include <stdint.h>

#include "core/model_params.h"

struct optimizer {
    struct params *params; /* borrowed */
    size_t step, steps;
    double rate;            /* the highest */
    float *m, *v, *average; /* (params->n) */
    float *sum;             /* of the gradients of a step */
};

int optimizer_new(struct params *params, size_t steps, double rate,
                  struct optimizer **ret_optimizer);
void optimizer_free(struct optimizer *o);

/* One step down the sum of n gradients, which are added in their order. */
void optimizer_step(struct optimizer *o, struct params *const *gradients, size_t n);

/* First values: drawn, as each tensor says. */
void params_start(struct params *params, uint64_t seed);

#endif

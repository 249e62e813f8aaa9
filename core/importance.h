/* SPDX-License-Identifier: Apache-2.0 */
/* How much each weight matters to some rows, and what two methods of unlearning make of it.
 *
 *     importance_of(params, &images, forget, IMPORTANCE_FISHER, 0, 2, tell, context, f);
 *     importance_dampen(params->values, all, f, params->n, 10, 1);              SSD
 *     importance_of(params, &images, forget, IMPORTANCE_GRADIENT, .1, 2, tell, context, g);
 *     importance_largest(g, params->n, .5, moves);                              SalUn
 *
 * Images are not augmented.  The same bits for any number of threads.
 */
#ifndef MUNKEY_CORE_IMPORTANCE_H
#define MUNKEY_CORE_IMPORTANCE_H

#include <stdbool.h>

#include "core/plain.h"

enum importance {
    IMPORTANCE_GRADIENT, /* of the mean cross-entropy */
    IMPORTANCE_FISHER /* mean of its square over the rows: the empirical Fisher's diagonal */
};

/* ret_mean: (params->n).  Returns 0, 1 when tell() asked to stop, or MK_ENOMEM.  tell, which
 * may be NULL, counts rows. */
int importance_of(const struct params *params, const struct images *images,
                  struct row_list rows, enum importance what, double smoothing,
                  size_t threads, plain_tell *tell, void *context, float *ret_mean);

/* Which round(share n) of n weights have the largest |gradient|; of equal ones, the first.
 * Returns 0 or MK_ENOMEM. */
int importance_largest(const float *gradient, size_t n, double share, bool *ret_moves);

/* Where forget > threshold all, a value is multiplied with min(dampening all / forget, 1). */
void importance_dampen(float *values, const float *all, const float *forget, size_t n,
                       double threshold, double dampening);

#endif

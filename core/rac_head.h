/* SPDX-License-Identifier: Apache-2.0 */
/* g of a retrieval-augmented classifier, forward and backward: an MLP with one hidden layer
 * that reads [histogram of retrieved labels, similarities].
 *
 *     rac_head_read(near, classes, x);                    of each row
 *     rac_head_run(&g->retrieved, classes, n, &head);     head.z: (n, classes)
 *     rac_head_backward(&g->retrieved, classes, n, &head, dz, &grad->retrieved);
 */
#ifndef MUNKEY_CORE_RAC_HEAD_H
#define MUNKEY_CORE_RAC_HEAD_H

#include "core/model_params.h"
#include "core/near.h"

/* Of n rows; allocated by the caller. */
struct rac_head {
    real *x;        /* (n, classes + RETRIEVED_K) */
    real *up, *act; /* (n, RETRIEVED_HIDDEN) */
    real *z;        /* (n, classes) */
};

/* NULL when there is no memory; free() it. */
struct rac_head *rac_head_new(size_t classes, size_t n);

/* Shares of the first RETRIEVED_K neighbours with each label, of RETRIEVED_K, then their
 * similarities; a neighbour that is missing adds nothing.  near: (MIXTURE_K).
 * ret_x: (classes + RETRIEVED_K). */
void rac_head_read(const struct near *near, size_t classes, real *ret_x);

void rac_head_run(const struct retrieved *g, size_t classes, size_t n,
                  struct rac_head *head);

/* Adds to grad. */
void rac_head_backward(const struct retrieved *g, size_t classes, size_t n,
                       const struct rac_head *head, const real *dz,
                       struct retrieved *grad);

#endif

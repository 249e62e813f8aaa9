/* SPDX-License-Identifier: Apache-2.0 */
/* g of a retrieval-augmented classifier. */
#include "core/rac_head.h"

#include <stdlib.h>
#include <string.h>

struct rac_head *rac_head_new(size_t classes, size_t n)
{
    size_t in = classes + RETRIEVED_K, hidden = RETRIEVED_HIDDEN;
    struct rac_head *head =
        calloc(1, sizeof *head + n * (in + 2 * hidden + classes) * sizeof(real));
    if (!head)
        return NULL;
    head->x = (real *)(head + 1);
    head->up = head->x + n * in;
    head->act = head->up + n * hidden;
    head->z = head->act + n * hidden;
    return head;
}

void rac_head_read(const struct near *near, size_t classes, real *ret_x)
{
    size_t n = near_count(near, RETRIEVED_K);
    memset(ret_x, 0, (classes + RETRIEVED_K) * sizeof *ret_x);
    for (size_t j = 0; j < n; j++) {
        ret_x[near[j].label] += (real)1 / RETRIEVED_K;
        ret_x[classes + j] = near[j].similarity;
    }
}

void rac_head_run(const struct retrieved *g, size_t classes, size_t n,
                  struct rac_head *head)
{
    linalg_linear(head->x, n, classes + RETRIEVED_K, g->w1, g->b1, RETRIEVED_HIDDEN,
                  head->up);
    linalg_gelu(head->up, n * RETRIEVED_HIDDEN, head->act);
    linalg_linear(head->act, n, RETRIEVED_HIDDEN, g->w2, g->b2, classes, head->z);
}

void rac_head_backward(const struct retrieved *g, size_t classes, size_t n,
                       const struct rac_head *head, const real *dz,
                       struct retrieved *grad)
{
    real dup[n * RETRIEVED_HIDDEN];
    linalg_linear_weights(head->act, dz, n, RETRIEVED_HIDDEN, classes, grad->w2,
                          grad->b2);
    linalg_linear_input(dz, n, RETRIEVED_HIDDEN, classes, g->w2, 0, dup);
    linalg_gelu_backward(dup, head->up, n * RETRIEVED_HIDDEN, dup);
    linalg_linear_weights(head->x, dup, n, classes + RETRIEVED_K, RETRIEVED_HIDDEN,
                          grad->w1, grad->b1);
}

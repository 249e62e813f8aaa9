/* SPDX-License-Identifier: Apache-2.0 */
/* Votes of nearest keys, alone (kNN) and mixed with a classifier's answer, as kNN-LM does it
 * (Khandelwal et al., 2020).
 *
 *     mixture_nearest(&bank, val_keys, n, 2, near);                 (n, MIXTURE_K)
 *     mixture_fit(p, near, val_labels, n, classes, &mixture);
 *     mixture_answer(&mixture, p, near, classes, ret_p);            of one query
 *     knn_vote(near, 16, classes, ret_p);
 *
 * To delete an instance is to search a bank that does not hold it.
 */
#ifndef MUNKEY_CORE_MIXTURE_H
#define MUNKEY_CORE_MIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/key.h"
#include "core/near.h"

/* Keys that can be retrieved, with their labels; borrowed. */
struct key_bank {
    const struct key *key; /* (n) */
    const uint32_t *label; /* (n) */
    size_t n;
    uint32_t dim;
};

/* The MIXTURE_K nearest of each query, nearest first, then in the bank's order.  leave_out:
 * queries are the bank's own keys, and none finds itself nor a copy (similarity of .999 or
 * more), as in training.  ret_near: (n, MIXTURE_K).  Returns 0 or MK_ENOMEM. */
int mixture_nearest(const struct key_bank *bank, const struct key *queries, size_t n,
                    bool leave_out, size_t threads, struct near *ret_near);

/* Each of the first k neighbours votes for its label with its similarity; with no neighbour
 * every class gets the same.  ret_p: (classes), sums to one. */
void knn_vote(const struct near *near, size_t k, size_t classes, float *ret_p);

/* p = (1 - lambda) p_plain + lambda sum_j w_j [label_j], w = softmax(s / tau). */
struct mixture {
    float lambda, tau;
};

/* The lambda and tau of the least mean negative log-likelihood.  p: (n, classes), near:
 * (n, MIXTURE_K), labels: (n); of held-out rows.  Returns that mean. */
double mixture_fit(const float *p, const struct near *near, const uint32_t *labels,
                   size_t n, size_t classes, struct mixture *ret_mixture);

/* p: (classes), of the classifier.  near: (MIXTURE_K).  No neighbours: p itself. */
void mixture_answer(const struct mixture *mixture, const float *p,
                    const struct near *near, size_t classes, float *ret_p);

#endif

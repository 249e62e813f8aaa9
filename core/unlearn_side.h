/* SPDX-License-Identifier: Apache-2.0 */
/* One side of an unlearning: batches of what is retained, or of what is to be forgotten.
 *
 *     struct side side = {plan, images, .rows = forget, .aim = {.ce = -1}};
 *     side_open(&side, params, stage);
 *     loss = side_gradient(&side, gradient, &n, &spent);
 *     optimizer_step(optimizer, gradient, n);
 *     side_close(&side);
 */
#ifndef MUNKEY_CORE_UNLEARN_SIDE_H
#define MUNKEY_CORE_UNLEARN_SIDE_H

#include "core/train_parallel.h"
#include "core/train_step.h"
#include "core/unlearn.h"

/* What a step descends: ce CE(y) + kl KL(teacher || student). */
struct aim {
    double ce, kl;
    const struct params *teacher;
    bool relabel; /* y is another label than the row's, drawn once */
};

struct side {
    const struct unlearn_plan *plan;
    const struct images *images;
    struct row_list rows;
    struct aim aim;
    struct stream *stream;
    struct stepper *stepper;
    struct forward *teacher[THREADS_MAX];
    size_t done; /* steps */
};

/* params: the student's.  stage tells the sides' random numbers apart.  Returns 0 or
 * MK_ENOMEM; the side stays where it is from now on. */
int side_open(struct side *s, const struct params *params, uint64_t stage);
void side_close(struct side *s);

/* Whether there is anything to descend, and what a step of it costs, in steps of training. */
bool side_is_used(const struct side *s);
double side_cost(const struct side *s);

/* Appends the next step's gradients to *n others, and returns its loss.  The gradients are the
 * side's, valid until the next call. */
double side_gradient(struct side *s, struct params **gradient, size_t *n,
                     struct unlearned *spent);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What an unlearning is made of, for the files that are one: unlearn.c, unlearn_steps.c. */
#ifndef MUNKEY_CORE_UNLEARN_PARTS_H
#define MUNKEY_CORE_UNLEARN_PARTS_H

#include "core/unlearn.h"

struct unlearning {
    const struct unlearn_plan *plan;
    const struct images *images;
    const struct params *start;
    struct row_list retain, forget;
    plain_tell *tell; /* or NULL */
    void *context;
    struct unlearned result; /* its params are the start's at first */
};

/* Training steps that may be spent: part of the budget. */
double unlearn_budget(const struct unlearning *u);

/* At most n rows of both lists, or of D_f alone, drawn without replacement.  The caller frees
 * ret_rows->row.  Returns 0 or MK_ENOMEM. */
int unlearn_sample(const struct unlearning *u, bool both, size_t n,
                   struct row_list *ret_rows);

/* Every method but SSD. */
int unlearn_by_steps(struct unlearning *u);

#endif

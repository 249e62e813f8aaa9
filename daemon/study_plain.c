/* SPDX-License-Identifier: Apache-2.0 */
/* What a classifier without a memory answers to the rows that are asked about. */
#include "daemon/study_plain.h"

#include <stdlib.h>

#include "core/err.h"

int plain_answers_new(const struct queries *q, struct plain_answers *ret_answers)
{
    for (int set = 0; set < SETS; set++) {
        size_t n = queries_rows(q, set).n;
        if (!(ret_answers->p[set] = calloc(n * q->classes, sizeof(float))))
            return fail(MK_ENOMEM, "no memory for %zu answers", n);
    }
    return 0;
}

int plain_answers_ask(const struct params *params, const struct queries *q,
                      size_t threads, struct plain_answers *ret_answers)
{
    int rc = plain_answers_new(q, ret_answers);
    for (int set = 0; rc == 0 && set < SETS; set++)
        rc = plain_probabilities(params, queries_images(q, set), queries_rows(q, set),
                                 threads, ret_answers->p[set]);
    return rc;
}

void plain_answers_done(struct plain_answers *a)
{
    for (int set = 0; set < SETS; set++)
        free(a->p[set]);
    *a = (struct plain_answers){{0}};
}

struct answers plain_view(const struct plain_answers *a)
{
    return (struct answers){a->p[SET_TEST], a->p[SET_RETAIN], a->p[SET_FORGET]};
}

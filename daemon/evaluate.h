/* SPDX-License-Identifier: Apache-2.0 */
/* Accuracy of a model with a memory that holds what its weights never saw.
 *
 *     struct evaluation e;
 *     rc = evaluate(model, &train, &test, 2, &e);
 *     e.full, e.null, ...                             shares of the test images
 */
#ifndef MUNKEY_DAEMON_EVALUATE_H
#define MUNKEY_DAEMON_EVALUATE_H

#include "core/model.h"
#include "core/train_data.h"

enum { KNN_WIDE = 16 }; /* neighbours of the second kNN */

struct evaluation {
    size_t enrolled, tested;
    double full;        /* the model's answer */
    double null;        /* image only: the null pass */
    double memory_only; /* the memory-only passes, mixed like the others */
    double knn;         /* vote of the model's K nearest keys, weighted by similarity */
    double knn_wide;    /* the same of KNN_WIDE */
};

/* Enrols the rows of train that the weights never saw, in paper mode all that are not public,
 * then asks about every row of test.  Returns 0, MK_EINPUT when the images do not suit the model, or MK_ENOMEM. */
int evaluate(const struct model *model, const struct images *train,
             const struct images *test, size_t threads,
             struct evaluation *ret_evaluation);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Accuracy of a model with a memory that holds what its weights never saw.
 *
 *     struct evaluation e;
 *     rc = evaluate(model, &labels, &train, &test, 2, &e);
 *     e.all.full, e.all.null, ...                     shares of the test images
 */
#ifndef MUNKEY_DAEMON_EVALUATE_H
#define MUNKEY_DAEMON_EVALUATE_H

#include "core/model.h"
#include "core/train_data.h"

enum { KNN_WIDE = 16 }; /* neighbours of the second kNN */

/* Shares of the tested images that were recognised. */
struct scores {
    size_t tested;
    double full;        /* by the model's answer */
    double null;        /* image only: by the null pass */
    double memory_only; /* by the memory-only passes, mixed like the others */
    double knn;         /* by a vote of the K nearest keys, weighted by similarity */
    double knn_wide;    /* the same of KNN_WIDE */
    double nearest_key;
    double nearest_pixels; /* by the enrolled image at the least Euclidean distance */
};

struct evaluation {
    size_t enrolled;
    struct scores all, unseen; /* unseen: those whose label is not built into the model */
};

/* Enrols the rows of train that the weights never saw, in paper mode all that are not public,
 * then asks about every row of test.  labels: codes by number where labels are open, those
 * built into the model first; else only how many there are.  Returns 0, MK_EINPUT when the
 * images do not suit the model, or MK_ENOMEM. */
int evaluate(const struct model *model, const struct label_set *labels,
             const struct images *train, const struct images *test, size_t threads,
             struct evaluation *ret_evaluation);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Nearest keys of many queries at once, for training.
 *
 *     neighbours_find(&keys, &queries, 64, .999f, list);
 *     list[64 * query].row, .similarity               nearest first; row NO_ROW: none
 */
#ifndef MUNKEY_CORE_TRAIN_NEIGHBOURS_H
#define MUNKEY_CORE_TRAIN_NEIGHBOURS_H

#include <math.h>

#include "core/key.h"
#include "core/model.h"

enum { NO_ROW = UINT32_MAX };

struct neighbour {
    uint32_t row; /* of the training file */
    float similarity;
};

/* Keys of a range of rows. */
struct key_list {
    struct row_range rows;
    const struct key *key; /* (rows.end - rows.begin) */
    uint32_t dim;
};

/* A bound that leaves nothing out, not even the query itself. */
#define TAU_ANY HUGE_VALF

/* The n nearest of keys for each query, similarity descending, then row ascending, but
 * never the query's own row, nor one with a similarity of tau_dup or more: the writer is
 * told the label, so a model that meets itself learns to copy.  With TAU_ANY everything is
 * taken.  ret_list: (queries, n).  Returns 0 or MK_ENOMEM. */
int neighbours_find(const struct key_list *keys, const struct key_list *queries, size_t n,
                    float tau_dup, size_t threads, struct neighbour *ret_list);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Asymmetric attention: one head over one image and its passes.
 *
 * Rows of an image, in this order: T image tokens, then for each pass its exemplar row e
 * and its readout row r.  Who sees whom (docs/MODEL.md):
 *
 *     image token     the image tokens
 *     e_j             the image tokens and itself
 *     r_j             the image tokens, e_j and itself
 *     e_j, r_j of a blind (memory-only) pass: each other and themselves
 *
 * Symmetric attention (the paper's form, one pass a sequence): all rows see all, but those of a
 * blind pass.  So a row has at most T + 2 columns of weights: the image, then its pass's e and r.
 */
#ifndef MUNKEY_CORE_MODEL_ATTENTION_H
#define MUNKEY_CORE_MODEL_ATTENTION_H

#include <stdbool.h>

#include "core/linalg.h"

struct attention {
    size_t tokens; /* T */
    size_t seeing; /* passes that see the image; the others are blind */
    size_t passes;
    bool symmetric;     /* one pass, whose rows all see each other unless it is blind */
    bool readouts_only; /* queries are the r of each pass, and no other row */
    size_t size;        /* of a head */
    const real *q, *kv; /* (rows, size) at distance q_ld; keys (T + 2 passes, size) */
    size_t q_ld, kv_ld, value_offset;
    real *weight; /* (rows, T + 2) */
    real *out;    /* (rows, size) at distance out_ld */
    size_t out_ld;
};

/* Rows of queries. */
size_t attention_rows(const struct attention *a);

/* weight = softmax(q k / sqrt(size)), out = weight v. */
void attention_forward(const struct attention *a);

/* What one row attends to. */
struct attention_row {
    size_t begin, end; /* columns of weights that are in use */
    size_t exemplar;   /* row of its pass's e among the keys; r is the next one */
};
struct attention_row attention_row(const struct attention *a, size_t row);

/* How many rows, from the first, see the image; and the first that sees anything else. */
size_t attention_rows_that_see(const struct attention *a);
size_t attention_first_own(const struct attention *a);

real attention_scale(const struct attention *a);

#endif

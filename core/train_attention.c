/* SPDX-License-Identifier: Apache-2.0 */
/* Attention, backward. */
#include <string.h>

#include "core/train_backward.h"

/* dweight = dout v^T, then through the softmax: dscore, in the same place. */
static void through_softmax(const struct attention *a, size_t i, const real *dout,
                            real *dweight)
{
    size_t T = a->tokens;
    struct attention_row row = attention_row(a, i);
    for (size_t c = T; c < row.end; c++)
        dweight[c] = linalg_dot(
            dout, a->kv + (row.exemplar + c - T) * a->kv_ld + a->value_offset, a->size);
    const real *weight = a->weight + i * (T + 2);
    memset(dweight, 0, row.begin * sizeof *dweight);
    linalg_softmax_backward(weight + row.begin, row.end - row.begin, dweight + row.begin);
}

/* A pass row's own two columns: what flows to its query, and to e's and r's key and
 * value. */
static void through_own(const struct attention *a, size_t i, const real *dout,
                        const real *dscore, real *dq, real *dkv)
{
    size_t T = a->tokens;
    struct attention_row row = attention_row(a, i);
    for (size_t c = T; c < row.end; c++) {
        size_t at = (row.exemplar + c - T) * a->kv_ld;
        real ds = attention_scale(a) * dscore[c];
        linalg_axpy(ds, a->kv + at, dq, a->size);
        linalg_axpy(ds, a->q + i * a->q_ld, dkv + at, a->size);
        linalg_axpy(a->weight[i * (T + 2) + c], dout, dkv + at + a->value_offset,
                    a->size);
    }
}

void attention_backward(const struct attention *a, const real *dout, real *dweight,
                        real *dq, real *dkv)
{
    size_t T = a->tokens, see = attention_rows_that_see(a), rows = attention_rows(a);
    real scale = attention_scale(a);
    linalg_nt(see, T, a->size, 1, dout, a->out_ld, a->kv + a->value_offset, a->kv_ld, 0,
              dweight, T + 2);
    linalg_tn(T, a->size, see, 1, a->weight, T + 2, dout, a->out_ld, 1,
              dkv + a->value_offset, a->kv_ld);
    for (size_t i = 0; i < rows; i++)
        through_softmax(a, i, dout + i * a->out_ld, dweight + i * (T + 2));
    for (size_t i = see; i < rows; i++) /* blind rows ask the image nothing */
        memset(dq + i * a->q_ld, 0, a->size * sizeof *dq);
    linalg_nn(see, a->size, T, scale, dweight, T + 2, a->kv, a->kv_ld, 0, dq, a->q_ld);
    linalg_tn(T, a->size, see, scale, dweight, T + 2, a->q, a->q_ld, 1, dkv, a->kv_ld);
    for (size_t i = attention_first_own(a); i < rows; i++)
        through_own(a, i, dout + i * a->out_ld, dweight + i * (T + 2), dq + i * a->q_ld,
                    dkv);
}

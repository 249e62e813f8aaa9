/* SPDX-License-Identifier: Apache-2.0 */
/* Attention, forward. */
#include "core/model_attention.h"

#include <math.h>
#include <string.h>

size_t attention_rows(const struct attention *a)
{
    return a->readouts_only ? a->passes : a->tokens + 2 * a->passes;
}

size_t attention_rows_that_see(const struct attention *a)
{
    return a->readouts_only ? a->seeing : a->tokens + 2 * a->seeing;
}

size_t attention_first_own(const struct attention *a)
{
    return a->readouts_only || (a->symmetric && a->seeing) ? 0 : a->tokens;
}

real attention_scale(const struct attention *a)
{
    return 1 / (real)sqrt((double)a->size);
}

struct attention_row attention_row(const struct attention *a, size_t row)
{
    size_t T = a->tokens;
    if (a->symmetric && a->seeing)
        return (struct attention_row){.begin = 0, .end = T + 2, .exemplar = T};
    if (!a->readouts_only && row < T)
        return (struct attention_row){.begin = 0, .end = T};
    size_t pass = a->readouts_only ? row : (row - T) / 2;
    bool readout = a->readouts_only || (row - T) % 2 == 1;
    bool blind = pass >= a->seeing;
    return (struct attention_row){
        .begin = blind ? T : 0,
        .end = blind || readout ? T + 2 : T + 1,
        .exemplar = T + 2 * pass,
    };
}

static void weigh(const struct attention *a, size_t i)
{
    size_t T = a->tokens;
    struct attention_row row = attention_row(a, i);
    real *weight = a->weight + i * (T + 2);
    for (size_t c = T; c < row.end; c++)
        weight[c] = attention_scale(a) *
                    linalg_dot(a->q + i * a->q_ld,
                               a->kv + (row.exemplar + c - T) * a->kv_ld, a->size);
    memset(weight, 0, row.begin * sizeof *weight);
    linalg_softmax(weight + row.begin, row.end - row.begin);
    memset(weight + row.end, 0, (T + 2 - row.end) * sizeof *weight);
}

static void add_own_values(const struct attention *a, size_t i)
{
    size_t T = a->tokens;
    struct attention_row row = attention_row(a, i);
    real *out = a->out + i * a->out_ld;
    if (row.begin == T)
        memset(out, 0, a->size * sizeof *out);
    for (size_t c = T; c < row.end; c++)
        linalg_axpy(a->weight[i * (T + 2) + c],
                    a->kv + (row.exemplar + c - T) * a->kv_ld + a->value_offset, out,
                    a->size);
}

void attention_forward(const struct attention *a)
{
    size_t T = a->tokens, see = attention_rows_that_see(a);
    linalg_nt(see, T, a->size, attention_scale(a), a->q, a->q_ld, a->kv, a->kv_ld, 0,
              a->weight, T + 2);
    for (size_t i = 0; i < attention_rows(a); i++)
        weigh(a, i);
    linalg_nn(see, a->size, T, 1, a->weight, T + 2, a->kv + a->value_offset, a->kv_ld, 0,
              a->out, a->out_ld);
    for (size_t i = attention_first_own(a); i < attention_rows(a); i++)
        add_own_values(a, i);
}

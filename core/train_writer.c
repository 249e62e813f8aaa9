/* SPDX-License-Identifier: Apache-2.0 */
/* The writer, backward. */
#include <stdlib.h>
#include <string.h>

#include "core/train_backward.h"

/* Splits the gradient: a missing hit's row belongs to the null token, and nothing of it
 * may reach the writer. */
static void split(const struct writing *w, const real *dexemplars, struct params *grad,
                  real *de)
{
    size_t d = w->shape.d;
    for (size_t i = 0; i < w->n; i++, dexemplars += d, de += d)
        if (w->hit[i]) {
            memcpy(de, dexemplars, d * sizeof *de);
            linalg_axpy(w->hit[i]->similarity, dexemplars, grad->writer.similar, d);
        } else {
            memset(de, 0, d * sizeof *de);
            linalg_axpy(1, dexemplars, grad->net.null, d);
        }
}

static void label_backward(const struct writing *w, const struct writer *p,
                           const real *dup, real *dlabel)
{
    const struct shape *s = &w->shape;
    size_t hidden = s->writer_hidden, n = s->label_dim;
    real dlab[n];
    for (size_t i = 0; i < w->n; i++) {
        if (!w->hit[i])
            continue;
        linalg_linear_input(dup + i * hidden, 1, n, hidden, p->u1 + s->key_dim * hidden,
                            0, dlab);
        linalg_axpy(1, dlab, dlabel + w->hit[i]->label * n, n);
    }
}

/* dtoken: (n, token_dim), from what the classifier read to key and label. */
static void write_backward(const struct writing *w, const struct writer *p,
                           const real *dtoken, struct writer *g)
{
    const struct shape *s = &w->shape;
    size_t n = w->n, in = s->key_dim + s->label_dim, hidden = s->writer_hidden;
    real dup[n * hidden];
    linalg_linear_weights(w->act, dtoken, n, hidden, s->token_dim, g->u2, g->c2);
    linalg_linear_input(dtoken, n, hidden, s->token_dim, p->u2, 0, dup);
    linalg_gelu_backward(dup, w->up, n * hidden, dup);
    linalg_linear_weights(w->in, dup, n, in, hidden, g->u1, g->c1);
    if (!s->open_labels)
        label_backward(w, p, dup, g->label);
}

/* ... or to the instances' own tokens. */
static void fetch_backward(const struct writing *w, const real *dtoken, struct writer *g)
{
    size_t size = w->shape.token_dim;
    for (size_t i = 0; i < w->n; i++)
        if (w->hit[i])
            linalg_axpy(1, dtoken + i * size, g->own + w->hit[i]->token * size, size);
}

void writing_backward(const struct writing *w, const struct params *classifier,
                      const real *dexemplars, struct params *grad)
{
    const struct shape *s = &w->shape;
    const struct writer *p = &classifier->writer;
    struct writer *g = &grad->writer;
    size_t n = w->n, token = s->token_dim, d = s->d;
    real de[n * d], dtoken[n * token];
    split(w, dexemplars, grad, de);
    linalg_linear_weights(w->token, de, n, token, d, g->we, g->be);
    linalg_linear_input(de, n, token, d, p->we, 0, dtoken);
    if (s->own_tokens > 0)
        fetch_backward(w, dtoken, g);
    else
        write_backward(w, p, dtoken, g);
}

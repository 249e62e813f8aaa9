/* SPDX-License-Identifier: Apache-2.0 */
/* The writer, forward: v = U2 gelu(U1 [key ; lab[y]] + c1) + c2, e = v We + be + s
 * simvec. */
#include "core/model_writer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/label_code.h"

static size_t numbers(const struct writing *w)
{
    const struct shape *s = &w->shape;
    return w->n *
           (s->key_dim + s->label_dim + 2 * s->writer_hidden + s->token_dim + s->d);
}

struct writing *writing_new(const struct shape *shape, size_t n)
{
    struct writing *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->shape = *shape;
    w->n = n;
    w->hit = calloc(n, sizeof *w->hit);
    w->in = calloc(numbers(w), sizeof *w->in);
    if (!w->hit || !w->in) {
        writing_free(w);
        return NULL;
    }
    w->up = w->in + n * (shape->key_dim + shape->label_dim);
    w->act = w->up + n * shape->writer_hidden;
    w->token = w->act + n * shape->writer_hidden;
    w->exemplar = w->token + n * shape->token_dim;
    return w;
}

void writing_wipe(struct writing *w)
{
    explicit_bzero(w->in, numbers(w) * sizeof *w->in);
    explicit_bzero(w->hit, w->n * sizeof *w->hit);
}

void writing_free(struct writing *w)
{
    if (!w)
        return;
    if (w->in && w->hit)
        writing_wipe(w);
    free(w->in);
    free(w->hit);
    free(w);
}

/* lab[y], or c(y). */
static void write_label(const struct shape *s, const struct writer *p, uint64_t label,
                        real *in)
{
    if (s->open_labels) {
        label_code_vector(label, in);
        return;
    }
    assert(label < s->classes);
    memcpy(in, p->label + label * s->label_dim, s->label_dim * sizeof *in);
}

/* [key ; lab[y]], from the stored, quantised key; zero for a missing hit. */
static void write_input(const struct shape *s, const struct writer *p,
                        const struct hit *hit, real *in)
{
    if (!hit) {
        memset(in, 0, (s->key_dim + s->label_dim) * sizeof *in);
        return;
    }
    for (size_t i = 0; i < s->key_dim; i++)
        in[i] = hit->key.q[i] * (real)hit->key.scale;
    write_label(s, p, hit->label, in + s->key_dim);
}

/* v = U2 gelu(U1 [key ; lab[y]] + c1) + c2. */
static void write_tokens(struct writing *w, const struct writer *p)
{
    const struct shape *s = &w->shape;
    size_t in = s->key_dim + s->label_dim, hidden = s->writer_hidden;
    for (size_t i = 0; i < w->n; i++)
        write_input(s, p, w->hit[i], w->in + i * in);
    linalg_linear(w->in, w->n, in, p->u1, p->c1, hidden, w->up);
    linalg_gelu(w->up, w->n * hidden, w->act);
    linalg_linear(w->act, w->n, hidden, p->u2, p->c2, s->token_dim, w->token);
}

/* v = the instance's own. */
static void fetch_tokens(struct writing *w, const struct writer *p)
{
    size_t size = w->shape.token_dim;
    memset(w->token, 0, w->n * size * sizeof *w->token);
    for (size_t i = 0; i < w->n; i++)
        if (w->hit[i]) {
            assert(w->hit[i]->token < w->shape.own_tokens);
            memcpy(w->token + i * size, p->own + w->hit[i]->token * size,
                   size * sizeof *w->token);
        }
}

void writing_run(struct writing *w, const struct params *classifier,
                 const struct hit *const *hits)
{
    const struct shape *s = &w->shape;
    const struct writer *p = &classifier->writer;
    size_t d = s->d;
    memcpy(w->hit, hits, w->n * sizeof *hits);
    if (s->own_tokens > 0)
        fetch_tokens(w, p);
    else
        write_tokens(w, p);
    linalg_linear(w->token, w->n, s->token_dim, p->we, p->be, d, w->exemplar);
    for (size_t i = 0; i < w->n; i++)
        if (hits[i])
            linalg_axpy(hits[i]->similarity, p->similar, w->exemplar + i * d, d);
        else
            memcpy(w->exemplar + i * d, classifier->net.null, d * sizeof(real));
}

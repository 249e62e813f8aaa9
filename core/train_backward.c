/* SPDX-License-Identifier: Apache-2.0 */
/* The transformer's backward pass: the forward pass of model_forward.c from last to
 * first. */
#include "core/train_backward.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/model_stem.h"

static size_t cells(struct plane plane)
{
    return plane.height * plane.width;
}

/* The first convolution's patches have no gradient. */
static size_t largest_cols(const struct shape *s)
{
    size_t most = 0;
    for (size_t i = 1; i < s->convs; i++) {
        size_t n = cells(shape_plane(s, i + 1)) * 9 * shape_plane(s, i).channels;
        most = n > most ? n : most;
    }
    return most;
}

static size_t largest_plane(const struct shape *s)
{
    size_t most = 0;
    for (size_t i = 1; i < s->convs; i++) {
        size_t n = cells(shape_plane(s, i)) * shape_plane(s, i).channels;
        most = n > most ? n : most;
    }
    return most;
}

struct backward *backward_new(const struct forward *f)
{
    struct backward *b = calloc(1, sizeof *b);
    const struct shape *s = &f->shape;
    size_t rows = f->sequences * f->rows;
    const struct {
        real **at;
        size_t n;
    } pieces[] = {
        {&b->dx, rows * s->d},
        {&b->dx1, rows * s->d},
        {&b->dy, rows * s->d},
        {&b->dmixed, rows * s->d},
        {&b->dq, rows * s->d},
        {&b->dkv, rows * 2 * s->d},
        {&b->dhidden, rows * s->hidden},
        {&b->dweight, f->rows * (f->tokens + 2)},
        {&b->dimage, f->n * f->tokens * s->d},
        {&b->dcols, f->n * largest_cols(s)},
        {&b->dplane, f->n * largest_plane(s)},
        {&b->dexemplars, f->n * f->k * s->d},
    };
    size_t n = 0;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        n += pieces[i].n;
    if (!b || !(b->block = calloc(n, sizeof *b->block))) {
        free(b);
        return NULL;
    }
    real *at = b->block;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; at += pieces[i++].n)
        *pieces[i].at = at;
    return b;
}

void backward_free(struct backward *b)
{
    if (!b)
        return;
    free(b->block);
    free(b);
}

double cross_entropy(const real *logits, size_t classes, uint32_t label, double smoothing,
                     double weight, real *ret_dlogits)
{
    double loss = 0;
    memcpy(ret_dlogits, logits, classes * sizeof *logits);
    linalg_softmax(ret_dlogits, classes);
    for (size_t c = 0; c < classes; c++) {
        double target = smoothing / (double)classes + (c == label ? 1 - smoothing : 0);
        loss -= target * log(fmax(ret_dlogits[c], 1e-30));
        ret_dlogits[c] = (real)(weight * (ret_dlogits[c] - target));
    }
    return weight * loss;
}

/* From dx, by the layer's output, to dx1, by its middle: x1 + mlp(norm(x1)). */
static void mlp_backward(struct backward *b, const struct forward *f,
                         const struct layer_trace *t, const struct layer *p,
                         struct layer *g)
{
    size_t d = f->shape.d, hidden = f->shape.hidden;
    linalg_linear_weights(t->act, b->dx, t->out, hidden, d, g->down_w, g->down_b);
    linalg_linear_input(b->dx, t->out, hidden, d, p->down_w, 0, b->dhidden);
    linalg_gelu_backward(b->dhidden, t->up, t->out * hidden, b->dhidden);
    linalg_linear_weights(t->y2, b->dhidden, t->out, d, hidden, g->up_w, g->up_b);
    linalg_linear_input(b->dhidden, t->out, d, hidden, p->up_w, 0, b->dy);
    memcpy(b->dx1, b->dx, t->out * d * sizeof(real));
    linalg_layer_norm_backward(b->dy, t->x1, t->stats2, t->out, d, p->norm2_w, b->dx1,
                               g->norm2_w, g->norm2_b);
}

static void heads_backward(struct backward *b, const struct forward *f,
                           const struct layer_trace *t)
{
    size_t d = f->shape.d, size = d / f->shape.heads,
           out = t->last ? f->per_sequence : f->rows;
    memset(b->dkv, 0, t->in * 2 * d * sizeof(real));
    for (size_t i = 0; i < f->sequences; i++)
        for (size_t h = 0; h < f->shape.heads; h++) {
            struct attention a = forward_attention(f, t, i, h);
            size_t at = i * out * d + h * size;
            attention_backward(&a, b->dmixed + at, b->dweight, b->dq + at,
                               b->dkv + i * f->rows * 2 * d + h * size);
        }
}

/* Adds (n passes, d) to the readout rows of (rows, d). */
static void scatter_readouts(const struct forward *f, const real *read, real *x)
{
    size_t d = f->shape.d;
    for (size_t q = 0; q < f->sequences; q++)
        for (size_t i = 0; i < f->per_sequence; i++, read += d)
            linalg_axpy(1, read, x + (q * f->rows + f->tokens + 2 * i + 1) * d, d);
}

/* From dx1 to dx, by the layer's input: x + attention(norm(x)). */
static void attend_backward(struct backward *b, const struct forward *f,
                            const struct layer_trace *t, const struct layer *p,
                            struct layer *g)
{
    size_t d = f->shape.d;
    linalg_linear_weights(t->mixed, b->dx1, t->out, d, d, g->out_w, g->out_b);
    linalg_linear_input(b->dx1, t->out, d, d, p->out_w, 0, b->dmixed);
    heads_backward(b, f, t);
    linalg_linear_weights(t->y1_read, b->dq, t->out, d, d, g->q_w, g->q_b);
    linalg_linear_weights(t->y1, b->dkv, t->in, d, 2 * d, g->kv_w, g->kv_b);
    linalg_linear_input(b->dkv, t->in, d, 2 * d, p->kv_w, 0, b->dy);
    if (t->last) {
        linalg_linear_input(b->dq, t->out, d, d, p->q_w, 0, b->dmixed);
        scatter_readouts(f, b->dmixed, b->dy);
        memset(b->dx, 0, t->in * d * sizeof(real));
        scatter_readouts(f, b->dx1, b->dx);
    } else {
        linalg_linear_input(b->dq, t->out, d, d, p->q_w, 1, b->dy);
        memcpy(b->dx, b->dx1, t->in * d * sizeof(real));
    }
    linalg_layer_norm_backward(b->dy, t->x, t->stats1, t->in, d, p->norm1_w, b->dx,
                               g->norm1_w, g->norm1_b);
}

/* From dx, by the first layer's rows, to where the rows came from. */
static void rows_backward(struct backward *b, const struct forward *f, struct net *g)
{
    size_t d = f->shape.d, T = f->tokens;
    memset(b->dexemplars, 0, f->n * f->k * d * sizeof(real));
    memset(b->dimage, 0, f->n * T * d * sizeof(real));
    for (size_t q = 0, at = 0; q < f->sequences; q++) {
        const real *dx = b->dx + q * f->rows * d;
        linalg_axpy(1, dx, b->dimage + at / f->passes * T * d, T * d);
        linalg_axpy(1, dx, g->position, T * d);
        dx += T * d;
        for (size_t i = 0; i < f->per_sequence; i++, at++, dx += 2 * d) {
            size_t image = at / f->passes, pass = at % f->passes;
            size_t hit = pass < f->seeing ? pass : pass - f->k;
            real *e = pass ? b->dexemplars + (image * f->k + hit - 1) * d : g->null;
            linalg_axpy(1, dx, e, d);
            linalg_axpy(1, dx + d, g->readout, d);
        }
    }
}

/* From the gradient by the output of convolution i to that by its input. */
static void conv_backward(struct backward *b, const struct forward *f,
                          const struct net *net, size_t i, const real *dy)
{
    struct plane plane = shape_plane(&f->shape, i), out = shape_plane(&f->shape, i + 1);
    size_t patch = 9 * plane.channels, size = cells(plane) * plane.channels;
    linalg_linear_input(dy, f->n * cells(out), patch, out.channels, net->conv[i].w, 0,
                        b->dcols);
    memset(b->dplane, 0, f->n * size * sizeof(real));
    for (size_t n = 0; n < f->n; n++)
        stem_scatter(b->dcols + n * cells(out) * patch, plane, f->shape.stem[i].stride,
                     b->dplane + n * size);
    linalg_relu_backward(f->conv[i - 1].y, f->n * size, b->dplane);
}

static void stem_backward(struct backward *b, const struct forward *f,
                          const struct net *net, struct net *g)
{
    const real *dy = b->dimage;
    for (size_t i = f->shape.convs; i-- > 0; dy = b->dplane) {
        struct plane out = shape_plane(&f->shape, i + 1);
        linalg_linear_weights(f->conv[i].cols, dy, f->n * cells(out),
                              9 * shape_plane(&f->shape, i).channels, out.channels,
                              g->conv[i].w, g->conv[i].b);
        if (i > 0)
            conv_backward(b, f, net, i, dy);
    }
}

void backward_run(struct backward *b, const struct forward *f, const struct net *net,
                  const real *dlogits, struct net *grad)
{
    const struct shape *s = &f->shape;
    const struct layer_trace *last = &f->layer[s->layers - 1];
    size_t outputs = shape_outputs(s);
    linalg_linear_weights(f->z, dlogits, last->out, s->d, outputs, grad->head_w,
                          grad->head_b);
    linalg_linear_input(dlogits, last->out, s->d, outputs, net->head_w, 0, b->dy);
    memset(b->dx, 0, last->out * s->d * sizeof(real));
    linalg_layer_norm_backward(b->dy, last->x_out, f->stats, last->out, s->d, net->norm_w,
                               b->dx, grad->norm_w, grad->norm_b);
    for (size_t i = s->layers; i-- > 0;) {
        mlp_backward(b, f, &f->layer[i], &net->layer[i], &grad->layer[i]);
        attend_backward(b, f, &f->layer[i], &net->layer[i], &grad->layer[i]);
    }
    rows_backward(b, f, grad);
    stem_backward(b, f, net, grad);
}

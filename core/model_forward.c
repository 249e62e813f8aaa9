/* SPDX-License-Identifier: Apache-2.0 */
/* The transformer's forward pass: stem, layers, head. */
#include "core/model_forward.h"

#include <stdlib.h>
#include <string.h>

#include "core/model_stem.h"

/* Hands out pieces of one block; with no block yet, it only counts. */
struct arena {
    real *base;
    size_t used;
};

static real *take(struct arena *arena, size_t n)
{
    real *at = arena->base ? arena->base + arena->used : NULL;
    arena->used += (n + 15) / 16 * 16;
    return at;
}

static size_t padded(size_t rows, int flags)
{
    return flags & FORWARD_KEEP ? rows : (rows + 11) / 12 * 12;
}

static void carve_layer(struct forward *f, struct arena *arena, struct layer_trace *t)
{
    size_t d = f->shape.d, hidden = f->shape.hidden;
    t->y1 = take(arena, t->in * d);
    t->stats1 = take(arena, t->in * 2);
    t->x_read = t->last ? take(arena, t->out * d) : t->x;
    t->y1_read = t->last ? take(arena, t->out * d) : t->y1;
    t->q = take(arena, t->out * d);
    t->kv = take(arena, t->in * 2 * d);
    t->weight = take(arena, f->shape.heads * t->out * (f->tokens + 2));
    t->mixed = take(arena, t->out * d);
    t->x1 = take(arena, t->out * d);
    t->y2 = take(arena, t->out * d);
    t->stats2 = take(arena, t->out * 2);
    t->up = take(arena, t->out * hidden);
    t->act = take(arena, t->out * hidden);
    t->x_out = take(arena, t->out * d);
}

/* A layer that keeps nothing works in the place of the one before it. */
static void carve_layers(struct forward *f, struct arena *arena, int flags)
{
    size_t rows = padded(f->sequences * f->rows, flags),
           reads = padded(f->n * f->passes, flags);
    size_t start = 0;
    real *x = take(arena, rows * f->shape.d);
    real *first = x;
    for (size_t i = 0; i < f->shape.layers; i++) {
        struct layer_trace *t = &f->layer[i];
        t->last = i + 1 == f->shape.layers;
        t->in = rows;
        t->out = t->last ? reads : rows;
        t->x = x;
        if (i == 0)
            start = arena->used;
        if (i > 0 && !(flags & FORWARD_KEEP) && !t->last)
            arena->used = start;
        carve_layer(f, arena, t);
        if (!(flags & FORWARD_KEEP) && !t->last)
            t->x_out = first;
        x = t->x_out;
    }
}

static size_t cells(struct plane plane)
{
    return plane.height * plane.width;
}

static void carve_stem(struct forward *f, struct arena *arena)
{
    const struct shape *s = &f->shape;
    f->input = take(arena, cells(shape_plane(s, 0)) * s->channels);
    for (size_t i = 0; i < s->convs; i++) {
        size_t rows = f->n * cells(shape_plane(s, i + 1));
        f->conv[i].cols = take(arena, rows * 9 * shape_plane(s, i).channels);
        f->conv[i].y = f->image = take(arena, rows * s->stem[i].channels);
    }
}

static void carve(struct forward *f, struct arena *arena, int flags)
{
    const struct shape *s = &f->shape;
    size_t reads = padded(f->n * f->passes, flags);
    carve_stem(f, arena);
    carve_layers(f, arena, flags);
    f->stats = take(arena, reads * 2);
    f->z = take(arena, reads * s->d);
    f->logits = take(arena, reads * shape_outputs(s));
}

struct forward *forward_new(const struct shape *shape, size_t n, size_t k, int flags)
{
    struct forward *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->shape = *shape;
    f->n = n;
    f->k = k;
    f->tokens = shape_tokens(shape);
    f->seeing = 1 + k;
    f->passes = flags & FORWARD_BLIND ? 1 + 2 * k : 1 + k;
    f->per_sequence = shape->symmetric ? 1 : f->passes;
    f->sequences = n * f->passes / f->per_sequence;
    f->rows = f->tokens + 2 * f->per_sequence;
    struct arena arena = {0};
    carve(f, &arena, flags);
    f->arena_n = arena.used;
    f->arena = aligned_alloc(64, (arena.used * sizeof(real) + 63) / 64 * 64);
    if (!f->arena) {
        free(f);
        return NULL;
    }
    forward_wipe(f);
    arena = (struct arena){f->arena, 0};
    carve(f, &arena, flags);
    return f;
}

void forward_wipe(struct forward *f)
{
    explicit_bzero(f->arena, f->arena_n * sizeof *f->arena);
}

void forward_free(struct forward *f)
{
    if (!f)
        return;
    forward_wipe(f);
    free(f->arena);
    free(f);
}

/* Gathers the patches of image b for the first convolution.  A byte of 128 is 1, and black, or
 * white where images are inverted, is 0, as is what lies outside the image. */
static void gather_pixels(struct forward *f, size_t b, const uint8_t *pixels)
{
    struct plane plane = shape_plane(&f->shape, 0), out = shape_plane(&f->shape, 1);
    size_t size = cells(plane) * plane.channels;
    for (size_t i = 0; i < size; i++)
        f->input[i] =
            (f->shape.inverted ? 255 - pixels[b * size + i] : pixels[b * size + i]) /
            (real)128;
    stem_gather(f->input, plane, f->shape.stem[0].stride,
                f->conv[0].cols + b * cells(out) * 9 * plane.channels);
}

/* ... and from the output of convolution i - 1 for convolution i. */
static void gather(struct forward *f, size_t b, size_t i)
{
    struct plane plane = shape_plane(&f->shape, i), out = shape_plane(&f->shape, i + 1);
    stem_gather(f->conv[i - 1].y + b * cells(plane) * plane.channels, plane,
                f->shape.stem[i].stride,
                f->conv[i].cols + b * cells(out) * 9 * plane.channels);
}

/* (n, height, width, channels) bytes to (n T, d). */
static void stem(struct forward *f, const struct net *net, const uint8_t *pixels)
{
    const struct shape *s = &f->shape;
    for (size_t i = 0; i < s->convs; i++) {
        size_t rows = f->n * cells(shape_plane(s, i + 1)), out = s->stem[i].channels;
        for (size_t b = 0; b < f->n; b++)
            if (i == 0)
                gather_pixels(f, b, pixels);
            else
                gather(f, b, i);
        linalg_linear(f->conv[i].cols, rows, 9 * shape_plane(s, i).channels,
                      net->conv[i].w, net->conv[i].b, out, f->conv[i].y);
        if (i + 1 < s->convs)
            linalg_relu(f->conv[i].y, rows * out);
    }
}

/* The first layer's rows: image tokens with positions, then e and r of every pass. */
static void lay_rows(struct forward *f, const struct net *net, const real *exemplars)
{
    size_t d = f->shape.d, T = f->tokens;
    for (size_t q = 0, at = 0; q < f->sequences; q++) {
        real *x = f->layer[0].x + q * f->rows * d;
        memcpy(x, f->image + at / f->passes * T * d, T * d * sizeof *x);
        linalg_axpy(1, net->position, x, T * d);
        x += T * d;
        for (size_t i = 0; i < f->per_sequence; i++, at++, x += 2 * d) {
            size_t b = at / f->passes, pass = at % f->passes;
            size_t hit = pass < f->seeing ? pass : pass - f->k; /* 1 .. k */
            const real *e = pass ? exemplars + (b * f->k + hit - 1) * d : net->null;
            memcpy(x, e, d * sizeof *x);
            memcpy(x + d, net->readout, d * sizeof *x);
        }
    }
}

/* Copies the readout rows of (rows, d) to (n passes, d). */
static void gather_readouts(const struct forward *f, const real *x, real *read)
{
    size_t d = f->shape.d;
    for (size_t q = 0; q < f->sequences; q++)
        for (size_t i = 0; i < f->per_sequence; i++, read += d)
            memcpy(read, x + (q * f->rows + f->tokens + 2 * i + 1) * d, d * sizeof *x);
}

/* How many of a sequence's passes see the image. */
static size_t seeing_in(const struct forward *f, size_t sequence)
{
    if (!f->shape.symmetric)
        return f->seeing;
    return sequence % f->passes < f->seeing;
}

struct attention forward_attention(const struct forward *f, const struct layer_trace *t,
                                   size_t b, size_t h)
{
    size_t d = f->shape.d, size = d / f->shape.heads;
    size_t out = t->last ? f->per_sequence : f->rows;
    return (struct attention){
        .tokens = f->tokens,
        .seeing = seeing_in(f, b),
        .passes = f->per_sequence,
        .symmetric = f->shape.symmetric,
        .readouts_only = t->last,
        .size = size,
        .q = t->q + b * out * d + h * size,
        .q_ld = d,
        .kv = t->kv + b * f->rows * 2 * d + h * size,
        .kv_ld = 2 * d,
        .value_offset = d,
        .weight = t->weight + (b * f->shape.heads + h) * out * (f->tokens + 2),
        .out = t->mixed + b * out * d + h * size,
        .out_ld = d,
    };
}

/* x + attention(norm(x)), then x + mlp(norm(x)). */
static void run_layer(struct forward *f, const struct layer *p, struct layer_trace *t)
{
    size_t d = f->shape.d, hidden = f->shape.hidden;
    linalg_layer_norm(t->x, t->in, d, p->norm1_w, p->norm1_b, t->y1, t->stats1);
    if (t->last) {
        gather_readouts(f, t->x, t->x_read);
        gather_readouts(f, t->y1, t->y1_read);
    }
    linalg_linear(t->y1_read, t->out, d, p->q_w, p->q_b, d, t->q);
    linalg_linear(t->y1, t->in, d, p->kv_w, p->kv_b, 2 * d, t->kv);
    for (size_t b = 0; b < f->sequences; b++)
        for (size_t h = 0; h < f->shape.heads; h++) {
            struct attention a = forward_attention(f, t, b, h);
            attention_forward(&a);
        }
    linalg_linear_skip(t->mixed, t->out, d, p->out_w, p->out_b, d, t->x_read, t->x1);
    linalg_layer_norm(t->x1, t->out, d, p->norm2_w, p->norm2_b, t->y2, t->stats2);
    linalg_linear(t->y2, t->out, d, p->up_w, p->up_b, hidden, t->up);
    linalg_gelu(t->up, t->out * hidden, t->act);
    linalg_linear_skip(t->act, t->out, hidden, p->down_w, p->down_b, d, t->x1, t->x_out);
}

void forward_run(struct forward *f, const struct net *net, const uint8_t *pixels,
                 const real *exemplars)
{
    const struct shape *s = &f->shape;
    stem(f, net, pixels);
    lay_rows(f, net, exemplars);
    for (size_t i = 0; i < s->layers; i++)
        run_layer(f, &net->layer[i], &f->layer[i]);
    const struct layer_trace *last = &f->layer[s->layers - 1];
    linalg_layer_norm(last->x_out, last->out, s->d, net->norm_w, net->norm_b, f->z,
                      f->stats);
    linalg_linear(f->z, last->out, s->d, net->head_w, net->head_b, shape_outputs(s),
                  f->logits);
}

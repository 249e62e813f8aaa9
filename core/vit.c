/* SPDX-License-Identifier: Apache-2.0 */
/* A Vision Transformer's forward pass. */
#include "core/vit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct vit_run {
    struct vit_pixels *pixels;
    size_t size;        /* numbers in all of what follows */
    float *image;       /* (channels, image, image) */
    float *cols;        /* (T - 1, channels patch^2) */
    float *x, *y;       /* (T, d) */
    float *qkv, *mixed; /* (T, 3 d), (T, d) */
    float *weight;      /* (T, T): of one head */
    float *up;          /* (T, hidden) */
    float *arena;
};

/* Hands out pieces of run's block; with no block yet, it only counts. */
static float *take(struct vit_run *run, size_t n)
{
    float *at = run->arena ? run->arena + run->size : NULL;
    run->size += (n + 15) / 16 * 16;
    return at;
}

static void carve(struct vit_run *run, const struct vit_config *c)
{
    size_t T = vit_tokens(c), d = c->d, patch = c->channels * c->patch * c->patch;
    run->size = 0;
    run->image = take(run, (size_t)c->channels * c->image * c->image);
    run->cols = take(run, (T - 1) * patch);
    run->x = take(run, T * d);
    run->y = take(run, T * d);
    run->qkv = take(run, T * 3 * d);
    run->mixed = take(run, T * d);
    run->weight = take(run, T * T);
    run->up = take(run, T * c->hidden);
}

struct vit_run *vit_run_new(const struct vit *vit, size_t height, size_t width,
                            size_t channels)
{
    struct vit_run *run = calloc(1, sizeof *run);
    if (!run)
        return NULL;
    carve(run, &vit->config);
    run->pixels = vit_pixels_new(&vit->config, height, width, channels);
    run->arena = aligned_alloc(64, run->size * sizeof *run->arena);
    if (!run->pixels || !run->arena) {
        vit_run_free(run);
        return NULL;
    }
    carve(run, &vit->config);
    vit_run_wipe(run);
    return run;
}

void vit_run_wipe(struct vit_run *run)
{
    vit_pixels_wipe(run->pixels);
    explicit_bzero(run->arena, run->size * sizeof *run->arena);
}

void vit_run_free(struct vit_run *run)
{
    if (!run)
        return;
    if (run->pixels && run->arena)
        vit_run_wipe(run);
    vit_pixels_free(run->pixels);
    free(run->arena);
    free(run);
}

const float *vit_run_pixels(const struct vit_run *run)
{
    return run->image;
}

/* (channels, image, image) to (T - 1, channels patch^2). */
static void cut_patches(const struct vit_config *c, const float *image, float *cols)
{
    size_t patch = c->patch, side = c->image / patch;
    for (size_t i = 0; i < side * side; i++)
        for (size_t line = 0; line < c->channels * patch; line++, cols += patch) {
            size_t channel = line / patch, y = i / side * patch + line % patch;
            memcpy(cols, image + (channel * c->image + y) * c->image + i % side * patch,
                   patch * sizeof *cols);
        }
}

/* The class token, then the patches; to each its position. */
static void lay_rows(const struct vit *vit, struct vit_run *run)
{
    const struct vit_config *c = &vit->config;
    size_t T = vit_tokens(c), d = c->d;
    cut_patches(c, run->image, run->cols);
    memcpy(run->x, vit->cls, d * sizeof *run->x);
    linalg_linear(run->cols, T - 1, c->channels * c->patch * c->patch, vit->patch_w,
                  vit->patch_b, d, run->x + d);
    linalg_axpy(1, vit->position, run->x, T * d);
}

/* The first `rows` rows ask all T. */
static void attend(const struct vit_config *c, struct vit_run *run, size_t rows)
{
    size_t T = vit_tokens(c), d = c->d, size = d / c->heads;
    float scale = 1 / sqrtf((float)size);
    for (size_t h = 0; h < c->heads; h++) {
        const float *q = run->qkv + h * size, *k = q + d, *v = k + d;
        linalg_nt(rows, T, size, scale, q, 3 * d, k, 3 * d, 0, run->weight, T);
        for (size_t i = 0; i < rows; i++)
            linalg_softmax(run->weight + i * T, T);
        linalg_nn(rows, size, T, 1, run->weight, T, v, 3 * d, 0, run->mixed + h * size,
                  d);
    }
}

static void activate(enum vit_act act, float *x, size_t n)
{
    switch (act) {
    case VIT_GELU:
        linalg_gelu_erf(x, n, x);
        break;
    case VIT_GELU_TANH:
        linalg_gelu_tanh(x, n, x);
        break;
    case VIT_QUICK_GELU:
        linalg_gelu(x, n, x);
        break;
    case VIT_RELU:
        linalg_relu(x, n);
        break;
    }
}

/* x + attention(norm(x)), then x + mlp(norm(x)); after the last layer nobody reads more
 * than its first row, the class token. */
static void run_layer(const struct vit_config *c, const struct vit_layer *p,
                      struct vit_run *run, bool last)
{
    size_t T = vit_tokens(c), d = c->d, rows = last ? 1 : T;
    linalg_layer_norm_eps(run->x, T, d, p->norm1_w, p->norm1_b, c->eps, run->y);
    linalg_linear(run->y, T, d, p->qkv_w, p->qkv_b, 3 * d, run->qkv);
    attend(c, run, rows);
    linalg_linear_skip(run->mixed, rows, d, p->out_w, p->out_b, d, run->x, run->x);
    linalg_layer_norm_eps(run->x, rows, d, p->norm2_w, p->norm2_b, c->eps, run->y);
    linalg_linear(run->y, rows, d, p->up_w, p->up_b, c->hidden, run->up);
    activate(c->act, run->up, rows * c->hidden);
    linalg_linear_skip(run->up, rows, c->hidden, p->down_w, p->down_b, d, run->x, run->x);
}

void vit_embed(const struct vit *vit, struct vit_run *run, const uint8_t *pixels,
               float *ret_z)
{
    const struct vit_config *c = &vit->config;
    vit_pixels_run(run->pixels, pixels, run->image);
    lay_rows(vit, run);
    for (size_t i = 0; i < c->layers; i++)
        run_layer(c, &vit->layer[i], run, i + 1 == c->layers);
    linalg_layer_norm_eps(run->x, 1, c->d, vit->norm_w, vit->norm_b, c->eps, ret_z);
}

void vit_logits(const struct vit *vit, const float *z, float *ret_logits)
{
    linalg_linear(z, 1, vit->config.d, vit->head_w, vit->head_b, vit->labels, ret_logits);
}

void vit_largest(const struct vit_config *c, size_t *ret_rows, size_t *ret_cols)
{
    size_t patch = c->channels * c->patch * c->patch, T = vit_tokens(c);
    size_t cols = c->hidden > c->d ? c->hidden : c->d;
    cols = patch > cols ? patch : cols;
    *ret_rows = T;
    *ret_cols = T > cols ? T : cols;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* AdamW, with warm-up, cosine, clipping and a weight average. */
#include "core/train_optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/rng.h"

static const double beta1 = .9, beta2 = .99, decay = .05, clip = 1, average_rate = .999;

int optimizer_new(struct params *params, size_t steps, double rate,
                  struct optimizer **ret_optimizer)
{
    struct optimizer *o = calloc(1, sizeof *o);
    if (!o || !(o->m = calloc(4 * params->n, sizeof *o->m))) {
        free(o);
        return fail(MK_ENOMEM, "no memory for an optimizer");
    }
    o->v = o->m + params->n;
    o->average = o->v + params->n;
    o->sum = o->average + params->n;
    o->params = params;
    o->steps = steps;
    o->rate = rate;
    *ret_optimizer = o;
    return 0;
}

void optimizer_free(struct optimizer *o)
{
    if (!o)
        return;
    free(o->m);
    free(o);
}

void params_start(struct params *params, uint64_t seed)
{
    for (size_t t = 0; t < params->n_tensors; t++) {
        const struct tensor *tensor = &params->tensor[t];
        struct rng rng = rng_at(seed, RNG_INIT, params->kind, t);
        real *x = params->values + tensor->offset;
        for (size_t i = 0; i < tensor->n; i++)
            x[i] = tensor->init == INIT_ZERO  ? 0
                   : tensor->init == INIT_ONE ? 1
                                              : (real)(tensor->spread * rng_normal(&rng));
    }
}

/* 5 % linear warm-up, then a cosine to 0. */
static double rate_now(const struct optimizer *o)
{
    double at = (double)(o->step + 1) / (double)o->steps, warm = .05;
    return at < warm ? o->rate * at / warm
                     : o->rate * (1 + cos(M_PI * (at - warm) / (1 - warm))) / 2;
}

/* Sums the gradients; returns what to multiply the sum with, so that it is no longer than
 * clip. */
static double add_up(struct optimizer *o, struct params *const *gradients, size_t n)
{
    double square = 0;
    memset(o->sum, 0, o->params->n * sizeof *o->sum);
    for (size_t i = 0; i < n; i++)
        linalg_axpy(1, gradients[i]->values, o->sum, o->params->n);
    for (size_t i = 0; i < o->params->n; i++)
        square += (double)o->sum[i] * o->sum[i];
    double length = sqrt(square);
    return length > clip ? clip / length : 1;
}

static void move(struct optimizer *o, const struct tensor *tensor, double scale)
{
    double rate = rate_now(o), t = (double)o->step + 1;
    float step = (float)(rate * sqrt(1 - pow(beta2, t)) / (1 - pow(beta1, t)));
    float keep = (float)(tensor->init == INIT_WEIGHT ? 1 - rate * decay : 1);
    float *restrict x = o->params->values, *restrict m = o->m, *restrict v = o->v;
    for (size_t i = tensor->offset; i < tensor->offset + tensor->n; i++) {
        float g = (float)scale * o->sum[i];
        m[i] += (float)(1 - beta1) * (g - m[i]);
        v[i] += (float)(1 - beta2) * (g * g - v[i]);
        x[i] = keep * x[i] - step * m[i] / (sqrtf(v[i]) + 1e-8f);
    }
}

/* The average begins short, or it would remember the first values for thousands of steps.
 */
static void follow(struct optimizer *o)
{
    double t = (double)o->step, rate = fmin(average_rate, (1 + t) / (10 + t));
    for (size_t i = 0; i < o->params->n; i++)
        o->average[i] += (float)(1 - rate) * (o->params->values[i] - o->average[i]);
}

void optimizer_step(struct optimizer *o, struct params *const *gradients, size_t n)
{
    double scale = add_up(o, gradients, n);
    for (size_t t = 0; t < o->params->n_tensors; t++)
        move(o, &o->params->tensor[t], scale);
    follow(o);
    o->step++;
}

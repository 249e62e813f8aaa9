/* SPDX-License-Identifier: Apache-2.0 */
/* One side of an unlearning: its losses and its batches. */
#include "core/unlearn_side.h"

#include <string.h>

#include "core/err.h"
#include "core/unlearn_loss.h"

static uint32_t relabel(uint64_t seed, uint32_t row, uint32_t label, uint32_t classes)
{
    struct rng rng = rng_at(seed, RNG_RELABEL, 0, row);
    return (label + 1 + rng_below(&rng, classes - 1)) % classes;
}

static double side_loss(void *context, size_t worker, size_t first, const uint32_t *rows,
                        const uint8_t *pixels, const real *logits, real *ret_dlogits)
{
    (void)first;
    const struct side *s = context;
    const struct aim *aim = &s->aim;
    struct forward *teacher = s->teacher[worker];
    uint32_t classes = s->stepper->params->shape.classes;
    double loss = 0, share = 1 / (double)s->plan->batch;
    if (aim->kl != 0)
        forward_run(teacher, &aim->teacher->net, pixels, NULL);
    for (size_t i = 0; i < CHUNK; i++) {
        uint32_t label = s->images->labels[rows[i]];
        size_t at = i * classes;
        if (aim->relabel)
            label = relabel(s->plan->seed, rows[i], label, classes);
        loss += cross_entropy(logits + at, classes, label, s->plan->smoothing,
                              aim->ce * share, ret_dlogits + at);
        if (aim->kl != 0)
            loss +=
                kl_divergence(teacher->logits + at, logits + at, classes,
                              s->plan->temperature, aim->kl * share, ret_dlogits + at);
    }
    return loss;
}

void side_close(struct side *s)
{
    for (size_t i = 0; i < THREADS_MAX; i++)
        forward_free(s->teacher[i]);
    stepper_free(s->stepper);
    stream_free(s->stream);
}

/* Computed like the student, so that a teacher that is the student has its very logits. */
static bool open_teacher(struct side *s, const struct shape *shape)
{
    for (size_t i = 0; i < s->plan->threads; i++)
        if (!(s->teacher[i] = forward_new(shape, CHUNK, 0, FORWARD_KEEP)))
            return false;
    return true;
}

int side_open(struct side *s, const struct params *params, uint64_t stage)
{
    struct recipe recipe = {.seed = s->plan->seed,
                            .stage = stage,
                            .threads = s->plan->threads,
                            .batch = s->plan->batch,
                            .upright = s->plan->upright,
                            .loss = side_loss,
                            .context = s};
    s->stepper = stepper_new(s->images, params, &recipe);
    s->stream = stream_new((struct row_range){0, s->rows.n}, s->plan->seed, stage);
    bool taught = s->aim.kl == 0 || open_teacher(s, &params->shape);
    return s->stepper && s->stream && taught
               ? 0
               : fail(MK_ENOMEM, "no memory to unlearn with");
}

bool side_is_used(const struct side *s)
{
    return s->aim.ce != 0 || s->aim.kl != 0;
}

double side_cost(const struct side *s)
{
    return side_is_used(s) ? 1 + (s->aim.kl != 0) / 3.0 : 0;
}

double side_gradient(struct side *s, struct params **gradient, size_t *n,
                     struct unlearned *spent)
{
    uint32_t rows[s->plan->batch];
    stream_rows(s->stream, s->rows, s->done, s->plan->batch, rows);
    double loss = stepper_gradient(s->stepper, s->done++, rows, 0);
    memcpy(gradient + *n, s->stepper->gradient, s->stepper->chunks * sizeof *gradient);
    *n += s->stepper->chunks;
    spent->gradients += s->plan->batch;
    spent->passes += s->aim.kl != 0 ? s->plan->batch : 0;
    return loss;
}

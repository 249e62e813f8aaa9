/* SPDX-License-Identifier: Apache-2.0 */
/* A retrieval-augmented classifier. */
#include "core/rac.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/rac_head.h"
#include "core/train_optimizer.h"
#include "core/train_parallel.h"
#include "core/train_step.h"

struct run {
    const struct plain_plan *plan;
    const struct images *images;
    struct rac *rac;
    const struct near *near; /* (rows, MIXTURE_K) */
    uint32_t *place;         /* (images): of a row in the list of rows */
    struct stepper *stepper;
    struct stream *stream;
    struct optimizer *f, *g;
    struct params **gradient; /* (chunks): of g */
    struct rac_head *head[THREADS_MAX];
};

/* CE of f + g; what flows back to f is what flows back to g. */
static double step_f_and_g(void *context, size_t worker, size_t first,
                           const uint32_t *rows, const uint8_t *pixels,
                           const real *logits, real *ret_dlogits)
{
    (void)pixels;
    const struct run *run = context;
    const struct retrieved *g = &run->rac->g->retrieved;
    size_t classes = run->plan->shape.classes, in = classes + RETRIEVED_K;
    struct params *gradient = run->gradient[first / CHUNK];
    struct rac_head *head = run->head[worker];
    double loss = 0, share = 1 / (double)run->plan->batch;
    for (size_t i = 0; i < CHUNK; i++)
        rac_head_read(run->near + run->place[rows[i]] * MIXTURE_K, classes,
                      head->x + i * in);
    rac_head_run(g, classes, CHUNK, head);
    linalg_axpy(1, logits, head->z, CHUNK * classes);
    for (size_t i = 0; i < CHUNK; i++)
        loss +=
            cross_entropy(head->z + i * classes, classes, run->images->labels[rows[i]],
                          run->plan->smoothing, share, ret_dlogits + i * classes);
    memset(gradient->values, 0, gradient->n * sizeof *gradient->values);
    rac_head_backward(g, classes, CHUNK, head, ret_dlogits, &gradient->retrieved);
    return loss;
}

void rac_free(struct rac *rac)
{
    if (!rac)
        return;
    params_free(rac->f);
    params_free(rac->g);
    free(rac);
}

static void run_close(struct run *run)
{
    rac_free(run->rac);
    free(run->place);
    stepper_free(run->stepper);
    stream_free(run->stream);
    optimizer_free(run->f);
    optimizer_free(run->g);
    for (size_t i = 0; run->gradient && i < run->plan->batch / CHUNK; i++)
        params_free(run->gradient[i]);
    free(run->gradient);
    for (size_t i = 0; i < THREADS_MAX; i++)
        free(run->head[i]);
}

static int start_rac(struct run *run, const struct params *start)
{
    const struct plain_plan *plan = run->plan;
    if (!(run->rac = calloc(1, sizeof *run->rac)))
        return fail(MK_ENOMEM, "no memory for a classifier");
    int rc = params_new(&plan->shape, PARAMS_ENCODER, &run->rac->f);
    if (rc == 0)
        rc = params_new(&plan->shape, PARAMS_RETRIEVED, &run->rac->g);
    if (rc < 0)
        return rc;
    params_start(run->rac->f, plan->seed);
    params_start(run->rac->g, plan->seed);
    if (start && start->n != run->rac->f->n)
        return fail(MK_EINPUT, "the start is a net of another shape");
    if (start)
        memcpy(run->rac->f->values, start->values, start->n * sizeof *start->values);
    return 0;
}

static bool open_chunks(struct run *run)
{
    const struct plain_plan *plan = run->plan;
    size_t chunks = plan->batch / CHUNK;
    if (!(run->gradient = calloc(chunks, sizeof *run->gradient)))
        return false;
    for (size_t i = 0; i < chunks; i++)
        if (params_new(&plan->shape, PARAMS_RETRIEVED, &run->gradient[i]) < 0)
            return false;
    for (size_t i = 0; i < plan->threads; i++)
        if (!(run->head[i] = rac_head_new(plan->shape.classes, CHUNK)))
            return false;
    return true;
}

static int run_open(struct run *run, struct row_list rows)
{
    const struct plain_plan *plan = run->plan;
    struct recipe recipe = {.seed = plan->seed,
                            .threads = plan->threads,
                            .batch = plan->batch,
                            .upright = plan->upright,
                            .loss = step_f_and_g,
                            .context = run};
    size_t steps = plain_steps(plan, rows.n);
    int rc = optimizer_new(run->rac->f, steps, plan->rate, &run->f);
    if (rc == 0)
        rc = optimizer_new(run->rac->g, steps, plan->rate, &run->g);
    if (rc < 0)
        return rc;
    run->stepper = stepper_new(run->images, run->rac->f, &recipe);
    run->stream = stream_new((struct row_range){0, rows.n}, plan->seed, 0);
    run->place = calloc(run->images->n, sizeof *run->place);
    for (size_t i = 0; run->place && i < rows.n; i++)
        run->place[rows.row[i]] = (uint32_t)i;
    return run->stepper && run->stream && run->place && open_chunks(run)
               ? 0
               : fail(MK_ENOMEM, "no memory to train a classifier");
}

static void keep_average(const struct optimizer *o)
{
    memcpy(o->params->values, o->average, o->params->n * sizeof *o->average);
}

static int run_steps(struct run *run, enum rac_mode mode, struct row_list rows,
                     plain_tell *tell, void *context)
{
    const struct plain_plan *plan = run->plan;
    uint32_t batch[plan->batch];
    double loss = 0;
    while (run->g->step < run->g->steps) {
        size_t step = run->g->step;
        stream_rows(run->stream, rows, step, plan->batch, batch);
        stepper_mean(&loss, stepper_gradient(run->stepper, step, batch, 0), step + 1);
        if (mode == RAC_JOINT)
            optimizer_step(run->f, run->stepper->gradient, run->stepper->chunks);
        optimizer_step(run->g, run->gradient, run->stepper->chunks);
        if (tell && !tell(context, step + 1, run->g->steps, loss))
            return 1;
    }
    if (mode == RAC_JOINT)
        keep_average(run->f);
    keep_average(run->g);
    return 0;
}

int rac_train(const struct plain_plan *plan, enum rac_mode mode,
              const struct params *start, const struct images *images,
              struct row_list rows, const struct near *near, plain_tell *tell,
              void *context, struct rac **ret_rac)
{
    struct run run = {.plan = plan, .images = images, .near = near};
    int rc = plain_check(plan, images, rows);
    if (rc == 0 && mode == RAC_FROZEN && !start)
        rc = fail(MK_EINPUT, "there is no net to be frozen");
    if (rc < 0)
        return rc;
    rc = start_rac(&run, start);
    if (rc == 0)
        rc = run_open(&run, rows);
    if (rc == 0)
        rc = run_steps(&run, mode, rows, tell, context);
    if (rc == 0) {
        *ret_rac = run.rac;
        run.rac = NULL; /* transferred */
    }
    run_close(&run);
    return rc;
}

int rac_probabilities(const struct rac *rac, const struct images *images,
                      struct row_list rows, const struct near *near, size_t threads,
                      float *ret_p)
{
    size_t classes = rac->f->shape.classes;
    struct rac_head *head = rac_head_new(classes, 1);
    int rc = head ? plain_logits(rac->f, images, rows, threads, ret_p)
                  : fail(MK_ENOMEM, "no memory for activations");
    for (size_t i = 0; rc == 0 && i < rows.n; i++) {
        rac_head_read(near + i * MIXTURE_K, classes, head->x);
        rac_head_run(&rac->g->retrieved, classes, 1, head);
        linalg_axpy(1, head->z, ret_p + i * classes, classes);
        linalg_softmax(ret_p + i * classes, classes);
    }
    free(head);
    return rc;
}

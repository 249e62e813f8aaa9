/* SPDX-License-Identifier: Apache-2.0 */
/* The plain classifier: the net of a model without its memory. */
#include "core/plain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/model_forward.h"
#include "core/safetensors.h"
#include "core/train_optimizer.h"
#include "core/train_parallel.h"
#include "core/train_step.h"

size_t plain_steps(const struct plain_plan *plan, size_t n)
{
    return (size_t)ceil(plan->epochs * (double)n / (double)plan->batch);
}

int plain_check(const struct plain_plan *plan, const struct images *images,
                struct row_list rows)
{
    int rc = shape_check(&plan->shape);
    if (rc == 0 && plan->shape.open_labels)
        rc = fail(MK_EINPUT, "a classifier without a memory has no open labels");
    if (rc == 0)
        rc = stepper_check(plan->batch, plan->threads);
    if (rc == 0 && !(plan->epochs > 0))
        rc = fail(MK_EINPUT, "a training has more than %g epochs", plan->epochs);
    return rc == 0 ? images_check(images, rows, &plan->shape) : rc;
}

struct run {
    struct params *params;
    struct optimizer *optimizer;
    struct stepper *stepper;
    struct stream *stream;
};

static void run_close(struct run *run)
{
    params_free(run->params);
    optimizer_free(run->optimizer);
    stepper_free(run->stepper);
    stream_free(run->stream);
}

static int run_open(struct run *run, const struct plain_plan *plan,
                    const struct images *images, size_t n)
{
    struct recipe recipe = {.seed = plan->seed,
                            .threads = plan->threads,
                            .batch = plan->batch,
                            .smoothing = plan->smoothing,
                            .upright = plan->upright};
    int rc = params_new(&plan->shape, PARAMS_ENCODER, &run->params);
    if (rc == 0)
        rc =
            optimizer_new(run->params, plain_steps(plan, n), plan->rate, &run->optimizer);
    if (rc < 0)
        return rc;
    params_start(run->params, plan->seed);
    run->stepper = stepper_new(images, run->params, &recipe);
    run->stream = stream_new((struct row_range){0, n}, plan->seed, 0);
    return run->stepper && run->stream
               ? 0
               : fail(MK_ENOMEM, "no memory to train a classifier");
}

static int run_steps(struct run *run, const struct plain_plan *plan, struct row_list rows,
                     plain_tell *tell, void *context)
{
    struct optimizer *o = run->optimizer;
    uint32_t batch[plan->batch];
    double loss = 0;
    while (o->step < o->steps) {
        stream_rows(run->stream, rows, o->step, plan->batch, batch);
        stepper_mean(&loss, stepper_gradient(run->stepper, o->step, batch, 0),
                     o->step + 1);
        optimizer_step(o, run->stepper->gradient, run->stepper->chunks);
        if (tell && !tell(context, o->step, o->steps, loss))
            return 1;
    }
    memcpy(o->params->values, o->average, o->params->n * sizeof *o->average);
    return 0;
}

int plain_train(const struct plain_plan *plan, const struct images *images,
                struct row_list rows, plain_tell *tell, void *context,
                struct params **ret_params)
{
    struct run run = {0};
    int rc = plain_check(plan, images, rows);
    if (rc == 0)
        rc = run_open(&run, plan, images, rows.n);
    if (rc == 0)
        rc = run_steps(&run, plan, rows, tell, context);
    if (rc == 0) {
        *ret_params = run.params;
        run.params = NULL; /* transferred */
    }
    run_close(&run);
    return rc;
}

struct answers {
    const struct params *params;
    const struct images *images;
    struct row_list rows;
    struct forward *forward[THREADS_MAX];
    float *logits;
};

static void answer_row(void *context, size_t worker, size_t number)
{
    struct answers *a = context;
    struct forward *f = a->forward[worker];
    size_t classes = f->shape.classes;
    linalg_enter();
    forward_run(f, &a->params->net, images_at(a->images, a->rows.row[number]), NULL);
    linalg_leave();
    memcpy(a->logits + number * classes, f->logits, classes * sizeof *a->logits);
}

int plain_logits(const struct params *params, const struct images *images,
                 struct row_list rows, size_t threads, float *ret_logits)
{
    struct answers a = {params, images, rows, .logits = ret_logits};
    int rc = images_check(images, rows, &params->shape);
    for (size_t i = 0; rc == 0 && i < threads; i++)
        if (!(a.forward[i] = forward_new(&params->shape, 1, 0, FORWARD_ONCE)))
            rc = fail(MK_ENOMEM, "no memory for activations");
    if (rc == 0)
        parallel_for(threads, rows.n, answer_row, &a);
    for (size_t i = 0; i < threads; i++)
        forward_free(a.forward[i]);
    return rc;
}

int plain_probabilities(const struct params *params, const struct images *images,
                        struct row_list rows, size_t threads, float *ret_p)
{
    size_t classes = params->shape.classes;
    int rc = plain_logits(params, images, rows, threads, ret_p);
    for (size_t i = 0; rc == 0 && i < rows.n; i++)
        linalg_softmax(ret_p + i * classes, classes);
    return rc;
}

int plain_format(const struct params *params, void **ret_bytes, size_t *ret_len)
{
    struct safetensors_entry entries[TENSORS_MAX];
    for (size_t i = 0; i < params->n_tensors; i++) {
        const struct tensor *t = &params->tensor[i];
        entries[i] = (struct safetensors_entry){t->name, t->rows, t->cols,
                                                params->values + t->offset};
    }
    json_t *metadata = json_object();
    int rc = safetensors_format(metadata, entries, params->n_tensors, ret_bytes, ret_len);
    json_decref(metadata);
    return rc;
}

static int read_tensors(const struct safetensors *file, struct params *params)
{
    int rc = 0;
    if (safetensors_count(file) != params->n_tensors)
        return fail(MK_EINPUT, "the file has %zu tensors, and the net %zu",
                    safetensors_count(file), params->n_tensors);
    for (size_t i = 0; rc == 0 && i < params->n_tensors; i++) {
        const struct tensor *t = &params->tensor[i];
        rc =
            safetensors_read(file, t->name, t->rows, t->cols, params->values + t->offset);
    }
    return rc;
}

int plain_parse(const struct shape *shape, enum params_kind kind, const void *bytes,
                size_t len, struct params **ret_params)
{
    struct safetensors *file;
    struct params *params = NULL;
    int rc = safetensors_parse(bytes, len, &file);
    if (rc < 0)
        return rc;
    rc = params_new(shape, kind, &params);
    if (rc == 0)
        rc = read_tensors(file, params);
    safetensors_free(file);
    if (rc < 0) {
        params_free(params);
        return rc;
    }
    *ret_params = params;
    return 0;
}

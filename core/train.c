/* SPDX-License-Identifier: Apache-2.0 */
/* Training: encoder, keys, classifier, calibration. */
#include "core/train.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/train_calibrate.h"
#include "core/train_parallel.h"
#include "core/train_parts.h"
#include "core/train_pca.h"

const struct train_method train_method_default = {
    .drop = .5, .blind_weight = .25, .smoothing = .1, .new_labels = .5};

/* Copies of one picture, no more.  A lower bound would take away the nearest neighbour
 * that a query in service does have: of this encoder's keys, 63 % of the first ones lie
 * above .98. */
static const float tau_dup = .999f;

static size_t length(struct row_range range)
{
    return range.end - range.begin;
}

static int check_range(const char *name, struct row_range range, size_t n)
{
    if (range.begin >= range.end || range.end > n)
        return fail(MK_EINPUT, "rows %llu to %llu for %s: the images have rows 0 to %zu",
                    (unsigned long long)range.begin, (unsigned long long)range.end, name,
                    n);
    return 0;
}

static int check_labels(const struct images *images, uint32_t classes)
{
    for (size_t i = 0; i < images->n; i++)
        if (images->labels[i] >= classes)
            return fail(MK_EINPUT, "row %zu has label %u, but there are %u classes", i,
                        images->labels[i], classes);
    return 0;
}

static int check_plan(const struct train_plan *plan, const struct images *images)
{
    const struct shape *s = &plan->shape;
    int rc = shape_check(s);
    if (rc == 0)
        rc = check_range("the encoder", plan->b1, images->n);
    if (rc == 0)
        rc = check_range("the classifier", plan->b2, images->n);
    if (rc == 0)
        rc = check_range("calibration", plan->val, images->n);
    if (rc == 0)
        rc = images_fit(images, s);
    if (rc == 0)
        rc = stepper_check(plan->batch, plan->threads);
    return rc == 0 ? check_labels(images, s->classes) : rc;
}

static int copy_params(const struct params *from, struct params *to)
{
    if (from->n != to->n)
        return fail(MK_EINPUT, "the model whose keys are wanted has other sizes");
    memcpy(to->values, from->values, from->n * sizeof *to->values);
    return 0;
}

static int copy_encoder(const struct model *from, struct model *to)
{
    if (from->vit || to->vit || from->shape.symmetric != to->shape.symmetric ||
        from->shape.inverted != to->shape.inverted)
        return fail(MK_EINPUT, "the model whose keys are wanted has another encoder");
    int rc = copy_params(from->encoder, to->encoder);
    return rc == 0 ? copy_params(from->projection, to->projection) : rc;
}

/* A frozen encoder has nothing to optimize. */
static int start_model(struct trainer *t)
{
    const struct train_plan *plan = &t->plan;
    struct vit *vit = t->plan.encoder_take;
    t->plan.encoder_take = NULL;
    bool frozen = vit || plan->keys_of;
    int rc = model_new_with(&plan->shape, vit, &t->model);
    if (rc == 0 && plan->keys_of)
        rc = copy_encoder(plan->keys_of, t->model);
    if (rc == 0 && !frozen)
        rc = optimizer_new(t->model->encoder, plan->steps_encoder, plan->rate,
                           &t->encoder);
    if (rc == 0)
        rc = optimizer_new(t->model->classifier, plan->steps_fusion, plan->rate,
                           &t->fusion);
    if (rc < 0)
        return rc;
    if (!frozen)
        params_start(t->model->encoder, plan->seed);
    params_start(t->model->classifier, plan->seed);
    return 0;
}

int trainer_new(const struct train_plan *plan, const struct images *images,
                struct trainer **ret_trainer)
{
    struct trainer *t = calloc(1, sizeof *t);
    if (!t) {
        vit_free(plan->encoder_take);
        return fail(MK_ENOMEM, "no memory for training");
    }
    t->plan = *plan;
    t->images = *images;
    t->plan.shape.own_tokens = plan->method.free_tokens ? (uint32_t)length(plan->b2) : 0;
    t->plan.shape.embed = plan->encoder_take ? plan->encoder_take->config.d : 0;
    int rc = check_plan(&t->plan, images);
    if (rc == 0)
        rc = start_model(t);
    if (rc < 0) {
        trainer_free(t);
        return rc;
    }
    *ret_trainer = t;
    return 0;
}

void trainer_free(struct trainer *t)
{
    if (!t)
        return;
    vit_free(t->plan.encoder_take);
    optimizer_free(t->encoder);
    optimizer_free(t->fusion);
    model_free(t->model);
    free(t->keys);
    free(t->neighbours);
    free(t);
}

struct model *trainer_model(struct trainer *t)
{
    return t->model;
}

struct train_findings trainer_findings(const struct trainer *t)
{
    return t->findings;
}

/* Which rows a stage draws from: queries of the memory passes, then of null passes alone.
 */
struct feed {
    struct stream *memory, *null;
    size_t n_memory; /* per step */
};

static void next_rows(const struct feed *feed, size_t step, size_t batch, uint32_t *rows)
{
    size_t n_null = batch - feed->n_memory;
    for (size_t i = 0; i < feed->n_memory; i++)
        rows[i] = stream_at(feed->memory, step * feed->n_memory + i);
    for (size_t i = 0; i < n_null; i++)
        rows[feed->n_memory + i] = stream_at(feed->null, step * n_null + i);
}

/* Steps until the stage is over (0) or tell() says stop (1). */
static int run_steps(struct trainer *t, struct optimizer *o, struct stepper *s,
                     const struct feed *feed, enum train_stage stage)
{
    uint32_t rows[t->plan.batch];
    struct train_news news = {.stage = stage, .total = o->steps};
    for (size_t n = 1; o->step < o->steps; n++) {
        next_rows(feed, o->step, t->plan.batch, rows);
        stepper_mean(&news.loss, stepper_gradient(s, o->step, rows, feed->n_memory), n);
        stepper_mean(&news.accuracy, stepper_accuracy(s), n);
        optimizer_step(o, s->gradient, s->chunks);
        news.done = o->step;
        if (!t->tell(t->context, &news))
            return 1;
    }
    memcpy(o->params->values, o->average, o->params->n * sizeof *o->average);
    return 0;
}

static struct recipe recipe_of(const struct trainer *t, uint64_t stage,
                               const struct retrieval *retrieval)
{
    return (struct recipe){
        .seed = t->plan.seed,
        .stage = stage,
        .threads = t->plan.threads,
        .batch = t->plan.batch,
        .smoothing = t->plan.method.smoothing,
        .blind_weight = t->plan.method.blind_weight,
        .drop = t->plan.method.drop,
        .upright = t->plan.method.upright,
        .retrieval = retrieval,
        .codes = t->plan.codes,
    };
}

static int train_encoder(struct trainer *t)
{
    if (!t->encoder)
        return 0;
    struct recipe recipe = recipe_of(t, STAGE_ENCODER, NULL);
    struct stepper *s = stepper_new(&t->images, t->model->encoder, &recipe);
    struct feed feed = {.null = stream_new(t->plan.b1, t->plan.seed, 0)};
    int rc = s && feed.null ? run_steps(t, t->encoder, s, &feed, STAGE_ENCODER)
                            : fail(MK_ENOMEM, "no memory to train the encoder");
    stepper_free(s);
    stream_free(feed.null);
    return rc;
}

/* The null pass learns from all that the weights may see, B1 and B2; the memory passes
 * from B2 alone, whose keys come from an encoder that never saw them. */
static int train_fusion(struct trainer *t)
{
    struct retrieval retrieval = {keys_of_b2(t), t->neighbours};
    struct recipe recipe = recipe_of(t, STAGE_FUSION, &retrieval);
    struct stepper *s = stepper_new(&t->images, t->model->classifier, &recipe);
    size_t b1 = length(t->plan.b1), b2 = length(t->plan.b2);
    struct feed feed = {
        .memory = stream_new(t->plan.b2, t->plan.seed, 1),
        .null = stream_new(t->plan.b1, t->plan.seed, 2),
        .n_memory = (t->plan.batch * b2 / (b1 + b2) + CHUNK - 1) / CHUNK * CHUNK,
    };
    int rc = s && feed.memory && feed.null
                 ? run_steps(t, t->fusion, s, &feed, STAGE_FUSION)
                 : fail(MK_ENOMEM, "no memory to train the classifier");
    stepper_free(s);
    stream_free(feed.memory);
    stream_free(feed.null);
    return rc;
}

struct key_list keys_of_b2(const struct trainer *t)
{
    return (struct key_list){t->plan.b2, t->keys, t->plan.shape.key_dim};
}

struct key_list keys_of_val(const struct trainer *t)
{
    return (struct key_list){t->plan.val, t->keys + length(t->plan.b2),
                             t->plan.shape.key_dim};
}

/* Share of the first 8 neighbours that bear their query's label. */
static double agreement(const struct trainer *t, struct row_range queries,
                        const struct neighbour *list, size_t stride)
{
    size_t agree = 0, n = 0;
    for (size_t i = 0; i < length(queries); i++)
        for (size_t j = 0; j < SURVIVORS; j++) {
            const struct neighbour *neighbour = &list[i * stride + j];
            if (neighbour->row == NO_ROW)
                continue;
            n++;
            agree +=
                t->images.labels[neighbour->row] == t->images.labels[queries.begin + i];
        }
    return n ? (double)agree / (double)n : 0;
}

/* P, the keys of B2 and val, and who is near whom. */
static int make_keys(struct trainer *t)
{
    size_t d = shape_embedding(&t->plan.shape), b2 = length(t->plan.b2),
           val = length(t->plan.val);
    float *z = calloc((b2 + val) * d, sizeof *z);
    t->keys = calloc(b2 + val, sizeof *t->keys);
    t->neighbours = calloc(b2 * NEAREST, sizeof *t->neighbours);
    int rc = z && t->keys && t->neighbours ? 0 : fail(MK_ENOMEM, "no memory for keys");
    if (rc == 0)
        rc = train_embed(t, t->plan.b2, z);
    if (rc == 0)
        rc = train_embed(t, t->plan.val, z + b2 * d);
    struct projection *p = &t->model->projection->projection;
    if (rc == 0 && !t->plan.keys_of)
        rc = pca_fit(z, b2, d, t->plan.shape.key_dim, p->mean, p->matrix);
    for (size_t i = 0; rc == 0 && i < b2 + val; i++)
        model_quantise(t->model, z + i * d, &t->keys[i]);
    free(z);
    if (rc != 0)
        return rc;
    struct key_list keys = keys_of_b2(t);
    rc = neighbours_find(&keys, &keys, NEAREST,
                         t->plan.method.retrieve_self ? TAU_ANY : tau_dup,
                         t->plan.threads, t->neighbours);
    if (rc == 0)
        t->findings.agreement_b2 = agreement(t, t->plan.b2, t->neighbours, NEAREST);
    return rc;
}

static int fit_calibration(struct trainer *t)
{
    size_t n = length(t->plan.val);
    struct neighbour *list = calloc(n * K_TRIED, sizeof *list);
    struct key_list keys = keys_of_b2(t), queries = keys_of_val(t);
    /* In service nothing is left out for being too similar. */
    int rc =
        list ? neighbours_find(&keys, &queries, K_TRIED, TAU_ANY, t->plan.threads, list)
             : fail(MK_ENOMEM, "no memory for calibration");
    t->model->info.aggregation = t->plan.method.aggregation;
    if (rc == 0) {
        t->findings.agreement_val = agreement(t, t->plan.val, list, K_TRIED);
        rc = train_calibrate(t, list);
    }
    free(list);
    return rc;
}

int trainer_run(struct trainer *t, train_tell *tell, void *context)
{
    t->tell = tell;
    t->context = context;
    int rc = train_encoder(t);
    if (rc == 0)
        rc = make_keys(t);
    if (rc == 0)
        rc = train_fusion(t);
    return rc == 0 ? fit_calibration(t) : rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One training step's gradient, computed by several threads. */
#include "core/train_step.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/train_parallel.h"

/* What a thread needs for a chunk, with or without a memory. */
struct lane {
    struct forward *f;
    struct backward *b;
    struct writing *w;
    uint8_t *pixels; /* (CHUNK, height, width, channels) */
    real *dlogits;   /* (CHUNK passes, shape_outputs()) */
    real *z;         /* (2 classes) */
    struct hit hit[CHUNK * HITS_TRAINED];
    const struct hit *hits[CHUNK * HITS_TRAINED];
};

static bool lane_open(struct lane *lane, const struct shape *shape, bool memory)
{
    size_t hits = memory ? HITS_TRAINED : 0;
    int flags = FORWARD_KEEP | (memory ? FORWARD_BLIND : 0);
    lane->f = forward_new(shape, CHUNK, hits, flags);
    lane->b = lane->f ? backward_new(lane->f) : NULL;
    lane->w = writing_new(shape, CHUNK * HITS_TRAINED);
    lane->z = calloc(2 * shape->classes, sizeof *lane->z);
    lane->pixels = calloc(CHUNK, (size_t)shape->height * shape->width * shape->channels);
    if (lane->f)
        lane->dlogits =
            calloc(CHUNK * lane->f->passes * shape_outputs(shape), sizeof *lane->dlogits);
    return lane->f && lane->b && lane->w && lane->pixels && lane->dlogits && lane->z;
}

static void lane_close(struct lane *lane)
{
    forward_free(lane->f);
    backward_free(lane->b);
    writing_free(lane->w);
    free(lane->pixels);
    free(lane->dlogits);
    free(lane->z);
}

static bool open_all(struct stepper *s)
{
    const struct shape *shape = &s->params->shape;
    bool memory = s->recipe.retrieval != NULL;
    for (size_t i = 0; i < s->chunks; i++)
        if (params_new(shape, s->params->kind, &s->gradient[i]) < 0)
            return false;
    if (s->recipe.codes && !(s->naming = naming_new(s->recipe.codes, shape->classes)))
        return false;
    for (size_t i = 0; i < s->recipe.threads; i++)
        if (!lane_open(&s->lane[2 * i], shape, false) ||
            (memory && !lane_open(&s->lane[2 * i + 1], shape, true)))
            return false;
    return true;
}

int stepper_check(size_t batch, size_t threads)
{
    if (!batch || batch % CHUNK)
        return fail(MK_EINPUT, "a batch is a multiple of %d images, not %zu", CHUNK,
                    batch);
    if (!threads || threads > THREADS_MAX)
        return fail(MK_EINPUT, "1 to %d threads, not %zu", THREADS_MAX, threads);
    return 0;
}

struct stepper *stepper_new(const struct images *images, const struct params *params,
                            const struct recipe *recipe)
{
    assert(recipe->batch % CHUNK == 0 && !(recipe->loss && recipe->retrieval));
    struct stepper *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->recipe = *recipe;
    s->images = images;
    s->params = params;
    s->chunks = recipe->batch / CHUNK;
    s->gradient = calloc(s->chunks, sizeof *s->gradient);
    s->loss = calloc(s->chunks, sizeof *s->loss);
    s->right = calloc(s->chunks, sizeof *s->right);
    s->lane = calloc(2 * recipe->threads, sizeof *s->lane);
    if (!s->gradient || !s->loss || !s->right || !s->lane || !open_all(s)) {
        stepper_free(s);
        return NULL;
    }
    return s;
}

void stepper_free(struct stepper *s)
{
    if (!s)
        return;
    for (size_t i = 0; s->gradient && i < s->chunks; i++)
        params_free(s->gradient[i]);
    for (size_t i = 0; s->lane && i < 2 * s->recipe.threads; i++)
        lane_close(&s->lane[i]);
    free(s->gradient);
    free(s->loss);
    free(s->right);
    free(s->lane);
    naming_free(s->naming);
    free(s);
}

/* "rho ~ U(0, .5); every neighbour is dropped with probability rho; 2 of the first 8
 * survivors": a query in service meets a memory that holds other instances, or fewer. */
void stepper_retrieve(const struct retrieval *r, const struct images *images, double drop,
                      uint32_t row, struct rng *rng, struct hit hits[HITS_TRAINED],
                      const struct hit *ret_hits[HITS_TRAINED])
{
    const struct neighbour *list = r->list + (row - r->keys.rows.begin) * NEAREST;
    struct neighbour survivor[SURVIVORS];
    uint32_t n = 0;
    double rho = rng_uniform(rng) * drop;
    for (size_t i = 0; i < NEAREST && n < SURVIVORS && list[i].row != NO_ROW; i++)
        if (rng_uniform(rng) >= rho)
            survivor[n++] = list[i];
    for (size_t j = 0; j < HITS_TRAINED; j++) {
        ret_hits[j] = NULL;
        if (n == 0)
            continue;
        uint32_t drawn = rng_below(rng, n);
        hits[j] = (struct hit){
            .similarity = survivor[drawn].similarity,
            .label = images->labels[survivor[drawn].row],
            .token = (uint32_t)(survivor[drawn].row - r->keys.rows.begin),
            .key = r->keys.key[survivor[drawn].row - r->keys.rows.begin],
        };
        survivor[drawn] = survivor[--n];
        ret_hits[j] = &hits[j];
    }
}

static void name_hits(const struct stepper *s, struct hit *hit,
                      const struct hit *const *hits)
{
    const uint64_t *codes = naming_codes(s->naming, true);
    for (size_t j = 0; j < HITS_TRAINED; j++)
        if (hits[j])
            hit[j].label = codes[hit[j].label];
}

static void prepare(const struct stepper *s, struct lane *lane, size_t first)
{
    size_t size = (size_t)s->images->height * s->images->width * s->images->channels;
    uint64_t step = s->recipe.stage << 32 | s->step;
    for (size_t i = 0; i < CHUNK; i++) {
        uint32_t row = s->rows[first + i];
        struct rng rng = rng_at(s->recipe.seed, RNG_AUGMENT, step, first + i);
        struct hit *hit = lane->hit + i * HITS_TRAINED;
        const struct hit **hits = lane->hits + i * HITS_TRAINED;
        augment(s->images, row, s->recipe.upright, &rng, lane->pixels + i * size);
        if (lane->f->k)
            stepper_retrieve(s->recipe.retrieval, s->images, s->recipe.drop, row, &rng,
                             hit, hits);
        if (lane->f->k && s->naming)
            name_hits(s, hit, hits);
    }
}

/* Whether the chunk's pass i has a hit to read. */
static bool has_hit(const struct lane *lane, size_t i)
{
    size_t image = i / lane->f->passes, pass = i % lane->f->passes;
    return pass > 0 && lane->hits[image * HITS_TRAINED + (pass - 1) % HITS_TRAINED];
}

static bool is_right(const real *logits, size_t classes, uint32_t label)
{
    for (size_t c = 0; c < classes; c++)
        if (logits[c] > logits[label])
            return false;
    return true;
}

/* Of the chunk's pass i: its loss, the gradient by its readout, and whether it is right. */
static double score(const struct stepper *s, const struct lane *lane, size_t i,
                    uint32_t label, double weight, bool *ret_right)
{
    size_t classes = lane->f->shape.classes, outputs = shape_outputs(&lane->f->shape);
    const real *readout = lane->f->logits + i * outputs;
    double smoothing = s->recipe.smoothing;
    double loss =
        s->naming ? naming_loss(s->naming, has_hit(lane, i), readout, label, smoothing,
                                weight, lane->z, lane->dlogits + i * outputs)
                  : cross_entropy(readout, classes, label, smoothing, weight,
                                  lane->dlogits + i * outputs);
    *ret_right = is_right(s->naming ? lane->z : readout, classes, label);
    return loss;
}

/* A comparison's loss, which knows no memory. */
static double other_loss(const struct stepper *s, size_t worker, const struct lane *lane,
                         size_t first, size_t *ret_right)
{
    size_t classes = lane->f->shape.classes, right = 0;
    for (size_t i = 0; i < CHUNK; i++)
        right += is_right(lane->f->logits + i * classes, classes,
                          s->images->labels[s->rows[first + i]]);
    *ret_right = right;
    return s->recipe.loss(s->recipe.context, worker, first, s->rows + first, lane->pixels,
                          lane->f->logits, lane->dlogits);
}

/* Returns the chunk's loss, and how many of its null passes are right. */
static double losses(const struct stepper *s, size_t worker, const struct lane *lane,
                     size_t first, size_t *ret_right)
{
    if (s->recipe.loss)
        return other_loss(s, worker, lane, first, ret_right);
    const struct forward *f = lane->f;
    double loss = 0, share = 1 / (double)s->recipe.batch;
    size_t right = 0;
    for (size_t i = 0; i < CHUNK * f->passes; i++) {
        size_t pass = i % f->passes;
        uint32_t label = s->images->labels[s->rows[first + i / f->passes]];
        double weight = pass == 0 ? share
                        : pass < f->seeing
                            ? share / HITS_TRAINED
                            : share / HITS_TRAINED * s->recipe.blind_weight;
        bool hit;
        loss += score(s, lane, i, label, weight, &hit);
        right += hit && pass == 0;
    }
    *ret_right = right;
    return loss;
}

static void run_chunk(void *context, size_t worker, size_t number)
{
    struct stepper *s = context;
    size_t first = number * CHUNK;
    bool memory = first < s->n_memory;
    struct lane *lane = &s->lane[2 * worker + memory];
    struct params *gradient = s->gradient[number];
    memset(gradient->values, 0, gradient->n * sizeof *gradient->values);
    prepare(s, lane, first);
    if (memory)
        writing_run(lane->w, s->params, lane->hits);
    forward_run(lane->f, &s->params->net, lane->pixels, lane->w->exemplar);
    s->loss[number] = losses(s, worker, lane, first, &s->right[number]);
    backward_run(lane->b, lane->f, &s->params->net, lane->dlogits, &gradient->net);
    if (memory)
        writing_backward(lane->w, s->params, lane->b->dexemplars, gradient);
}

static void draw_names(struct stepper *s)
{
    struct rng rng =
        rng_at(s->recipe.seed, RNG_NAMES, s->recipe.stage << 32 | s->step, 0);
    naming_draw(s->naming, 1, &rng);
}

double stepper_gradient(struct stepper *s, uint64_t step, const uint32_t *rows,
                        size_t n_memory)
{
    assert(n_memory % CHUNK == 0 && n_memory <= s->recipe.batch);
    double loss = 0;
    s->step = step;
    s->rows = rows;
    s->n_memory = n_memory;
    if (s->naming)
        draw_names(s);
    parallel_for(s->recipe.threads, s->chunks, run_chunk, s);
    for (size_t i = 0; i < s->chunks; i++)
        loss += s->loss[i];
    return loss;
}

double stepper_accuracy(const struct stepper *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->chunks; i++)
        n += s->right[i];
    return (double)n / (double)s->recipe.batch;
}

void stepper_mean(double *mean, double value, size_t n)
{
    *mean += (value - *mean) / (n < 100 ? (double)n : 100);
}

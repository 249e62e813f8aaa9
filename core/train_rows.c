/* SPDX-License-Identifier: Apache-2.0 */
/* The frozen nets over many rows of the training file, one image at a time as in service.
 */
#include <stdlib.h>

#include "core/err.h"
#include "core/train_calibrate.h"
#include "core/train_parallel.h"
#include "core/train_parts.h"

enum { PIECE = 250 }; /* rows between two calls of tell() */

struct rows {
    struct trainer *t;
    struct scratch *scratch[THREADS_MAX];
    size_t first; /* row of piece 0 */
    size_t begin; /* row of z[0] */
    float *z;     /* (rows, shape_embedding()), or: */
    float *p;     /* (rows, 1 + K_TRIED, classes) */
    struct hit *hits;
    const struct neighbour *nearest;
    uint32_t *n_hits, *labels;
    struct naming *naming; /* of open labels, or NULL */
};

static void rows_close(struct rows *rows)
{
    for (size_t i = 0; i < THREADS_MAX; i++)
        scratch_free(rows->scratch[i]);
}

static int rows_open(struct rows *rows, struct trainer *t)
{
    rows->t = t;
    for (size_t i = 0; i < t->plan.threads; i++)
        if (!(rows->scratch[i] = scratch_new_for(t->model, K_TRIED, false)))
            return fail(MK_ENOMEM, "no memory for activations");
    return 0;
}

/* Runs piece over all rows, with news of them. */
static int over_rows(struct rows *rows, size_t n, enum train_stage stage, piece *run)
{
    struct trainer *t = rows->t;
    size_t begin = rows->first;
    for (size_t done = 0; done < n;) {
        size_t now = n - done < PIECE ? n - done : PIECE;
        rows->first = begin + done;
        parallel_for(t->plan.threads, now, run, rows);
        done += now;
        struct train_news news = {.stage = stage, .done = done, .total = n};
        if (!t->tell(t->context, &news))
            return 1;
    }
    return 0;
}

static void embed_row(void *context, size_t worker, size_t number)
{
    struct rows *rows = context;
    const struct trainer *t = rows->t;
    size_t row = rows->first + number;
    model_embed(t->model, rows->scratch[worker], images_at(&t->images, row),
                rows->z + (row - rows->begin) * shape_embedding(&t->plan.shape));
}

int train_embed(struct trainer *t, struct row_range range, float *ret_z)
{
    struct rows rows = {.first = range.begin, .begin = range.begin, .z = ret_z};
    int rc = rows_open(&rows, t);
    if (rc == 0)
        rc = over_rows(&rows, range.end - range.begin, STAGE_KEYS, embed_row);
    rows_close(&rows);
    return rc;
}

/* A share of the open labels bears names that the model never met, as in a service where labels
 * appear: with the names that it was trained on, the null pass would be trusted too well. */
static int name_labels(struct rows *rows)
{
    const struct train_plan *plan = &rows->t->plan;
    struct rng rng = rng_at(plan->seed, RNG_NAMES, (uint64_t)STAGE_CALIBRATION << 32, 0);
    if (!plan->codes)
        return 0;
    if (!(rows->naming = naming_new(plan->codes, plan->shape.classes)))
        return fail(MK_ENOMEM, "no memory for codes of labels");
    naming_draw(rows->naming, plan->method.new_labels, &rng);
    return 0;
}

/* The hits of one held-out row, and every pass over it. */
static void pass_row(void *context, size_t worker, size_t number)
{
    struct rows *rows = context;
    const struct trainer *t = rows->t;
    size_t at = rows->first + number, row = t->plan.val.begin + at;
    const uint64_t *codes = rows->naming ? naming_codes(rows->naming, true) : NULL;
    struct hit *hits = rows->hits + at * K_TRIED;
    uint32_t n = 0;
    for (; n < K_TRIED && rows->nearest[at * K_TRIED + n].row != NO_ROW; n++) {
        struct neighbour near = rows->nearest[at * K_TRIED + n];
        uint64_t label = t->images.labels[near.row];
        if (codes)
            label = codes[label];
        hits[n] = (struct hit){
            .similarity = near.similarity,
            .label = label,
            .token = (uint32_t)(near.row - t->plan.b2.begin),
            .key = t->keys[near.row - t->plan.b2.begin],
        };
    }
    const struct label_set about = {codes, t->plan.shape.classes};
    rows->n_hits[at] = n;
    rows->labels[at] = t->images.labels[row];
    model_passes(t->model, rows->scratch[worker], images_at(&t->images, row), hits, n,
                 codes ? &about : NULL,
                 rows->p + at * (1 + K_TRIED) * t->plan.shape.classes);
}

static void fit(struct trainer *t, const struct rows *rows, size_t n)
{
    struct held_out held_out = {n, rows->labels, rows->p, rows->hits, rows->n_hits};
    struct calibration found = calibrate(t->model, &held_out);
    t->findings.val_loss = found.loss;
    t->findings.val_accuracy = found.accuracy;
    t->findings.val_null = found.null_accuracy;
}

int train_calibrate(struct trainer *t, const struct neighbour *nearest)
{
    size_t n = t->plan.val.end - t->plan.val.begin;
    struct rows rows = {.nearest = nearest};
    rows.p = calloc(n * (1 + K_TRIED) * t->plan.shape.classes, sizeof *rows.p);
    rows.hits = calloc(n * K_TRIED, sizeof *rows.hits);
    rows.n_hits = calloc(2 * n, sizeof *rows.n_hits);
    int rc = rows.p && rows.hits && rows.n_hits
                 ? rows_open(&rows, t)
                 : fail(MK_ENOMEM, "no memory for calibration");
    if (rc == 0)
        rc = name_labels(&rows);
    if (rc == 0) {
        rows.labels = rows.n_hits + n;
        rc = over_rows(&rows, n, STAGE_CALIBRATION, pass_row);
    }
    if (rc == 0)
        fit(t, &rows, n);
    rows_close(&rows);
    free(rows.p);
    free(rows.hits);
    free(rows.n_hits);
    naming_free(rows.naming);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Accuracy of a model with a memory that holds what its weights never saw. */
#include "daemon/evaluate.h"

#include <stdlib.h>

#include "core/err.h"
#include "core/memory.h"
#include "core/model_parts.h"
#include "core/train_parallel.h"
#include "daemon/progress.h"

enum { PIECE = 200, OWNER = 1 };

struct run {
    const struct model *model;
    const struct images *images;
    size_t threads, first; /* row of piece 0 */
    struct scratch *scratch[THREADS_MAX];
    struct record *record; /* (rows) */
    struct memory *bank;
    struct evaluation sum[THREADS_MAX]; /* right answers of each thread */
};

/* What the weights never saw; in paper mode, also what they did. */
static bool is_enrolled(const struct model_info *info, uint64_t row)
{
    enum instance_class class = model_class_of(info, row);
    return class == CLASS_EXACT || (class == CLASS_TRAINED && info->n_public > 0);
}

static void over_rows(struct run *run, const char *what, size_t n, piece *one)
{
    struct progress progress = progress_start(what, "images", n);
    for (size_t done = 0; done < n;) {
        size_t now = n - done < PIECE ? n - done : PIECE;
        run->first = done;
        parallel_for(run->threads, now, one, run);
        done += now;
        progress_at(&progress, done, NULL);
    }
    progress_end(&progress);
}

/* The iid of a row is its number. */
static void key_row(void *context, size_t worker, size_t number)
{
    struct run *run = context;
    size_t row = run->first + number;
    struct record *record = &run->record[row];
    if (!is_enrolled(model_info(run->model), row))
        return;
    record->owner = OWNER;
    record->label = run->images->labels[row];
    record->class = model_class_of(model_info(run->model), row);
    for (size_t i = 0; i < sizeof row; i++)
        record->iid[IID_SIZE - 1 - i] = (uint8_t)(row >> 8 * i);
    model_key(run->model, run->scratch[worker], images_at(run->images, row),
              &record->key);
}

static int enrol(struct run *run, size_t *ret_n)
{
    size_t n = 0, rows = run->images->n;
    run->record = calloc(rows, sizeof *run->record);
    run->bank = memory_new(model_info(run->model)->key_dim, rows);
    if (!run->record || !run->bank)
        return fail(MK_ENOMEM, "no memory for a bank of %zu keys", rows);
    over_rows(run, "enrol", rows, key_row);
    for (size_t row = 0; row < rows; row++)
        if (run->record[row].owner == OWNER)
            run->record[n++] = run->record[row];
    struct memory_state state = {.n = n};
    *ret_n = n;
    return memory_add(run->bank, run->record, n, &state);
}

static double is_right(const float *p, size_t classes, uint32_t label)
{
    for (size_t c = 0; c < classes; c++)
        if (p[c] > p[label])
            return 0;
    return 1;
}

static double vote(const struct hit *hits, size_t n, size_t classes, uint32_t label)
{
    float p[CLASSES_MAX] = {0};
    for (size_t j = 0; j < n; j++)
        p[hits[j].label] += hits[j].similarity;
    return is_right(p, classes, label);
}

/* p: (1 + k, classes) null and memory passes, then (k, classes) memory-only passes. */
static void score(const struct model_info *info, float *p, const struct hit *hits,
                  size_t n, uint32_t label, struct evaluation *sum)
{
    size_t classes = info->classes, k = info->k < n ? info->k : n;
    float mixed[CLASSES_MAX];
    struct model_info memory = *info;
    memory.lambda = 0;
    sum->tested++;
    sum->null += is_right(p, classes, label);
    model_mix(info, p, classes, hits, n, mixed);
    sum->full += is_right(mixed, classes, label);
    model_mix(&memory, p + info->k * classes, classes, hits, n, mixed);
    sum->memory_only += is_right(mixed, classes, label);
    sum->knn += vote(hits, k, classes, label);
    sum->knn_wide += vote(hits, n, classes, label);
}

static void test_row(void *context, size_t worker, size_t number)
{
    struct run *run = context;
    const struct model_info *info = model_info(run->model);
    size_t row = run->first + number;
    const uint8_t *pixels = images_at(run->images, row);
    float p[(1 + 2 * info->k) * info->classes];
    struct hit hits[KNN_WIDE];
    struct key key;
    model_key(run->model, run->scratch[worker], pixels, &key);
    memory_lock_shared(run->bank);
    size_t n = memory_search(run->bank, &key, KNN_WIDE, hits);
    memory_unlock_shared(run->bank);
    model_passes(run->model, run->scratch[worker], pixels, hits, n, NULL, p);
    score(info, p, hits, n, run->images->labels[row], &run->sum[worker]);
}

static struct evaluation add_up(const struct run *run)
{
    struct evaluation all = {0};
    for (size_t i = 0; i < run->threads; i++) {
        all.tested += run->sum[i].tested;
        all.full += run->sum[i].full;
        all.null += run->sum[i].null;
        all.memory_only += run->sum[i].memory_only;
        all.knn += run->sum[i].knn;
        all.knn_wide += run->sum[i].knn_wide;
    }
    double *const shares[] = {&all.full, &all.null, &all.memory_only, &all.knn,
                              &all.knn_wide};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
        *shares[i] /= (double)all.tested;
    return all;
}

static int check(const struct model *model, const struct images *images)
{
    const struct model_info *info = model_info(model);
    if (images->height != info->height || images->width != info->width ||
        images->channels != info->channels || images->n == 0)
        return fail(MK_EINPUT, "the model takes images of %ux%ux%u", info->height,
                    info->width, info->channels);
    for (size_t i = 0; i < images->n; i++)
        if (images->labels[i] >= info->classes)
            return fail(MK_EINPUT, "row %zu has a label that the model does not know", i);
    return 0;
}

int evaluate(const struct model *model, const struct images *train,
             const struct images *test, size_t threads, struct evaluation *ret_evaluation)
{
    struct run run = {.model = model, .images = train, .threads = threads};
    int rc = check(model, train);
    size_t enrolled = 0;
    if (rc == 0)
        rc = check(model, test);
    for (size_t i = 0; rc == 0 && i < threads; i++)
        if (!(run.scratch[i] = scratch_new_for(model, model_info(model)->k, true)))
            rc = fail(MK_ENOMEM, "no memory for activations");
    if (rc == 0)
        rc = enrol(&run, &enrolled);
    if (rc == 0) {
        run.images = test;
        over_rows(&run, "test", test->n, test_row);
        *ret_evaluation = add_up(&run);
        ret_evaluation->enrolled = enrolled;
    }
    for (size_t i = 0; i < threads; i++)
        scratch_free(run.scratch[i]);
    memory_free(run.bank);
    free(run.record);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Accuracy of a model with a memory that holds what its weights never saw. */
#include "daemon/evaluate.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/memory.h"
#include "core/model_parts.h"
#include "core/train_parallel.h"
#include "daemon/progress.h"

enum { PIECE = 200, OWNER = 1 };

struct run {
    const struct model *model;
    const struct label_set *labels;
    const struct images *train, *test;
    size_t threads, first; /* row of piece 0 */
    struct scratch *scratch[THREADS_MAX];
    struct record *record; /* (rows of train), then (n): what is enrolled */
    size_t n;
    struct memory *bank;
    struct scores all[THREADS_MAX],
        unseen[THREADS_MAX]; /* right answers of each thread */
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

/* What the bank and the writer know a label by. */
static uint64_t known_as(const struct run *run, uint32_t label)
{
    return run->labels->code ? run->labels->code[label] : label;
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
    record->label = known_as(run, run->train->labels[row]);
    record->class = model_class_of(model_info(run->model), row);
    for (size_t i = 0; i < sizeof row; i++)
        record->iid[IID_SIZE - 1 - i] = (uint8_t)(row >> 8 * i);
    model_key(run->model, run->scratch[worker], images_at(run->train, row), &record->key);
}

static size_t row_of(const uint8_t *iid)
{
    size_t row = 0;
    for (size_t i = IID_SIZE - sizeof row; i < IID_SIZE; i++)
        row = row << 8 | iid[i];
    return row;
}

static int enrol(struct run *run)
{
    size_t rows = run->train->n;
    run->record = calloc(rows, sizeof *run->record);
    run->bank = memory_new(model_info(run->model)->key_dim, rows);
    if (!run->record || !run->bank)
        return fail(MK_ENOMEM, "no memory for a bank of %zu keys", rows);
    over_rows(run, "enrol", rows, key_row);
    for (size_t row = 0; row < rows; row++)
        if (run->record[row].owner == OWNER)
            run->record[run->n++] = run->record[row];
    const struct memory_state state = {.n = run->n};
    return memory_add(run->bank, run->record, run->n, &state);
}

static double is_right(const float *p, size_t labels, uint32_t label)
{
    for (size_t c = 0; c < labels; c++)
        if (p[c] > p[label])
            return 0;
    return 1;
}

/* The sum of similarities that speak for the label of each hit; a tie is won. */
static double vote(const struct run *run, const struct hit *hits, size_t n,
                   uint32_t label)
{
    float sum[HITS_MAX + 1] = {0};
    for (size_t j = 0; j < n; j++) {
        if (hits[j].label == known_as(run, label))
            sum[n] += hits[j].similarity;
        for (size_t i = 0; i < n; i++)
            if (hits[i].label == hits[j].label)
                sum[i] += hits[j].similarity;
    }
    return n > 0 && is_right(sum, n + 1, (uint32_t)n);
}

/* Of at most 65,536 bytes, whose squared differences add up to less than 2^32. */
#ifndef __SANITIZE_THREAD__ /* which cannot run the choice at load time */
__attribute__((target_clones("default", "avx2")))
#endif
static uint32_t
short_distance(const uint8_t *restrict a, const uint8_t *restrict b, size_t n)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (uint32_t)((a[i] - b[i]) * (a[i] - b[i]));
    return sum;
}

static uint64_t distance(const uint8_t *a, const uint8_t *b, size_t n)
{
    enum { PART = 65536 };
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i += PART)
        sum += short_distance(a + i, b + i, n - i < PART ? n - i : PART);
    return sum;
}

/* The label of the enrolled picture that is the most like it. */
static uint32_t nearest_label(const struct run *run, const uint8_t *pixels)
{
    const struct images *train = run->train;
    size_t size = train->height * train->width * train->channels, best = 0;
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < run->n; i++) {
        size_t row = row_of(run->record[i].iid);
        uint64_t found = distance(pixels, images_at(train, row), size);
        if (found < least) {
            least = found;
            best = row;
        }
    }
    return train->labels[best];
}

/* p: (1 + k, labels) null and memory passes, then (k, labels) memory-only passes. */
static void score(const struct run *run, float *p, const struct hit *hits, size_t n,
                  uint32_t label, struct scores *ret_scores)
{
    const struct model_info *info = model_info(run->model);
    size_t labels = run->labels->n, k = info->k < n ? info->k : n;
    float mixed[labels];
    struct model_info memory = *info;
    memory.lambda = 0;
    *ret_scores = (struct scores){.tested = 1, .null = is_right(p, labels, label)};
    model_mix(info, p, labels, hits, n, mixed);
    ret_scores->full = is_right(mixed, labels, label);
    model_mix(&memory, p + info->k * labels, labels, hits, n, mixed);
    ret_scores->memory_only = is_right(mixed, labels, label);
    ret_scores->knn = vote(run, hits, k, label);
    ret_scores->knn_wide = vote(run, hits, n, label);
    ret_scores->nearest_key = vote(run, hits, n > 0, label);
}

enum { SCORES = 7 };
static double *score_at(struct scores *s, size_t i)
{
    double *const all[SCORES] = {&s->full,          &s->null,     &s->memory_only,
                                 &s->knn,           &s->knn_wide, &s->nearest_key,
                                 &s->nearest_pixels};
    return all[i];
}

static void add(struct scores *sum, struct scores *scores)
{
    sum->tested += scores->tested;
    for (size_t i = 0; i < SCORES; i++)
        *score_at(sum, i) += *score_at(scores, i);
}

static void test_row(void *context, size_t worker, size_t number)
{
    struct run *run = context;
    const struct model_info *info = model_info(run->model);
    size_t row = run->first + number;
    uint32_t label = run->test->labels[row];
    const uint8_t *pixels = images_at(run->test, row);
    float p[(1 + 2 * info->k) * run->labels->n];
    struct hit hits[KNN_WIDE];
    struct scores scores;
    struct key key;
    model_key(run->model, run->scratch[worker], pixels, &key);
    memory_lock_shared(run->bank);
    size_t n = memory_search(run->bank, &key, KNN_WIDE, hits);
    memory_unlock_shared(run->bank);
    model_passes(run->model, run->scratch[worker], pixels, hits, n,
                 info->open_labels ? run->labels : NULL, p);
    score(run, p, hits, n, label, &scores);
    scores.nearest_pixels = run->n > 0 && nearest_label(run, pixels) == label;
    add(&run->all[worker], &scores);
    if (label >= info->classes)
        add(&run->unseen[worker], &scores);
}

static struct scores add_up(struct scores *of_threads, size_t threads)
{
    struct scores all = {0};
    for (size_t i = 0; i < threads; i++)
        add(&all, &of_threads[i]);
    for (size_t i = 0; i < SCORES && all.tested > 0; i++)
        *score_at(&all, i) /= (double)all.tested;
    return all;
}

static int check(const struct model *model, const struct label_set *labels,
                 const struct images *images)
{
    const struct model_info *info = model_info(model);
    if (images->height != info->height || images->width != info->width ||
        images->channels != info->channels || images->n == 0)
        return fail(MK_EINPUT, "the model takes images of %ux%ux%u", info->height,
                    info->width, info->channels);
    for (size_t i = 0; i < images->n; i++)
        if (images->labels[i] >= labels->n)
            return fail(MK_EINPUT, "row %zu has a label that the model does not know", i);
    return 0;
}

int evaluate(const struct model *model, const struct label_set *labels,
             const struct images *train, const struct images *test, size_t threads,
             struct evaluation *ret_evaluation)
{
    struct run run = {.model = model,
                      .labels = labels,
                      .train = train,
                      .test = test,
                      .threads = threads};
    int rc = check(model, labels, train);
    if (rc == 0)
        rc = check(model, labels, test);
    for (size_t i = 0; rc == 0 && i < threads; i++)
        if (!(run.scratch[i] = scratch_new_for(model, model_info(model)->k, true)))
            rc = fail(MK_ENOMEM, "no memory for activations");
    if (rc == 0)
        rc = enrol(&run);
    if (rc == 0) {
        over_rows(&run, "test", test->n, test_row);
        *ret_evaluation = (struct evaluation){
            .enrolled = run.n,
            .all = add_up(run.all, threads),
            .unseen = add_up(run.unseen, threads),
        };
    }
    for (size_t i = 0; i < threads; i++)
        scratch_free(run.scratch[i]);
    memory_free(run.bank);
    free(run.record);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a model with a memory answers to many images, seen in its parts. */
#include "daemon/study_views.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "core/linalg.h"
#include "core/train_parallel.h"
#include "daemon/interrupt.h"
#include "daemon/progress.h"

enum { PIECE = 256 };

struct work {
    const struct model *model;
    const struct images *images;
    const struct asking *asking;
    struct scratch *scratch[THREADS_MAX];
    size_t first; /* of the piece */
    struct key *keys;
    float *z;
    struct views *views;
};

/* Runs over n rows, with progress. */
static int over_rows(struct work *work, const char *what, size_t n, size_t threads,
                     piece *run)
{
    struct progress progress = progress_start(what, "images", n);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < threads; i++)
        if (!(work->scratch[i] =
                  scratch_new_for(work->model, model_info(work->model)->k, true)))
            rc = fail(MK_ENOMEM, "no memory for activations");
    for (size_t at = 0; rc == 0 && at < n; at += PIECE) {
        work->first = at;
        parallel_for(threads, n - at < PIECE ? n - at : PIECE, run, work);
        progress_at(&progress, at + (n - at < PIECE ? n - at : PIECE), NULL);
        if (interrupt_wanted())
            rc = fail(MK_EBUSY, "interrupted; the same command goes on");
    }
    progress_end(&progress);
    for (size_t i = 0; i < threads; i++)
        scratch_free(work->scratch[i]);
    return rc;
}

static void key_row(void *context, size_t worker, size_t number)
{
    struct work *w = context;
    size_t row = w->first + number;
    model_key(w->model, w->scratch[worker], images_at(w->images, row), &w->keys[row]);
}

int views_keys(const struct model *model, const struct images *images, size_t threads,
               struct key **ret_keys)
{
    struct work work = {.model = model, .images = images};
    work.keys = calloc(images->n, sizeof *work.keys);
    int rc = work.keys ? over_rows(&work, "keys", images->n, threads, key_row)
                       : fail(MK_ENOMEM, "no memory for %zu keys", images->n);
    if (rc < 0)
        free(work.keys);
    else
        *ret_keys = work.keys;
    return rc;
}

static void embed_row(void *context, size_t worker, size_t number)
{
    struct work *w = context;
    size_t row = w->first + number;
    model_embed(w->model, w->scratch[worker], images_at(w->images, row),
                w->z + row * shape_embedding(&w->model->shape));
}

int views_embed(const struct model *model, const struct images *images, size_t threads,
                float **ret_z)
{
    struct work work = {.model = model, .images = images};
    work.z = calloc(images->n * shape_embedding(&model->shape), sizeof *work.z);
    int rc = work.z ? over_rows(&work, "keys", images->n, threads, embed_row)
                    : fail(MK_ENOMEM, "no memory for %zu keys", images->n);
    if (rc < 0)
        free(work.z);
    else
        *ret_z = work.z;
    return rc;
}

int views_unrounded(const struct model *model, const struct images *images,
                    size_t threads, float **ret_u)
{
    size_t dim = model_info(model)->key_dim;
    float *u = calloc(images->n * dim, sizeof *u), *z = NULL;
    int rc = u ? views_embed(model, images, threads, &z)
               : fail(MK_ENOMEM, "no memory for %zu keys", images->n);
    for (size_t i = 0; rc == 0 && i < images->n; i++)
        model_project(model, z + i * shape_embedding(&model->shape), u + i * dim);
    free(z);
    if (rc < 0)
        free(u);
    else
        *ret_u = u;
    return rc;
}

/* The iid of a row is its number. */
static struct record record_of(const struct banking *b, uint64_t row)
{
    struct record record = {.owner = (uint32_t)row + 1,
                            .label = b->images->labels[row],
                            .class = CLASS_TRAINED,
                            .key = b->keys[row]};
    for (size_t i = 0; i < sizeof row; i++)
        record.iid[IID_SIZE - 1 - i] = (uint8_t)(row >> 8 * i);
    return record;
}

static uint64_t row_of(const struct hit *hit)
{
    uint64_t row = 0;
    for (size_t i = IID_SIZE - sizeof row; i < IID_SIZE; i++)
        row = row << 8 | hit->iid[i];
    return row;
}

int bank_add(struct memory *bank, const struct banking *b)
{
    size_t n = b->range.end - b->range.begin;
    struct memory_state state = memory_state(bank);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        size_t at = b->backwards ? n - 1 - i : i;
        if (b->without && b->without[at])
            continue;
        struct record record = record_of(b, b->range.begin + at);
        state.n++;
        rc = memory_add(bank, &record, 1, &state);
    }
    return rc;
}

int bank_of(uint32_t key_dim, const struct banking *banking, struct memory **ret_bank)
{
    struct memory *bank = memory_new(key_dim, banking->images->n);
    if (!bank)
        return fail(MK_ENOMEM, "no memory for a bank of %zu keys", banking->images->n);
    int rc = bank_add(bank, banking);
    if (rc < 0)
        memory_free(bank);
    else
        *ret_bank = bank;
    return rc;
}

double bank_forget(struct memory *bank, struct row_range range, const bool *forget)
{
    struct memory_state state = memory_state(bank);
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (uint64_t row = range.begin; row < range.end; row++)
        if (forget[row - range.begin]) {
            state.n--;
            memory_drop(bank, (uint32_t)row + 1, &state);
        }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    return (double)(ended.tv_sec - began.tv_sec) +
           1e-9 * (double)(ended.tv_nsec - began.tv_nsec);
}

/* The k nearest by float products, in the bank's order where they are equal. */
static size_t search_unrounded(const struct unrounded *u, size_t query, size_t k,
                               struct hit *hits)
{
    size_t n = 0;
    const float *q = u->queries + query * u->dim;
    for (size_t i = 0; i < u->n; i++) {
        float similarity = linalg_dot(u->bank + i * u->dim, q, u->dim);
        if (n == k && similarity <= hits[n - 1].similarity)
            continue;
        size_t at = n < k ? n++ : n - 1;
        for (; at > 0 && hits[at - 1].similarity < similarity; at--)
            hits[at] = hits[at - 1];
        hits[at] = (struct hit){
            .similarity = similarity, .label = u->labels[i], .key = u->key[i]};
    }
    return n;
}

static size_t drop_self(struct hit *hits, size_t n)
{
    size_t kept = 0;
    for (size_t j = 0; j < n; j++)
        if (hits[j].similarity < VIEWS_SELF)
            hits[kept++] = hits[j];
    return kept;
}

static size_t search(const struct asking *a, size_t image, struct hit hits[HITS_MAX])
{
    if (a->unrounded)
        return search_unrounded(a->unrounded, image, VIEWS_KNN, hits);
    memory_lock_shared(a->bank);
    size_t n = memory_search(a->bank, &a->keys[image],
                             a->suppress_self ? HITS_MAX : VIEWS_KNN, hits);
    memory_unlock_shared(a->bank);
    if (a->suppress_self)
        n = drop_self(hits, n);
    for (size_t j = 0; j < n; j++)
        hits[j].token = (uint32_t)(row_of(&hits[j]) - a->first_token);
    return n < VIEWS_KNN ? n : VIEWS_KNN;
}

static size_t count_labels(const struct asking *a)
{
    return a->labels ? a->labels->n : model_info(a->model)->classes;
}

/* Where a hit's label stands among those that are answered; of an open set it is a code. */
static size_t place_of(const struct asking *a, uint64_t label)
{
    size_t at = 0;
    if (!a->labels)
        return label;
    while (at < a->labels->n && a->labels->code[at] != label)
        at++;
    return at;
}

static void vote(const struct asking *a, const struct hit *hits, size_t n, float *p)
{
    size_t labels = count_labels(a);
    float sum = 0;
    for (size_t j = 0; j < n; j++) {
        size_t at = place_of(a, hits[j].label);
        if (at == labels || hits[j].similarity <= 0)
            continue;
        p[at] += hits[j].similarity;
        sum += hits[j].similarity;
    }
    for (size_t c = 0; c < labels; c++)
        p[c] = sum > 0 ? p[c] / sum : 1 / (float)labels;
}

static void ask_row(void *context, size_t worker, size_t number)
{
    struct work *w = context;
    const struct asking *a = w->asking;
    const struct model_info *info = model_info(a->model);
    struct model_info memory = *info;
    size_t at = w->first + number, image = a->row ? a->row[at] : at;
    size_t classes = count_labels(a), to = at * classes;
    float p[(1 + 2 * info->k) * classes];
    struct hit hits[HITS_MAX];
    size_t n = search(a, image, hits);
    memory.lambda = 0;
    model_passes(a->model, w->scratch[worker], images_at(a->images, image), hits, n,
                 a->labels, p);
    memcpy(w->views->null + to, p, classes * sizeof *p);
    model_mix(info, p, classes, hits, n, w->views->full + to);
    model_mix(&memory, p, classes, hits, n, w->views->memory + to);
    model_mix(&memory, p + info->k * classes, classes, hits, n, w->views->blind + to);
    vote(a, hits, n, w->views->knn + to);
}

void views_done(struct views *views)
{
    free(views->full);
    free(views->null);
    free(views->memory);
    free(views->blind);
    free(views->knn);
    *views = (struct views){0};
}

int views_ask(const struct asking *asking, struct views *ret_views)
{
    size_t numbers = asking->n * count_labels(asking);
    struct views views = {.n = asking->n};
    struct work work = {.model = asking->model,
                        .images = asking->images,
                        .asking = asking,
                        .views = &views};
    float **const lists[] = {&views.full, &views.null, &views.memory, &views.blind,
                             &views.knn};
    int rc = 0;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (!(*lists[i] = calloc(numbers, sizeof **lists[i])))
            rc = fail(MK_ENOMEM, "no memory for answers to %zu images", asking->n);
    if (rc == 0)
        rc = over_rows(&work, "ask", asking->n, asking->threads, ask_row);
    if (rc < 0)
        views_done(&views);
    else
        *ret_views = views; /* transferred */
    return rc;
}

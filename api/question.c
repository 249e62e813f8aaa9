/* SPDX-License-Identifier: Apache-2.0 */
/* Questions and answers.
 *
 * Requests are not merged: each image is a matrix product of its own, so that its bits do
 * not depend on its neighbours, and merging would only hold the bank's lock for longer.
 */
#include "api/question.h"

#include <stdlib.h>
#include <string.h>

#include "api/lanes.h"
#include "api/metrics.h"
#include "api/parts.h"
#include "core/err.h"

enum {
    CHUNK = 32,   /* images under one lock: an erasure waits for no more */
    ATTEMPTS = 3, /* to see one memory from the first chunk to the last */
    FEW = 8,      /* labels of the top: more of them are sorted */
};

int question_open(struct question *question, const struct service *service, size_t n)
{
    if (n > service->limits.batch)
        return fail(MK_ETOOBIG, "%zu images in one request; %zu is the limit", n,
                    service->limits.batch);
    question->info = model_info(service->model);
    question->shape = service_shape(service);
    question->n = n;
    question->pixels = calloc(n, shape_size(&question->shape));
    question->key = calloc(n, sizeof *question->key);
    question->retrieved = calloc(n, sizeof *question->retrieved);
    if (!question->pixels || !question->key || !question->retrieved)
        return fail(MK_ENOMEM, "no memory for %zu images", n);
    return 0;
}

void question_done(struct question *question)
{
    if (question->pixels)
        explicit_bzero(question->pixels, question->n * shape_size(&question->shape));
    if (question->key)
        explicit_bzero(question->key, question->n * sizeof *question->key);
    free(question->pixels);
    free(question->key);
    free(question->p);
    free(question->order);
    free(question->retrieved);
}

int question_check(const struct question *question, size_t labels)
{
    if (question->n * labels > QUESTION_LABELS_MAX)
        return fail(MK_ETOOBIG,
                    "%zu images and the top %zu labels of each; %d labels in one reply "
                    "are the limit",
                    question->n, labels, QUESTION_LABELS_MAX);
    return 0;
}

/* An erasure waits until every thread has wiped its scratch: not for a whole batch. */
static void let_wipe(const struct request *request)
{
    if (request->service->lanes)
        lanes_pause(request->service->lanes, request->scratch);
}

/* Needs no bank, and so no lock. */
static void make_keys(const struct request *request, struct question *question)
{
    size_t size = shape_size(&question->shape);
    uint64_t began = metrics_now();
    for (size_t i = 0; i < question->n; i++) {
        let_wipe(request);
        model_key(request->service->model, request->scratch, question->pixels + i * size,
                  &question->key[i]);
    }
    metrics_stage(request->service->metrics, STAGE_ENCODER, metrics_now() - began);
    metrics_images(request->service->metrics, question->n);
}

/* One image, under the bank's lock. */
static void predict(const struct request *request, struct question *question, size_t i)
{
    const struct service *service = request->service;
    struct retrieved *retrieved = &question->retrieved[i];
    const struct label_set about = {question->labels.code, question->labels.n};
    struct hit hits[HITS_MAX];
    uint64_t began = metrics_now();
    size_t n = memory_search(service->bank, &question->key[i], question->info->k, hits);
    uint64_t found = metrics_now();
    *retrieved = (struct retrieved){.hits = n};
    for (size_t j = 0; j < n; j++)
        retrieved->exact += hits[j].class == CLASS_EXACT;
    model_predict(service->model, request->scratch,
                  question->pixels + i * shape_size(&question->shape), hits, n,
                  about.code ? &about : NULL, question->p + i * about.n);
    metrics_stage(service->metrics, STAGE_MEMORY, found - began);
    metrics_stage(service->metrics, STAGE_CLASSIFIER, metrics_now() - found);
    explicit_bzero(hits, sizeof hits);
}

/* Lets a change of the bank go first, and tells whether there was none. */
static bool give_way(struct memory *bank)
{
    const struct memory_state before = memory_state(bank);
    const uint64_t epoch = memory_epoch(bank);
    memory_unlock_shared(bank);
    memory_lock_shared(bank);
    const struct memory_state after = memory_state(bank);
    return epoch == memory_epoch(bank) && before.n == after.n &&
           memcmp(before.digest, after.digest, sizeof after.digest) == 0;
}

/* The labels that there are now, and room for what is said of them.  Under the bank's lock. */
static int take_labels(const struct service *service, struct question *question)
{
    question->labels = service_labels(service);
    free(question->p);
    free(question->order);
    question->p = calloc(question->n * question->labels.n, sizeof *question->p);
    question->order = calloc(question->labels.n, sizeof *question->order);
    return question->p && question->order
               ? 0
               : fail(MK_ENOMEM, "no memory for %zu images", question->n);
}

/* All images on one state of the memory.  Under the bank's lock. */
static int predict_all(const struct request *request, struct question *question)
{
    struct memory *bank = request->service->bank;
    int attempt = 1, rc = take_labels(request->service, question);
    for (size_t i = 0; rc == 0 && i < question->n; i++) {
        bool chunk_ends = i > 0 && i % CHUNK == 0 && attempt <= ATTEMPTS;
        if (chunk_ends && !give_way(bank)) {
            attempt++;
            i = 0;
            if ((rc = take_labels(request->service, question)) < 0)
                break;
        }
        let_wipe(request);
        predict(request, question, i);
    }
    return rc;
}

int question_answer(struct question *question, const struct request *request,
                    struct reply *ret_reply)
{
    struct memory *bank = request->service->bank;
    make_keys(request, question);
    memory_lock_shared(bank);
    ret_reply->locked = bank; /* until the reply is queued */
    int rc = predict_all(request, question);
    question->memory = memory_state(bank);
    return rc;
}

/* Whether a goes before b: the larger probability, then the smaller index. */
static bool before(const float *p, size_t a, size_t b)
{
    return p[a] > p[b] || (p[a] == p[b] && a < b);
}

/* The one of n labels that comes next behind `last` in that order; n when last is the last. */
static size_t next_best(const float *p, size_t n, size_t last)
{
    size_t best = n;
    for (size_t i = 0; i < n; i++)
        if ((last == n || before(p, last, i)) && (best == n || before(p, i, best)))
            best = i;
    return best;
}

static int by_rank(const void *a, const void *b, void *p)
{
    const size_t *i = a, *j = b;
    return before(p, *j, *i) - before(p, *i, *j);
}

size_t question_first(struct question *question, size_t i, size_t k,
                      const size_t **ret_order)
{
    const size_t n = question->labels.n;
    const float *p = question->p + i * n;
    size_t at = n;
    k = k < n ? k : n;
    *ret_order = question->order;
    if (k > FEW) {
        for (size_t j = 0; j < n; j++)
            question->order[j] = j;
        qsort_r(question->order, n, sizeof *question->order, by_rank, (void *)p);
        return k;
    }
    for (size_t j = 0; j < k; j++)
        question->order[j] = at = next_best(p, n, at);
    return k;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* POST /predict: images in, probabilities out, and the state of the memory that they rest
 * on.
 *
 * Requests are not merged: each image is a matrix product of its own, so that its bits do
 * not depend on its neighbours, and merging would only hold the bank's lock for longer.
 */
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/lanes.h"
#include "api/parts.h"
#include "api/routes.h"
#include "core/err.h"

enum {
    TOP_DEFAULT = 3,
    CHUNK = 32,       /* images under one lock: an erasure waits for no more */
    ATTEMPTS = 3,     /* to see one memory from the first chunk to the last */
    FEW = 8,          /* labels of the top: more of them are sorted */
    TOP_MAX = 100000, /* labels in one reply, which is made under the lock */
};

/* What one image retrieved. */
struct retrieved {
    size_t hits, exact;
};

struct question {
    const struct model_info *info;
    struct label_list labels; /* of the memory that all predictions rest on */
    struct shape shape;
    size_t n;                    /* images */
    uint8_t *pixels;             /* (n, height, width, channels); owned */
    struct key *key;             /* (n); owned */
    float *p;                    /* (n, labels.n); owned */
    size_t *order;               /* (labels.n): of one image at a time; owned */
    struct retrieved *retrieved; /* (n); owned */
    int64_t top_k;
    bool explain;
};

static void question_done(struct question *question)
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

static int allocate(struct question *question, size_t n)
{
    question->n = n;
    question->pixels = calloc(n, shape_size(&question->shape));
    question->key = calloc(n, sizeof *question->key);
    question->retrieved = calloc(n, sizeof *question->retrieved);
    if (!question->pixels || !question->key || !question->retrieved)
        return fail(MK_ENOMEM, "no memory for %zu images", n);
    return 0;
}

/* How many labels there are now; those of an open set come and go. */
static size_t count_labels(const struct service *service)
{
    memory_lock_shared(service->bank);
    size_t n = service_labels(service).n;
    memory_unlock_shared(service->bank);
    return n;
}

/* ?top_k= and ?explain=, for bodies that are an image. */
static int read_query(const struct request *request, struct question *question)
{
    const struct target *target = request->target;
    const size_t labels = count_labels(request->service);
    const char *top_k = target_query(target, "top_k");
    const char *explain = target_query(target, "explain");
    char *end = NULL;
    if (top_k)
        question->top_k = strtol(top_k, &end, 10);
    if (top_k && (end == top_k || *end || question->top_k < 1 ||
                  question->top_k > (int64_t)labels))
        return fail(MK_EINPUT, "top_k has to be a number from 1 to %zu", labels);
    if (explain && strcmp(explain, "0") != 0 && strcmp(explain, "1") != 0)
        return fail(MK_EINPUT, "explain has to be 0 or 1");
    question->explain = explain && *explain == '1';
    return 0;
}

static int read_image(const struct request *request, struct question *question)
{
    int rc;
    if ((rc = read_query(request, question)) < 0 || (rc = allocate(question, 1)) < 0)
        return rc;
    return image_read(request->media, (const uint8_t *)request->body, request->body_len,
                      &question->shape, question->pixels);
}

static int read_inputs(const json_t *inputs, size_t batch, struct question *question)
{
    size_t n = json_array_size(inputs), size = shape_size(&question->shape);
    if (n > batch)
        return fail(MK_ETOOBIG, "%zu images in one request; %zu is the limit", n, batch);
    int rc = allocate(question, n);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = pixels_from_json(json_array_get(inputs, i), &question->shape,
                              question->pixels + i * size);
    return rc;
}

static int read_json(const struct request *request, struct question *question)
{
    size_t batch = request->service->limits.batch;
    size_t values_max = batch * (shape_size(&question->shape) + 2) + 16;
    json_auto_t *body = NULL;
    json_t *inputs;
    int rc;
    if (request->target->has_query)
        return fail(MK_EINPUT, "with a JSON body, top_k and explain are members of it");
    if ((rc = json_read(request->body, request->body_len, values_max, &body)) < 0 ||
        (rc = json_known(body, "inputs top_k explain")) < 0 ||
        (rc = json_count(body, "top_k", 1, (int64_t)count_labels(request->service),
                         &question->top_k)) < 0 ||
        (rc = json_flag(body, "explain", &question->explain)) < 0 ||
        (rc = json_list(body, "inputs", &inputs)) < 0)
        return rc;
    return read_inputs(inputs, batch, question);
}

static int check_top(const struct question *question)
{
    if (question->n * (size_t)question->top_k > TOP_MAX)
        return fail(MK_ETOOBIG,
                    "%zu images and the top %lld labels of each; %d labels in one reply "
                    "are the limit",
                    question->n, (long long)question->top_k, TOP_MAX);
    return 0;
}

static int read_question(const struct request *request, struct question *question)
{
    question->info = model_info(request->service->model);
    question->shape = service_shape(request->service);
    question->top_k = TOP_DEFAULT < question->info->classes ? TOP_DEFAULT : 1;
    int rc = strcmp(request->media, "application/json") == 0
                 ? read_json(request, question)
                 : read_image(request, question);
    return rc < 0 ? rc : check_top(question);
}

static json_t *choice(const struct label_list *labels, const float *p, size_t index)
{
    return json_pack("{s:s, s:I, s:f}", "label", labels->name[index], "index",
                     (json_int_t)index, "probability", (double)p[index]);
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

/* The first k of n labels.  ret_order: (n). */
static void choose(const float *p, size_t n, size_t k, size_t *ret_order)
{
    size_t at = n;
    if (k > FEW) {
        for (size_t i = 0; i < n; i++)
            ret_order[i] = i;
        qsort_r(ret_order, n, sizeof *ret_order, by_rank, (void *)p);
        return;
    }
    for (size_t i = 0; i < k; i++)
        ret_order[i] = at = next_best(p, n, at);
}

/* Counts, never identities. */
static json_t *explanation(const struct model_info *info,
                           const struct retrieved *retrieved)
{
    return json_pack("{s:I, s:I, s:I, s:f}", "hits", (json_int_t)retrieved->hits, "exact",
                     (json_int_t)retrieved->exact, "trained",
                     (json_int_t)(retrieved->hits - retrieved->exact), "weight_of_memory",
                     retrieved->hits ? 1.0 - (double)info->lambda : 0.0);
}

static json_t *prediction(const struct question *question, size_t i)
{
    const struct label_list *labels = &question->labels;
    const float *p = question->p + i * labels->n;
    const size_t top_k = (size_t)question->top_k;
    const size_t k = top_k < labels->n ? top_k : labels->n;
    json_t *top = json_array();
    choose(p, labels->n, k, question->order);
    for (size_t j = 0; j < k; j++)
        json_array_append_new(top, choice(labels, p, question->order[j]));
    json_t *json = choice(labels, p, *question->order);
    json_object_set_new(json, "top", top);
    if (question->explain)
        json_object_set_new(json, "explain",
                            explanation(question->info, &question->retrieved[i]));
    return json;
}

static json_t *answer(const struct service *service, const struct question *question)
{
    const struct memory_state memory = memory_state(service->bank);
    json_t *predictions = json_array();
    for (size_t i = 0; i < question->n; i++)
        json_array_append_new(predictions, prediction(question, i));
    return json_pack("{s:o, s:o, s:o}", "predictions", predictions, "model",
                     json_model(service), "memory", json_memory(&memory));
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
    for (size_t i = 0; i < question->n; i++) {
        let_wipe(request);
        model_key(request->service->model, request->scratch, question->pixels + i * size,
                  &question->key[i]);
    }
}

/* One image, under the bank's lock. */
static void predict(const struct request *request, struct question *question, size_t i)
{
    const struct service *service = request->service;
    struct retrieved *retrieved = &question->retrieved[i];
    const struct label_set about = {question->labels.code, question->labels.n};
    struct hit hits[HITS_MAX];
    size_t n = memory_search(service->bank, &question->key[i], question->info->k, hits);
    *retrieved = (struct retrieved){.hits = n};
    for (size_t j = 0; j < n; j++)
        retrieved->exact += hits[j].class == CLASS_EXACT;
    model_predict(service->model, request->scratch,
                  question->pixels + i * shape_size(&question->shape), hits, n,
                  about.code ? &about : NULL, question->p + i * about.n);
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

int predict_post(struct request *request, struct reply *ret_reply)
{
    struct question question __attribute__((cleanup(question_done))) = {0};
    int rc = read_question(request, &question);
    if (rc < 0)
        return rc;
    make_keys(request, &question);
    memory_lock_shared(request->service->bank);
    ret_reply->locked = request->service->bank; /* until the reply is queued */
    if ((rc = predict_all(request, &question)) < 0)
        return rc;
    return reply_json(ret_reply, 200, answer(request->service, &question));
}

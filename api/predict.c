/* SPDX-License-Identifier: Apache-2.0 */
/* POST /predict: images in, probabilities out, and the state of the memory that they rest
 * on. */
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/parts.h"
#include "api/question.h"
#include "api/routes.h"
#include "core/err.h"

enum { TOP_DEFAULT = 3 };

/* How the answer is wanted. */
struct wish {
    int64_t top_k;
    bool explain;
};

/* ?top_k= and ?explain=, for bodies that are an image. */
static int read_query(const struct request *request, struct wish *wish)
{
    const struct target *target = request->target;
    const size_t labels = service_count_labels(request->service);
    const char *top_k = target_query(target, "top_k");
    const char *explain = target_query(target, "explain");
    char *end = NULL;
    if (top_k)
        wish->top_k = strtol(top_k, &end, 10);
    if (top_k &&
        (end == top_k || *end || wish->top_k < 1 || wish->top_k > (int64_t)labels))
        return fail(MK_EINPUT, "top_k has to be a number from 1 to %zu", labels);
    if (explain && strcmp(explain, "0") != 0 && strcmp(explain, "1") != 0)
        return fail(MK_EINPUT, "explain has to be 0 or 1");
    wish->explain = explain && *explain == '1';
    return 0;
}

static int read_image(const struct request *request, struct question *question,
                      struct wish *wish)
{
    int rc;
    if ((rc = read_query(request, wish)) < 0 ||
        (rc = question_open(question, request->service, 1)) < 0)
        return rc;
    return image_read(request->media, (const uint8_t *)request->body, request->body_len,
                      &question->shape, question->pixels);
}

static int read_inputs(const json_t *inputs, const struct service *service,
                       struct question *question)
{
    size_t n = json_array_size(inputs);
    int rc = question_open(question, service, n);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = pixels_from_json(json_array_get(inputs, i), &question->shape,
                              question->pixels + i * shape_size(&question->shape));
    return rc;
}

static int read_json(const struct request *request, struct question *question,
                     struct wish *wish)
{
    const struct service *service = request->service;
    const struct shape shape = service_shape(service);
    size_t values_max = service->limits.batch * (shape_size(&shape) + 2) + 16;
    json_auto_t *body = NULL;
    json_t *inputs;
    int rc;
    if (request->target->has_query)
        return fail(MK_EINPUT, "with a JSON body, top_k and explain are members of it");
    if ((rc = json_read(request->body, request->body_len, values_max, &body)) < 0 ||
        (rc = json_known(body, "inputs top_k explain")) < 0 ||
        (rc = json_count(body, "top_k", 1, (int64_t)service_count_labels(service),
                         &wish->top_k)) < 0 ||
        (rc = json_flag(body, "explain", &wish->explain)) < 0 ||
        (rc = json_list(body, "inputs", &inputs)) < 0)
        return rc;
    return read_inputs(inputs, service, question);
}

static int read_request(const struct request *request, struct question *question,
                        struct wish *wish)
{
    const uint32_t classes = model_info(request->service->model)->classes;
    wish->top_k = TOP_DEFAULT < classes ? TOP_DEFAULT : 1;
    int rc = strcmp(request->media, "application/json") == 0
                 ? read_json(request, question, wish)
                 : read_image(request, question, wish);
    return rc < 0 ? rc : question_check(question, (size_t)wish->top_k);
}

static json_t *choice(const struct question *question, size_t i, size_t index)
{
    const struct label_list *labels = &question->labels;
    return json_pack("{s:s, s:I, s:f}", "label", labels->name[index], "index",
                     (json_int_t)index, "probability",
                     (double)question->p[i * labels->n + index]);
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

static json_t *prediction(struct question *question, size_t i, const struct wish *wish)
{
    const size_t *order;
    const size_t k = question_first(question, i, (size_t)wish->top_k, &order);
    json_t *top = json_array();
    for (size_t j = 0; j < k; j++)
        json_array_append_new(top, choice(question, i, order[j]));
    json_t *json = choice(question, i, *order);
    json_object_set_new(json, "top", top);
    if (wish->explain)
        json_object_set_new(json, "explain",
                            explanation(question->info, &question->retrieved[i]));
    return json;
}

static json_t *answer(const struct service *service, struct question *question,
                      const struct wish *wish)
{
    json_t *predictions = json_array();
    for (size_t i = 0; i < question->n; i++)
        json_array_append_new(predictions, prediction(question, i, wish));
    return json_pack("{s:o, s:o, s:o}", "predictions", predictions, "model",
                     json_model(service), "memory", json_memory(&question->memory));
}

int predict_post(struct request *request, struct reply *ret_reply)
{
    struct question question __attribute__((cleanup(question_done))) = {0};
    struct wish wish = {0};
    int rc;
    if ((rc = read_request(request, &question, &wish)) < 0 ||
        (rc = question_answer(&question, request, ret_reply)) < 0)
        return rc;
    return reply_json(ret_reply, 200, answer(request->service, &question, &wish));
}

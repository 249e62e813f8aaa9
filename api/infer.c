/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v2/models/{m}/infer: POST /predict for clients of the Open Inference Protocol, with its
 * extensions for binary tensors and classification. */
#include <string.h>

#include "api/json.h"
#include "api/kserve.h"
#include "api/outputs.h"
#include "api/parts.h"
#include "api/routes.h"
#include "api/tensor.h"
#include "core/err.h"

#define LENGTH_HEADER "Inference-Header-Content-Length"

/* What is asked, beside the images; id is borrowed from the body. */
struct wish {
    const char *id;
    struct wanted wanted[OUTPUTS];
    size_t n;
};

/* Where the JSON ends and binary tensors begin. */
static int split_body(const struct request *request, size_t *ret_json,
                      struct binary *ret_binary)
{
    uint64_t len = request->body_len;
    if (request->json_length && !target_number(request->json_length, &len))
        return fail(MK_EINPUT, LENGTH_HEADER " has to be digits alone");
    if (len > request->body_len)
        return fail(MK_EINPUT, LENGTH_HEADER " is more than the %zu bytes of the body",
                    request->body_len);
    *ret_json = len;
    *ret_binary =
        (struct binary){(const uint8_t *)request->body + len, request->body_len - len};
    return 0;
}

static int read_classes(const json_t *parameters, size_t labels, struct wanted *wanted)
{
    if (wanted->output != OUTPUT_PROBABILITIES &&
        json_object_get(parameters, "classification"))
        return fail(MK_EINPUT,
                    "`classification` is a parameter of `probabilities` alone");
    return json_count(parameters, "classification", 1, (int64_t)labels, &wanted->classes);
}

static int read_wanted(const json_t *json, size_t labels, struct wanted *wanted)
{
    const char *name = NULL;
    const json_t *parameters = json_object_get(json, "parameters");
    int rc;
    if ((rc = json_known(json, "name parameters")) < 0 ||
        (rc = json_text(json, "name", true, &name)) < 0 ||
        (rc = output_find(name, &wanted->output)) < 0 || !parameters)
        return rc;
    if ((rc = json_known(parameters, "binary_data classification")) < 0 ||
        (rc = json_flag(parameters, "binary_data", &wanted->binary)) < 0)
        return rc;
    return read_classes(parameters, labels, wanted);
}

/* Each output once. */
static int read_list(const json_t *list, bool binary, size_t labels, struct wish *wish)
{
    unsigned seen = 0;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
        struct wanted wanted = {.binary = binary};
        if ((rc = read_wanted(json_array_get(list, i), labels, &wanted)) < 0)
            break;
        if (seen & 1u << wanted.output)
            return fail(MK_EINPUT, "JSON: output %zu was asked for before", i);
        seen |= 1u << wanted.output;
        wish->wanted[wish->n++] = wanted;
    }
    return rc;
}

/* All of them where none is named. */
static int read_outputs(const json_t *body, bool binary, size_t labels, struct wish *wish)
{
    json_t *list;
    int rc;
    if (!json_object_get(body, "outputs")) {
        for (; wish->n < OUTPUTS; wish->n++)
            wish->wanted[wish->n] =
                (struct wanted){.output = (enum output)wish->n, .binary = binary};
        return 0;
    }
    if ((rc = json_list(body, "outputs", &list)) < 0)
        return rc;
    return read_list(list, binary, labels, wish);
}

/* KServe's own client repeats the model's name in the body. */
static int read_members(const json_t *body, const struct service *service,
                        struct wish *wish)
{
    const char *name = model_info(service->model)->name, *model = name;
    const json_t *parameters = json_object_get(body, "parameters");
    bool binary = false;
    int rc;
    if ((rc = json_known(body, "id model_name parameters inputs outputs")) < 0 ||
        (rc = json_text(body, "id", false, &wish->id)) < 0 ||
        (rc = json_text(body, "model_name", false, &model)) < 0)
        return rc;
    if (strcmp(model, name) != 0)
        return fail(MK_EINPUT, "JSON: `model_name` is not the model of the path");
    if (parameters && ((rc = json_known(parameters, "binary_data_output")) < 0 ||
                       (rc = json_flag(parameters, "binary_data_output", &binary)) < 0))
        return rc;
    return read_outputs(body, binary, service_count_labels(service), wish);
}

static int read_input(const json_t *body, const struct binary *binary,
                      const struct service *service, struct question *question)
{
    const struct shape shape = service_shape(service);
    struct tensor tensor;
    json_t *inputs;
    int rc = json_list(body, "inputs", &inputs);
    if (rc < 0)
        return rc;
    if (json_array_size(inputs) > 1)
        return fail(MK_EINPUT, "the model has one input, `" TENSOR_INPUT
                               "`; several images are its first dimension");
    if ((rc = tensor_read(json_array_get(inputs, 0), &shape, &tensor)) < 0 ||
        (rc = question_open(question, service, tensor.n)) < 0)
        return rc;
    return tensor_pixels(&tensor, binary, question->pixels);
}

/* How many labels of each image the reply would hold. */
static size_t labels_wanted(const struct wish *wish, const struct service *service)
{
    size_t n = 1;
    for (size_t i = 0; i < wish->n; i++)
        if (wish->wanted[i].output == OUTPUT_PROBABILITIES)
            n = wish->wanted[i].classes ? (size_t)wish->wanted[i].classes
                                        : service_count_labels(service);
    return n;
}

static int read_request(const struct request *request, json_t **ret_body,
                        struct wish *wish, struct question *question)
{
    const struct service *service = request->service;
    const struct shape shape = service_shape(service);
    /* Nested arrays have up to three values a pixel. */
    size_t values_max = service->limits.batch * (3 * shape_size(&shape) + 2) + 64, len;
    struct binary binary;
    int rc;
    if ((rc = split_body(request, &len, &binary)) < 0 ||
        (rc = json_read(request->body, len, values_max, ret_body)) < 0 ||
        (rc = read_members(*ret_body, service, wish)) < 0 ||
        (rc = read_input(*ret_body, &binary, service, question)) < 0)
        return rc;
    return question_check(question, labels_wanted(wish, service));
}

static json_t *head(const struct service *service, const struct question *question,
                    const char *id)
{
    json_t *json =
        json_pack("{s:s, s:o, s:{s:o, s:I, s:o}}", "model_name", question->info->name,
                  "model_version", kserve_version(service), "parameters", "model_digest",
                  json_digest(service->model_sha256), "memory_n",
                  (json_int_t)question->memory.n, "memory_digest",
                  json_hex(question->memory.digest, sizeof question->memory.digest));
    if (id)
        json_object_set_new(json, "id", json_string(id));
    return json;
}

/* ret_part: the bytes of the binary ones, in their order; returns how many, or an error. */
static int make_outputs(const struct wish *wish, struct question *question,
                        json_t *outputs, struct blob **ret_part)
{
    int n = 0, rc = 0;
    for (size_t i = 0; rc == 0 && i < wish->n; i++) {
        json_t *tensor = output_tensor(&wish->wanted[i], question);
        if (wish->wanted[i].binary)
            rc = output_pack(tensor, &ret_part[n++]);
        if (json_array_append_new(outputs, tensor) < 0)
            rc = fail(MK_ENOMEM, "no memory for an output");
    }
    return rc < 0 ? rc : n;
}

/* part: the JSON, and room for the bytes of each output. */
static int reply_parts(struct blob **part, json_t *json_take, int binaries,
                       struct reply *ret_reply)
{
    int rc;
    if (binaries == 0)
        return reply_json(ret_reply, 200, json_take);
    if ((rc = line_json(json_take, part)) < 0 ||
        (rc = reply_header(ret_reply, LENGTH_HEADER, "%zu", part[0]->len)) < 0)
        return rc;
    rc = reply_lines(ret_reply, part, 1 + (size_t)binaries);
    ret_reply->media = "application/octet-stream";
    return rc;
}

static int answer(const struct service *service, const struct wish *wish,
                  struct question *question, struct reply *ret_reply)
{
    struct blob *part[1 + OUTPUTS] = {0};
    json_t *json = head(service, question, wish->id), *outputs = json_array();
    int binaries = make_outputs(wish, question, outputs, part + 1), rc = binaries;
    json_object_set_new(json, "outputs", outputs);
    if (binaries < 0)
        json_decref(json);
    else
        rc = reply_parts(part, json, binaries, ret_reply);
    for (size_t i = 0; i < 1 + OUTPUTS; i++)
        blob_free(part[i]);
    return rc;
}

int kserve_infer_post(struct request *request, struct reply *ret_reply)
{
    struct question question __attribute__((cleanup(question_done))) = {0};
    struct wish wish = {0};
    json_auto_t *body = NULL;
    int rc;
    if ((rc = kserve_check_model(request)) < 0 ||
        (rc = read_request(request, &body, &wish, &question)) < 0 ||
        (rc = question_answer(&question, request, ret_reply)) < 0)
        return rc;
    return answer(request->service, &wish, &question, ret_reply);
}

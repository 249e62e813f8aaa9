/* SPDX-License-Identifier: Apache-2.0 */
/* POST /subjects/{id}/instances: images and labels in, instance ids out.
 *
 * One request is one transaction and one log entry: all of it is enrolled, or nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/parts.h"
#include "api/routes.h"
#include "core/err.h"
#include "storage/enroll.h"
#include "storage/label.h"

enum { VALUES_BESIDE_INPUT = 16 };

struct batch {
    const struct request *request;
    const struct model_info *info;
    struct shape shape;
    size_t n;
    uint8_t *pixels; /* (n, height, width, channels); owned */
    struct new_instance
        *instance; /* (n); owned; its texts are borrowed from items or target */
    uint8_t (*iid)[IID_SIZE]; /* (n); owned */
    json_t *items;            /* array of objects, or NULL for an image; owned */
};

static void batch_done(struct batch *batch)
{
    if (batch->pixels)
        explicit_bzero(batch->pixels, batch->n * shape_size(&batch->shape));
    if (batch->instance)
        explicit_bzero(batch->instance, batch->n * sizeof *batch->instance);
    if (batch->iid)
        explicit_bzero(batch->iid, batch->n * sizeof *batch->iid);
    free(batch->pixels);
    free(batch->instance);
    free(batch->iid);
    json_decref(batch->items);
}

static int too_many(void)
{
    return fail(MK_ETOOBIG, "%d is the limit of instances in one request", ENROLL_MAX);
}

static int allocate(struct batch *batch, size_t n)
{
    if (n > ENROLL_MAX)
        return too_many();
    batch->n = n;
    batch->pixels = calloc(n, shape_size(&batch->shape));
    batch->instance = calloc(n, sizeof *batch->instance);
    batch->iid = calloc(n, sizeof *batch->iid);
    if (!batch->pixels || !batch->instance || !batch->iid)
        return fail(MK_ENOMEM, "no memory for %zu instances", n);
    return 0;
}

static int check_index(const struct model_info *info, uint64_t index,
                       struct new_instance *instance)
{
    if (index >= info->classes)
        return fail(MK_EUNPROCESSABLE, "label: the model knows %u classes, 0 to %u",
                    info->classes, info->classes - 1);
    instance->label = (uint32_t)index;
    return 0;
}

/* "digits are an index, anything else a name"; of an open set, names alone: a product's number is one.
 */
static int read_label(const struct model_info *info, const char *text,
                      struct new_instance *instance)
{
    if (info->open_labels) {
        instance->name = text;
        return label_check(text);
    }
    size_t digits = strspn(text, "0123456789");
    if (digits > 0 && text[digits] == '\0')
        return check_index(info, digits > 9 ? UINT32_MAX : strtoul(text, NULL, 10),
                           instance);
    for (uint32_t i = 0; i < info->classes; i++)
        if (strcmp(info->labels[i], text) == 0)
            return check_index(info, i, instance);
    return fail(MK_EUNPROCESSABLE,
                "label: no class of the model has this name; send its index, "
                "0 to %u, or one of the names that POST /predict returns",
                info->classes - 1);
}

static int set_provenance(struct new_instance *instance, int i, const char *text)
{
    enum { LONGEST = sizeof(((struct held_instance *)0)->provenance[0]) - 1 };
    instance->provenance.field[i] = text;
    if (strlen(text) > LONGEST)
        return fail(MK_EUNPROCESSABLE, "%s has %zu bytes; %d is the limit",
                    provenance_names[i], strlen(text), LONGEST);
    return 0;
}

/* An image body; label and provenance are query parameters. */
static int read_image(struct batch *batch)
{
    const struct request *request = batch->request;
    const char *label = target_query(request->target, "label");
    int rc = allocate(batch, 1);
    if (rc == 0 && !label)
        rc = fail(MK_EINPUT, "an image needs a label: ?label=INDEX or ?label=NAME");
    if (rc == 0)
        rc = read_label(batch->info, label, batch->instance);
    for (int i = 0; rc == 0 && i < PROVENANCE_FIELDS; i++) {
        const char *text = target_query(request->target, provenance_names[i]);
        rc = set_provenance(batch->instance, i, text ? text : "");
    }
    if (rc == 0)
        rc = image_read(request->media, (const uint8_t *)request->body, request->body_len,
                        &batch->shape, batch->pixels);
    return rc;
}

static int read_label_member(const struct batch *batch, const json_t *item,
                             struct new_instance *instance)
{
    const json_t *label = json_object_get(item, "label");
    if (json_is_string(label))
        return read_label(batch->info, json_string_value(label), instance);
    if (batch->info->open_labels)
        return fail(MK_EINPUT,
                    "JSON: `label` has to be a name, in quotes also where it is a "
                    "number: the model's labels are open");
    if (!json_is_integer(label))
        return fail(MK_EINPUT, "JSON: `label` has to be an index or a name");
    json_int_t index = json_integer_value(label);
    return check_index(batch->info, index < 0 ? UINT64_MAX : (uint64_t)index, instance);
}

static int read_item(struct batch *batch, size_t i)
{
    const json_t *item = json_array_get(batch->items, i);
    struct new_instance *instance = &batch->instance[i];
    int rc = json_known(item, "input label source collected_at lawful_basis consent_ref");
    if (rc == 0)
        rc = read_label_member(batch, item, instance);
    for (int j = 0; rc == 0 && j < PROVENANCE_FIELDS; j++) {
        const char *text = "";
        if ((rc = json_text(item, provenance_names[j], false, &text)) == 0)
            rc = set_provenance(instance, j, text);
    }
    if (rc == 0)
        rc = pixels_from_json(json_object_get(item, "input"), &batch->shape,
                              batch->pixels + i * shape_size(&batch->shape));
    return rc;
}

static int read_items(struct batch *batch)
{
    int rc = allocate(batch, json_array_size(batch->items));
    for (size_t i = 0; rc == 0 && i < batch->n; i++)
        rc = read_item(batch, i);
    return rc;
}

/* {"instances": [...]} */
static int read_json(struct batch *batch)
{
    const struct request *request = batch->request;
    size_t values_max = ENROLL_MAX * (shape_size(&batch->shape) + VALUES_BESIDE_INPUT);
    json_auto_t *body = NULL;
    json_t *items;
    int rc;
    if ((rc = json_read(request->body, request->body_len, values_max, &body)) < 0 ||
        (rc = json_known(body, "instances")) < 0 ||
        (rc = json_list(body, "instances", &items)) < 0)
        return rc;
    batch->items = json_incref(items);
    return read_items(batch);
}

/* One object a line; an empty last line is none. */
static int read_ndjson(struct batch *batch)
{
    const char *line = batch->request->body, *end = line + batch->request->body_len;
    size_t values_max = shape_size(&batch->shape) + VALUES_BESIDE_INPUT;
    batch->items = json_array();
    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *stop = newline ? newline : end;
        json_t *item = NULL;
        if (json_array_size(batch->items) == ENROLL_MAX)
            return too_many();
        int rc = json_read(line, (size_t)(stop - line), values_max, &item);
        if (rc < 0)
            return rc;
        json_array_append_new(batch->items, item);
        line = stop + 1;
    }
    if (json_array_size(batch->items) == 0)
        return fail(MK_EINPUT, "NDJSON: the body is empty");
    return read_items(batch);
}

static int read_batch(struct batch *batch)
{
    const struct request *request = batch->request;
    bool json = strcmp(request->media, "application/json") == 0;
    bool ndjson = strcmp(request->media, "application/x-ndjson") == 0;
    batch->info = model_info(request->service->model);
    batch->shape = service_shape(request->service);
    if ((json || ndjson) && request->target->has_query)
        return fail(MK_EINPUT,
                    "with a JSON body, label and provenance are members of it");
    return json ? read_json(batch) : ndjson ? read_ndjson(batch) : read_image(batch);
}

/* The scratch is wiped here and not by the next erasure, which may be waiting for this
 * lane. */
static void make_keys(struct batch *batch)
{
    const struct request *request = batch->request;
    for (size_t i = 0; i < batch->n; i++)
        model_key(request->service->model, request->scratch,
                  batch->pixels + i * shape_size(&batch->shape), &batch->instance[i].key);
    scratch_wipe(request->scratch);
}

static json_t *created(const struct batch *batch)
{
    struct memory_state memory = memory_now(batch->request->service);
    json_t *ids = json_array();
    for (size_t i = 0; i < batch->n; i++)
        json_array_append_new(ids, json_hex(batch->iid[i], IID_SIZE));
    return json_pack("{s:o, s:o}", "instances", ids, "memory", json_memory(&memory));
}

int instances_post(struct request *request, struct reply *ret_reply)
{
    struct batch batch __attribute__((cleanup(batch_done))) = {.request = request};
    const struct text *id = &request->target->segment[1];
    int rc = read_batch(&batch);
    if (rc < 0)
        return rc;
    make_keys(&batch);
    rc = enroll(request->service->state, (struct subject){id->data, id->len},
                batch.instance, batch.n, request->idempotency_key, batch.iid);
    if (rc < 0)
        return rc;
    return reply_json(ret_reply, 201, created(&batch));
}

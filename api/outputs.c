/* SPDX-License-Identifier: Apache-2.0 */
/* An answered question as tensors. */
#include "api/outputs.h"

#include <endian.h>
#include <string.h>

#include "core/err.h"

static const struct {
    const char *name, *datatype;
} outputs[OUTPUTS] = {
    [OUTPUT_PROBABILITIES] = {"probabilities", "FP32"},
    [OUTPUT_LABEL] = {"label", "BYTES"},
    [OUTPUT_INDEX] = {"index", "INT64"},
    [OUTPUT_LABELS] = {"labels", "BYTES"},
};

int output_find(const char *name, enum output *ret_output)
{
    for (enum output i = 0; i < OUTPUTS; i++)
        if (strcmp(name, outputs[i].name) == 0) {
            *ret_output = i;
            return 0;
        }
    return fail(MK_EINPUT, "an output has a name that is not known here; known are: "
                           "probabilities label index labels");
}

static json_t *described(enum output output, const char *datatype, json_t *shape)
{
    return json_pack("{s:s, s:s, s:o}", "name", outputs[output].name, "datatype",
                     datatype, "shape", shape);
}

static json_t *shape_of(enum output output, json_int_t n, json_int_t labels)
{
    return output == OUTPUT_PROBABILITIES
               ? json_pack("[I, I]", n, labels)
               : json_pack("[I]", output == OUTPUT_LABELS ? labels : n);
}

json_t *output_described(enum output output, const struct model_info *info)
{
    const json_int_t labels = info->open_labels ? -1 : (json_int_t)info->classes;
    return described(output, outputs[output].datatype, shape_of(output, -1, labels));
}

/* The classification extension: "probability:index:label". */
static json_t *class_text(const struct question *question, size_t i, size_t index)
{
    const struct label_list *labels = &question->labels;
    return json_sprintf("%.9g:%zu:%s", (double)question->p[i * labels->n + index], index,
                        labels->name[index]);
}

static json_t *classes_tensor(struct question *question, size_t classes)
{
    json_t *data = json_array();
    size_t k = 0;
    for (size_t i = 0; i < question->n; i++) {
        const size_t *order;
        k = question_first(question, i, classes, &order);
        for (size_t j = 0; j < k; j++)
            json_array_append_new(data, class_text(question, i, order[j]));
    }
    json_t *tensor =
        described(OUTPUT_PROBABILITIES, "BYTES",
                  json_pack("[I, I]", (json_int_t)question->n, (json_int_t)k));
    json_object_set_new(tensor, "data", data);
    return tensor;
}

static json_t *probabilities(const struct question *question)
{
    json_t *data = json_array();
    for (size_t i = 0; i < question->n * question->labels.n; i++)
        json_array_append_new(data, json_real((double)question->p[i]));
    return data;
}

/* Of each image the likeliest label, or its index. */
static json_t *likeliest(struct question *question, bool name)
{
    json_t *data = json_array();
    for (size_t i = 0; i < question->n; i++) {
        const size_t *order;
        question_first(question, i, 1, &order);
        json_array_append_new(data, name ? json_string(question->labels.name[*order])
                                         : json_integer((json_int_t)*order));
    }
    return data;
}

static json_t *all_labels(const struct label_list *labels)
{
    json_t *data = json_array();
    for (size_t i = 0; i < labels->n; i++)
        json_array_append_new(data, json_string(labels->name[i]));
    return data;
}

json_t *output_tensor(const struct wanted *wanted, struct question *question)
{
    const enum output output = wanted->output;
    if (wanted->classes)
        return classes_tensor(question, (size_t)wanted->classes);
    json_t *tensor = described(
        output, outputs[output].datatype,
        shape_of(output, (json_int_t)question->n, (json_int_t)question->labels.n));
    json_object_set_new(tensor, "data",
                        output == OUTPUT_PROBABILITIES ? probabilities(question)
                        : output == OUTPUT_LABELS
                            ? all_labels(&question->labels)
                            : likeliest(question, output == OUTPUT_LABEL));
    return tensor;
}

static size_t element_size(const json_t *value)
{
    return json_is_real(value)      ? sizeof(float)
           : json_is_integer(value) ? sizeof(int64_t)
                                    : sizeof(uint32_t) + json_string_length(value);
}

static char *pack_element(const json_t *value, char *at)
{
    if (json_is_integer(value)) {
        const uint64_t bits = htole64((uint64_t)json_integer_value(value));
        return mempcpy(at, &bits, sizeof bits);
    }
    if (json_is_real(value)) {
        const float number = (float)json_real_value(value);
        uint32_t bits;
        memcpy(&bits, &number, sizeof bits);
        bits = htole32(bits);
        return mempcpy(at, &bits, sizeof bits);
    }
    const uint32_t len = htole32((uint32_t)json_string_length(value));
    at = mempcpy(at, &len, sizeof len);
    return mempcpy(at, json_string_value(value), json_string_length(value));
}

int output_pack(json_t *tensor, struct blob **ret_bytes)
{
    const json_t *data = json_object_get(tensor, "data");
    size_t size = 0;
    for (size_t i = 0; i < json_array_size(data); i++)
        size += element_size(json_array_get(data, i));
    struct blob *bytes = blob_new(size);
    if (!bytes)
        return fail(MK_ENOMEM, "no memory for an output of %zu bytes", size);
    char *at = bytes->data;
    for (size_t i = 0; i < json_array_size(data); i++)
        at = pack_element(json_array_get(data, i), at);
    json_object_del(tensor, "data");
    json_object_set_new(tensor, "parameters",
                        json_pack("{s:I}", "binary_data_size", (json_int_t)size));
    *ret_bytes = bytes;
    return 0;
}

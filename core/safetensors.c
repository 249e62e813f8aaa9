/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors: u64 header length, JSON header, numbers; all little-endian. */
#include "core/safetensors.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format is little-endian");

enum { HEADER_MAX = 1 << 20, COUNT_MAX = 4096, RANK_MAX = 4, NAME_MAX_LEN = 127 };

struct tensor {
    const char *name; /* belongs to the header */
    uint64_t shape[RANK_MAX], n;
    size_t rank;
    uint64_t begin, end; /* bytes of the data */
};

struct safetensors {
    json_t *header;
    const uint8_t *data;
    uint64_t data_len;
    struct tensor *tensor; /* by begin */
    size_t n;
};

void safetensors_free(struct safetensors *file)
{
    if (!file)
        return;
    json_decref(file->header);
    free(file->tensor);
    free(file);
}

/* A number of the header: an integer, not negative. */
static int whole(const json_t *json, const char *name, const char *what, uint64_t *ret_n)
{
    if (!json_is_integer(json) || json_integer_value(json) < 0)
        return fail(MK_EINPUT, "tensor \"%s\": %s is a whole number from 0 on", name,
                    what);
    *ret_n = (uint64_t)json_integer_value(json);
    return 0;
}

static int parse_shape(struct tensor *t, const json_t *shape)
{
    int rc = 0;
    if (!json_is_array(shape) || json_array_size(shape) > RANK_MAX)
        return fail(MK_EINPUT, "tensor \"%s\": shape is a list of at most %d numbers",
                    t->name, RANK_MAX);
    t->rank = json_array_size(shape);
    t->n = 1;
    for (size_t i = 0; i < t->rank; i++) {
        rc = whole(json_array_get(shape, i), t->name, "a size in shape", &t->shape[i]);
        if (rc < 0)
            return rc;
        if (__builtin_mul_overflow(t->n, t->shape[i], &t->n) || t->n > UINT64_MAX / 8)
            return fail(MK_EINPUT, "tensor \"%s\": its shape is larger than any file",
                        t->name);
    }
    if (t->n == 0)
        return fail(MK_EINPUT, "tensor \"%s\" has no numbers", t->name);
    return 0;
}

static int parse_offsets(struct tensor *t, const json_t *offsets, uint64_t data_len)
{
    if (!json_is_array(offsets) || json_array_size(offsets) != 2)
        return fail(MK_EINPUT, "tensor \"%s\": data_offsets is [begin, end]", t->name);
    int rc = whole(json_array_get(offsets, 0), t->name, "begin", &t->begin);
    if (rc == 0)
        rc = whole(json_array_get(offsets, 1), t->name, "end", &t->end);
    if (rc < 0)
        return rc;
    if (t->begin > t->end || t->end > data_len)
        return fail(MK_EINPUT,
                    "tensor \"%s\": bytes %" PRIu64 " to %" PRIu64
                    " do not lie in the file's %" PRIu64 " bytes of data",
                    t->name, t->begin, t->end, data_len);
    if (t->end - t->begin != t->n * sizeof(float))
        return fail(MK_EINPUT,
                    "tensor \"%s\": its shape needs %" PRIu64
                    " bytes, but it has %" PRIu64,
                    t->name, t->n * sizeof(float), t->end - t->begin);
    return 0;
}

static int parse_tensor(const char *name, const json_t *json, uint64_t data_len,
                        struct tensor *ret_tensor)
{
    struct tensor t = {.name = name};
    const char *dtype = json_string_value(json_object_get(json, "dtype"));
    if (strlen(name) > NAME_MAX_LEN)
        return fail(MK_EINPUT, "a tensor's name is longer than %d bytes", NAME_MAX_LEN);
    if (!json_is_object(json) || json_object_size(json) != 3)
        return fail(MK_EINPUT, "tensor \"%s\" has dtype, shape and data_offsets, no more",
                    name);
    if (!dtype || strcmp(dtype, "F32") != 0)
        return fail(MK_EINPUT, "tensor \"%s\": dtype must be F32", name);
    int rc = parse_shape(&t, json_object_get(json, "shape"));
    if (rc == 0)
        rc = parse_offsets(&t, json_object_get(json, "data_offsets"), data_len);
    if (rc == 0)
        *ret_tensor = t;
    return rc;
}

static int check_metadata(json_t *metadata)
{
    const char *name;
    json_t *value;
    if (!json_is_object(metadata))
        return fail(MK_EINPUT, "__metadata__ is an object of strings");
    json_object_foreach(metadata, name, value) if (!json_is_string(value)) return fail(
        MK_EINPUT, "__metadata__: every value is a string");
    return 0;
}

static int by_begin(const void *a, const void *b)
{
    const struct tensor *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

/* No hole, no overlap, nothing left over. */
static int check_layout(const struct safetensors *file)
{
    uint64_t end = 0;
    for (size_t i = 0; i < file->n; i++) {
        const struct tensor *t = &file->tensor[i];
        if (t->begin != end)
            return fail(MK_EINPUT, "tensor \"%s\" %s the one before it", t->name,
                        t->begin < end ? "overlaps" : "leaves a hole behind");
        end = t->end;
    }
    if (end != file->data_len)
        return fail(MK_EINPUT, "%" PRIu64 " bytes of data belong to no tensor",
                    file->data_len - end);
    return 0;
}

static int check_numbers(const struct safetensors *file)
{
    for (size_t i = 0; i < file->n; i++) {
        const struct tensor *t = &file->tensor[i];
        for (uint64_t at = t->begin; at < t->end; at += sizeof(float)) {
            float x;
            memcpy(&x, file->data + at, sizeof x);
            if (!isfinite(x))
                return fail(MK_EINPUT, "tensor \"%s\" holds a number that is not finite",
                            t->name);
        }
    }
    return 0;
}

static int parse_tensors(struct safetensors *file)
{
    const char *name;
    json_t *value;
    int rc = 0;
    if (json_object_size(file->header) > COUNT_MAX)
        return fail(MK_EINPUT, "more than %d tensors", COUNT_MAX);
    file->tensor = calloc(json_object_size(file->header) + 1, sizeof *file->tensor);
    if (!file->tensor)
        return fail(MK_ENOMEM, "no memory for a table of tensors");
    json_object_foreach(file->header, name, value)
    {
        if (strcmp(name, "__metadata__") == 0)
            rc = check_metadata(value);
        else
            rc = parse_tensor(name, value, file->data_len, &file->tensor[file->n++]);
        if (rc < 0)
            return rc;
    }
    qsort(file->tensor, file->n, sizeof *file->tensor, by_begin);
    rc = check_layout(file);
    return rc == 0 ? check_numbers(file) : rc;
}

static int load_header(const uint8_t *bytes, size_t len, struct safetensors *file)
{
    uint64_t header_len;
    json_error_t error;
    if (len < sizeof header_len)
        return fail(MK_EINPUT,
                    "shorter than the 8 bytes that every safetensors file has");
    memcpy(&header_len, bytes, sizeof header_len);
    if (header_len > HEADER_MAX || header_len > len - sizeof header_len)
        return fail(MK_EINPUT,
                    "a header of %" PRIu64 " bytes: longer than %d or than the file",
                    header_len, HEADER_MAX);
    if (header_len == 0 || bytes[sizeof header_len] != '{')
        return fail(MK_EINPUT, "the header does not begin with {");
    const char *text = (const char *)bytes + sizeof header_len;
    file->header = json_loadb(text, header_len, JSON_REJECT_DUPLICATES, &error);
    if (!file->header)
        return fail(MK_EINPUT, "the header is not JSON: %s", error.text);
    file->data = bytes + sizeof header_len + header_len;
    file->data_len = len - sizeof header_len - header_len;
    return 0;
}

int safetensors_parse(const void *bytes, size_t len, struct safetensors **ret_file)
{
    struct safetensors *file = calloc(1, sizeof *file);
    if (!file)
        return fail(MK_ENOMEM, "no memory for a table of tensors");
    int rc = load_header(bytes, len, file);
    if (rc == 0)
        rc = parse_tensors(file);
    if (rc < 0) {
        safetensors_free(file);
        return rc;
    }
    *ret_file = file;
    return 0;
}

size_t safetensors_count(const struct safetensors *file)
{
    return file->n;
}

size_t safetensors_numbers(const struct safetensors *file)
{
    return file->data_len / sizeof(float);
}

const char *safetensors_metadata(const struct safetensors *file, const char *name)
{
    return json_string_value(
        json_object_get(json_object_get(file->header, "__metadata__"), name));
}

const char *safetensors_name(const struct safetensors *file, size_t i)
{
    return file->tensor[i].name;
}

static const struct tensor *find(const struct safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->n; i++)
        if (strcmp(file->tensor[i].name, name) == 0)
            return &file->tensor[i];
    return NULL;
}

const uint64_t *safetensors_shape(const struct safetensors *file, const char *name,
                                  size_t *ret_rank)
{
    const struct tensor *t = find(file, name);
    if (!t)
        return NULL;
    *ret_rank = t->rank;
    return t->shape;
}

/* "[2, 3]" */
static const char *shape_text(const uint64_t *shape, size_t rank, char text[static 100])
{
    size_t at = 0;
    for (size_t i = 0; i < rank; i++)
        at +=
            (size_t)snprintf(text + at, 100 - at, "%s%" PRIu64, i ? ", " : "[", shape[i]);
    snprintf(text + at, 100 - at, "%s", rank ? "]" : "[]");
    return text;
}

int safetensors_read_shape(const struct safetensors *file, const char *name,
                           const uint64_t *shape, size_t rank, float *ret_values)
{
    char text[100];
    const struct tensor *t = find(file, name);
    if (!t)
        return fail(MK_EINPUT, "tensor \"%s\" is missing", name);
    if (t->rank != rank || memcmp(t->shape, shape, rank * sizeof *shape) != 0)
        return fail(MK_EINPUT, "tensor \"%s\" is not of shape %s", name,
                    shape_text(shape, rank, text));
    memcpy(ret_values, file->data + t->begin, t->end - t->begin);
    return 0;
}

int safetensors_read(const struct safetensors *file, const char *name, size_t rows,
                     size_t cols, float *ret_values)
{
    const uint64_t shape[] = {rows, cols};
    return rows ? safetensors_read_shape(file, name, shape, 2, ret_values)
                : safetensors_read_shape(file, name, shape + 1, 1, ret_values);
}

/* {"dtype": "F32", "shape": [...], "data_offsets": [...]} */
static json_t *describe(const struct safetensors_entry *entry, size_t begin, size_t end)
{
    json_t *shape = json_array();
    if (entry->rows)
        json_array_append_new(shape, json_integer((json_int_t)entry->rows));
    json_array_append_new(shape, json_integer((json_int_t)entry->cols));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", shape,
                     "data_offsets", (json_int_t)begin, (json_int_t)end);
}

static size_t entry_size(const struct safetensors_entry *entry)
{
    return (entry->rows ? entry->rows : 1) * entry->cols * sizeof *entry->values;
}

/* The header's text; ret_size: bytes of data behind it. */
static char *format_header(const json_t *metadata,
                           const struct safetensors_entry *entries, size_t n,
                           size_t *ret_size)
{
    json_t *header = json_object();
    size_t at = 0;
    json_object_set(header, "__metadata__", (json_t *)metadata);
    for (size_t i = 0; i < n; at += entry_size(&entries[i++]))
        json_object_set_new(header, entries[i].name,
                            describe(&entries[i], at, at + entry_size(&entries[i])));
    char *text =
        json_object_size(header) == n + 1 ? json_dumps(header, JSON_COMPACT) : NULL;
    json_decref(header);
    *ret_size = at;
    return text;
}

int safetensors_format(const json_t *metadata, const struct safetensors_entry *entries,
                       size_t n, void **ret_bytes, size_t *ret_len)
{
    size_t data_len;
    char *text = format_header(metadata, entries, n, &data_len);
    size_t text_len = text ? strlen(text) : 0;
    uint64_t header_len = (text_len + 7) / 8 * 8; /* numbers begin at a multiple of 8 */
    uint8_t *bytes = text ? malloc(sizeof header_len + header_len + data_len) : NULL;
    if (!bytes) {
        free(text);
        return fail(MK_ENOMEM, "no memory for a file of %zu bytes", data_len);
    }
    uint8_t *at = bytes + sizeof header_len;
    memcpy(bytes, &header_len, sizeof header_len);
    memset(at, ' ', header_len);
    memcpy(at, text, text_len);
    at += header_len;
    for (size_t i = 0; i < n; at += entry_size(&entries[i++]))
        memcpy(at, entries[i].values, entry_size(&entries[i]));
    free(text);
    *ret_bytes = bytes;
    *ret_len = sizeof header_len + header_len + data_len;
    return 0;
}

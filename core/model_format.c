/* SPDX-License-Identifier: Apache-2.0 */
/* A model as one safetensors file. */
#include "core/model_format.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/safetensors.h"

#define FORMAT "munkey-model-1"

enum {
    PARTS = 3,
    ENTRIES_MAX = VIT_TENSORS_MAX + 2 * TENSORS_MAX,
    OWN_TOKENS_MAX = 100000
};

/* Tensors with their numbers: those of the encoder, of whichever family, come first. */
struct part {
    const struct tensor *tensor;
    size_t n_tensors, n;
    float *values;
};

static struct part part_of(const struct params *params)
{
    return (struct part){params->tensor, params->n_tensors, params->n, params->values};
}

static void list_parts(const struct model *model, struct part parts[PARTS])
{
    const struct vit *vit = model->vit;
    parts[0] = vit ? (struct part){vit->tensor, vit->n_tensors, vit->n, vit->values}
                   : part_of(model->encoder);
    parts[1] = part_of(model->projection);
    parts[2] = part_of(model->classifier);
}

static int by_name(const void *a, const void *b)
{
    const struct safetensors_entry *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* Tensors of some parts, by name. */
static size_t list_entries(const struct part *parts, size_t n_parts,
                           struct safetensors_entry *entries)
{
    size_t n = 0;
    for (size_t i = 0; i < n_parts; i++)
        for (size_t j = 0; j < parts[i].n_tensors; j++) {
            const struct tensor *t = &parts[i].tensor[j];
            entries[n++] = (struct safetensors_entry){t->name, t->rows, t->cols,
                                                      parts[i].values + t->offset};
        }
    qsort(entries, n, sizeof *entries, by_name);
    return n;
}

int model_encoder_bytes(const struct model *model, void **ret_bytes, size_t *ret_len)
{
    struct part parts[PARTS];
    struct safetensors_entry entries[ENTRIES_MAX];
    list_parts(model, parts);
    size_t n = list_entries(parts, 2, entries);
    char *text = model->vit ? vit_config_text(&model->vit->config) : NULL;
    size_t text_len = text ? strlen(text) : 0,
           len = (parts[0].n + parts[1].n) * sizeof(float) + text_len;
    char *bytes = malloc(len), *at = bytes;
    if (!bytes || (model->vit && !text)) {
        free(text);
        free(bytes);
        return fail(MK_ENOMEM, "no memory for an encoder of %zu bytes", len);
    }
    for (size_t i = 0; i < n; i++) {
        size_t size = (entries[i].rows ? entries[i].rows : 1) * entries[i].cols;
        memcpy(at, entries[i].values, size * sizeof(float));
        at += size * sizeof(float);
    }
    if (text)
        memcpy(at, text, text_len);
    free(text);
    *ret_bytes = bytes;
    *ret_len = len;
    return 0;
}

static void __attribute__((format(printf, 3, 4)))
say(json_t *metadata, const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    json_object_set_new(metadata, name, json_vsprintf(format, arguments));
    va_end(arguments);
}

static void say_hex(json_t *metadata, const char *name, const uint8_t hash[static 32])
{
    char hex[65];
    for (int i = 0; i < 32; i++)
        sprintf(hex + 2 * i, "%02x", hash[i]);
    say(metadata, name, "%s", hex);
}

static void say_range(json_t *metadata, const char *name, struct row_range range)
{
    say(metadata, name, "%" PRIu64 "-%" PRIu64, range.begin, range.end);
}

static void say_labels(json_t *metadata, const struct model *model)
{
    json_t *labels = json_array();
    for (uint32_t c = 0; c < model->shape.classes; c++)
        json_array_append_new(labels, json_string(model->labels[c]));
    char *text = json_dumps(labels, JSON_COMPACT);
    say(metadata, "labels", "%s", text ? text : "");
    free(text);
    json_decref(labels);
}

/* Models of this family say nothing. */
static void say_encoder(json_t *metadata, const struct model *model)
{
    char *text = model->vit ? vit_config_text(&model->vit->config) : NULL;
    if (text)
        say(metadata, "encoder", "%s", text);
    free(text);
}

static json_t *describe(const struct model *model, const struct model_origin *origin)
{
    const struct model_info *info = &model->info;
    struct shape shape = model->shape;
    char stem[STEM_TEXT_SIZE];
    json_t *metadata = json_object();
    say(metadata, "format", FORMAT);
    say(metadata, "name", "%s", model->name);
    say(metadata, "profile", "%s", model->profile);
    for (size_t i = 0; shape_dimension_name(i); i++)
        say(metadata, shape_dimension_name(i), "%u", *shape_dimension(&shape, i));
    shape_stem_text(&shape, stem);
    say(metadata, "stem", "%s", stem);
    say(metadata, "attention", shape.symmetric ? "sym" : "asym");
    say(metadata, "inverted", shape.inverted ? "yes" : "no");
    say(metadata, "label_set", shape.open_labels ? "open" : "closed");
    say_labels(metadata, model);
    say(metadata, "own_tokens", "%u", shape.own_tokens);
    say(metadata, "aggregation", "%s", aggregation_name(info->aggregation));
    say(metadata, "k", "%u", info->k);
    say(metadata, "lambda", "%.9g", info->lambda);
    say(metadata, "tau_mix", "%.9g", info->tau_mix);
    say(metadata, "resize", info->resize ? "yes" : "no");
    say_hex(metadata, "data_sha256", info->data_sha256);
    say_hex(metadata, "encoder_sha256", info->encoder_sha256);
    say_range(metadata, "b1", origin->b1);
    say_range(metadata, "b2", origin->b2);
    say_range(metadata, "val", origin->val);
    say(metadata, "order", info->by_subject ? "subject" : "file");
    say(metadata, "mode", info->n_public ? "paper" : "exact");
    say(metadata, "seed", "%" PRIu64, info->seed);
    say(metadata, "command", "%s", origin->command);
    say_encoder(metadata, model);
    return metadata;
}

int model_format(const struct model *model, const struct model_origin *origin,
                 void **ret_bytes, size_t *ret_len)
{
    struct part parts[PARTS];
    struct safetensors_entry entries[ENTRIES_MAX];
    list_parts(model, parts);
    size_t n = list_entries(parts, PARTS, entries);
    json_t *metadata = describe(model, origin);
    int rc = safetensors_format(metadata, entries, n, ret_bytes, ret_len);
    json_decref(metadata);
    return rc;
}

static int want(const struct safetensors *file, const char *name, const char **ret_text)
{
    *ret_text = safetensors_metadata(file, name);
    return *ret_text ? 0 : fail(MK_EINPUT, "__metadata__ lacks \"%s\"", name);
}

static int want_number(const struct safetensors *file, const char *name, double low,
                       double high, double *ret_number)
{
    const char *text;
    char *end;
    int rc = want(file, name, &text);
    if (rc < 0)
        return rc;
    errno = 0;
    double number = strtod(text, &end);
    if (end == text || *end || errno || !(number >= low && number <= high))
        return fail(MK_EINPUT, "__metadata__: \"%s\" is a number from %g to %g", name,
                    low, high);
    *ret_number = number;
    return 0;
}

static int want_sizes(const struct safetensors *file, struct shape *shape)
{
    double number = 0;
    int rc = 0;
    for (size_t i = 0; rc == 0 && shape_dimension_name(i); i++) {
        rc = want_number(file, shape_dimension_name(i), 0, UINT16_MAX, &number);
        *shape_dimension(shape, i) = (uint32_t)number;
    }
    return rc;
}

/* One of two words; the first where the file says nothing, since it is older than the choice. */
static int want_word(const struct safetensors *file, const char *name, const char *first,
                     const char *second, bool *ret_second)
{
    const char *text = safetensors_metadata(file, name);
    *ret_second = text && strcmp(text, second) == 0;
    if (text && !*ret_second && strcmp(text, first) != 0)
        return fail(MK_EINPUT, "__metadata__: \"%s\" is %s or %s", name, first, second);
    return 0;
}

static int want_choices(const struct safetensors *file, struct shape *shape)
{
    double own_tokens = 0;
    int rc = want_word(file, "attention", "asym", "sym", &shape->symmetric);
    if (rc == 0)
        rc = want_word(file, "label_set", "closed", "open", &shape->open_labels);
    if (rc == 0)
        rc = want_word(file, "inverted", "no", "yes", &shape->inverted);
    if (rc < 0)
        return rc;
    if (safetensors_metadata(file, "own_tokens")) {
        rc = want_number(file, "own_tokens", 0, OWN_TOKENS_MAX, &own_tokens);
        if (rc < 0)
            return rc;
    }
    shape->own_tokens = (uint32_t)own_tokens;
    return 0;
}

/* A file that names no encoder has one of the model's own family. */
static int want_encoder(const struct safetensors *file, struct shape *shape,
                        struct vit_config *ret_encoder)
{
    const char *text = safetensors_metadata(file, "encoder");
    if (!text)
        return 0;
    int rc = vit_config_parse(text, strlen(text), text, strlen(text), ret_encoder);
    if (rc < 0)
        return fail(rc, "__metadata__: \"encoder\": %s", err_why());
    shape->embed = ret_encoder->d;
    return 0;
}

/* The profile is a name for people: the sizes decide. */
static int want_shape(const struct safetensors *file, struct shape *ret_shape,
                      struct vit_config *ret_encoder)
{
    const char *text, *stem;
    struct shape shape = {0};
    int rc = want(file, "format", &text);
    if (rc == 0 && strcmp(text, FORMAT) != 0)
        rc = fail(MK_EINPUT, "__metadata__: format is not " FORMAT);
    if (rc == 0)
        rc = want(file, "profile", &shape.profile);
    if (rc == 0 && (rc = want_sizes(file, &shape)) == 0 &&
        (rc = want(file, "stem", &stem)) == 0 &&
        (rc = shape_stem_parse(&shape, stem)) == 0 &&
        (rc = want_choices(file, &shape)) == 0 &&
        (rc = want_encoder(file, &shape, ret_encoder)) == 0 &&
        (rc = shape_check(&shape)) == 0)
        *ret_shape = shape;
    return rc;
}

static int want_labels(const struct safetensors *file, struct model *model)
{
    const char *text, *labels[CLASSES_MAX];
    int rc = want(file, "labels", &text);
    if (rc < 0)
        return rc;
    json_t *list = json_loads(text, 0, NULL);
    if (!json_is_array(list) || json_array_size(list) != model->shape.classes)
        rc = fail(MK_EINPUT, "__metadata__: labels is a JSON list of %u strings",
                  model->shape.classes);
    for (size_t i = 0; rc == 0 && i < model->shape.classes; i++)
        if (!(labels[i] = json_string_value(json_array_get(list, i))))
            rc = fail(MK_EINPUT, "__metadata__: label %zu is not a string", i);
    if (rc == 0)
        rc = model_set_labels(model, labels);
    json_decref(list);
    return rc;
}

static int want_hash(const struct safetensors *file, const char *name,
                     uint8_t ret_hash[32])
{
    const char *text;
    int rc = want(file, name, &text);
    if (rc < 0)
        return rc;
    if (strlen(text) != 64 || strspn(text, "0123456789abcdef") != 64)
        return fail(MK_EINPUT, "__metadata__: \"%s\" is 64 lower-case hex digits", name);
    for (int i = 0; i < 32; i++)
        sscanf(text + 2 * i, "%2hhx", &ret_hash[i]);
    return 0;
}

static int want_range(const struct safetensors *file, const char *name,
                      struct model *model)
{
    const char *text;
    struct row_range range;
    int len = -1, rc = want(file, name, &text);
    if (rc < 0)
        return rc;
    if (sscanf(text, "%10" SCNu64 "-%10" SCNu64 "%n", &range.begin, &range.end, &len) !=
            2 ||
        text[len] || range.begin >= range.end)
        return fail(MK_EINPUT, "__metadata__: \"%s\" is a range of rows, such as 0-12000",
                    name);
    model->seen[model->info.n_seen++] = range;
    return 0;
}

static int want_aggregation(const struct safetensors *file, struct model_info *info)
{
    const char *text = safetensors_metadata(file, "aggregation");
    for (enum aggregation i = 0; i < AGGREGATIONS; i++)
        if (!text || strcmp(text, aggregation_name(i)) == 0) {
            info->aggregation = i;
            return 0;
        }
    return fail(MK_EINPUT, "__metadata__: \"aggregation\" is softmax, mean or rank");
}

static int want_calibration(const struct safetensors *file, struct model_info *info)
{
    double k = 0, lambda = 0, tau = 0;
    int rc = want_number(file, "k", 1, K_MAX, &k);
    if (rc == 0)
        rc = want_number(file, "lambda", 0, 1, &lambda);
    if (rc == 0)
        rc = want_number(file, "tau_mix", 1e-4, 1e4, &tau);
    if (rc == 0 && k != (uint32_t)k)
        rc = fail(MK_EINPUT, "__metadata__: \"k\" is a whole number");
    if (rc == 0)
        rc = want_aggregation(file, info);
    info->k = (uint32_t)k;
    info->lambda = (float)lambda;
    info->tau_mix = (float)tau;
    return rc;
}

/* A file that names no order and no mode means those of its first format: file, exact. */
static int want_rows(const struct safetensors *file, struct model_info *info)
{
    const char *seed;
    bool paper = false;
    char *end;
    int rc = want(file, "seed", &seed);
    if (rc == 0)
        rc = want_word(file, "order", "file", "subject", &info->by_subject);
    if (rc == 0)
        rc = want_word(file, "mode", "exact", "paper", &paper);
    if (rc < 0)
        return rc;
    errno = 0;
    info->seed = strtoull(seed, &end, 10);
    if (*seed < '0' || *seed > '9' || *end || errno)
        return fail(MK_EINPUT, "__metadata__: \"seed\" is a whole number");
    info->n_public = paper;
    return 0;
}

static int want_info(const struct safetensors *file, struct model *model)
{
    static const char *const ranges[] = {"b1", "b2", "val"};
    const char *name, *resize = NULL;
    int rc = want(file, "name", &name);
    if (rc == 0 && (!*name || strlen(name) >= sizeof model->name))
        rc = fail(MK_EINPUT, "__metadata__: name is 1 to %zu bytes long",
                  sizeof model->name - 1);
    if (rc == 0)
        rc = want_labels(file, model);
    if (rc == 0)
        rc = want_calibration(file, &model->info);
    if (rc == 0)
        rc = want_hash(file, "data_sha256", model->info.data_sha256);
    if (rc == 0)
        rc = want_hash(file, "encoder_sha256", model->info.encoder_sha256);
    for (size_t i = 0; rc == 0 && i < sizeof ranges / sizeof *ranges; i++)
        rc = want_range(file, ranges[i], model);
    if (rc == 0)
        rc = want_rows(file, &model->info);
    if (rc == 0)
        rc = want(file, "resize", &resize);
    if (rc < 0)
        return rc;
    model->info.resize = strcmp(resize, "yes") == 0;
    strcpy(model->name, name);
    return 0;
}

static int want_tensors(const struct safetensors *file, const struct model *model)
{
    struct part parts[PARTS];
    size_t n = 0;
    list_parts(model, parts);
    for (size_t i = 0; i < PARTS; i++)
        for (size_t j = 0; j < parts[i].n_tensors; j++, n++) {
            const struct tensor *t = &parts[i].tensor[j];
            int rc = safetensors_read(file, t->name, t->rows, t->cols,
                                      parts[i].values + t->offset);
            if (rc < 0)
                return rc;
        }
    if (safetensors_count(file) != n)
        return fail(MK_EINPUT, "%zu tensors where a model of profile %s has %zu",
                    safetensors_count(file), model->profile, n);
    return 0;
}

static int read_model(const struct safetensors *file, struct model **ret_model)
{
    struct shape shape;
    struct vit_config encoder;
    struct vit *vit = NULL;
    struct model *model;
    int rc = want_shape(file, &shape, &encoder);
    if (rc == 0 && shape.embed > 0)
        rc = vit_new(&encoder, 0, safetensors_numbers(file), &vit);
    if (rc == 0)
        rc = model_new_with(&shape, vit, &model);
    if (rc < 0)
        return rc;
    rc = want_info(file, model);
    if (rc == 0)
        rc = want_tensors(file, model);
    if (rc < 0) {
        model_free(model);
        return rc;
    }
    *ret_model = model;
    return 0;
}

int model_parse(const void *bytes, size_t len, struct model **ret_model)
{
    struct safetensors *file;
    int rc = safetensors_parse(bytes, len, &file);
    if (rc < 0)
        return rc;
    rc = read_model(file, ret_model);
    safetensors_free(file);
    return rc;
}

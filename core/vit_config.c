/* SPDX-License-Identifier: Apache-2.0 */
/* config.json and preprocessor_config.json of a Vision Transformer. */
#include "core/vit_config.h"

#include <math.h>
#include <string.h>

#include <jansson.h>

#include "core/err.h"

static const struct size {
    const char *name;
    size_t at;
    uint32_t least, most, usual;
} sizes[] = {
    {"hidden_size", offsetof(struct vit_config, d), 8, 2048, 768},
    {"num_hidden_layers", offsetof(struct vit_config, layers), 1, VIT_LAYERS_MAX, 12},
    {"num_attention_heads", offsetof(struct vit_config, heads), 1, 64, 12},
    {"intermediate_size", offsetof(struct vit_config, hidden), 8, 8192, 3072},
    {"image_size", offsetof(struct vit_config, image), 4, 1024, 224},
    {"patch_size", offsetof(struct vit_config, patch), 1, 128, 16},
    {"num_channels", offsetof(struct vit_config, channels), 1, 3, 3},
};
enum { SIZES = sizeof sizes / sizeof *sizes };

static const struct {
    const char *name;
    enum vit_act act;
} acts[] = {
    {"gelu", VIT_GELU},
    {"gelu_new", VIT_GELU_TANH},
    {"gelu_pytorch_tanh", VIT_GELU_TANH},
    {"quick_gelu", VIT_QUICK_GELU},
    {"relu", VIT_RELU},
};
enum { ACTS = sizeof acts / sizeof *acts };

static uint32_t *size_of(struct vit_config *config, size_t i)
{
    return (uint32_t *)((char *)config + sizes[i].at);
}

/* Leaves what is not named as it is. */
static int take_bool(const json_t *json, const char *name, bool *value)
{
    const json_t *member = json_object_get(json, name);
    if (!member)
        return 0;
    if (!json_is_boolean(member))
        return fail(MK_EINPUT, "\"%s\" is true or false", name);
    *value = json_is_true(member);
    return 0;
}

static int take_number(const json_t *json, const char *name, double low, double high,
                       double *value)
{
    const json_t *member = json_object_get(json, name);
    if (!member)
        return 0;
    double number = json_is_number(member) ? json_number_value(member) : NAN;
    if (!(number >= low && number <= high))
        return fail(MK_EINPUT, "\"%s\" is a number from %g to %g", name, low, high);
    *value = number;
    return 0;
}

static int take_sizes(const json_t *json, struct vit_config *config)
{
    for (size_t i = 0; i < SIZES; i++) {
        const json_t *member = json_object_get(json, sizes[i].name);
        json_int_t number = member ? json_integer_value(member) : sizes[i].usual;
        if ((member && !json_is_integer(member)) || number < sizes[i].least ||
            number > sizes[i].most)
            return fail(MK_EINPUT, "\"%s\" is a whole number from %u to %u",
                        sizes[i].name, sizes[i].least, sizes[i].most);
        *size_of(config, i) = (uint32_t)number;
    }
    return 0;
}

static int take_act(const json_t *json, struct vit_config *config)
{
    const json_t *member = json_object_get(json, "hidden_act");
    const char *name = member ? json_string_value(member) : "gelu";
    for (size_t i = 0; name && i < ACTS; i++)
        if (strcmp(acts[i].name, name) == 0) {
            config->act = acts[i].act;
            return 0;
        }
    return fail(MK_EINPUT,
                "\"hidden_act\" is gelu, gelu_new, gelu_pytorch_tanh, quick_gelu or "
                "relu, not %.32s",
                name ? name : "something else than a string");
}

/* Sizes that do not fit each other. */
static int check_sizes(const struct vit_config *c)
{
    if (c->channels == 2)
        return fail(MK_EINPUT, "\"num_channels\" is 1 or 3");
    if (c->d % c->heads)
        return fail(MK_EINPUT,
                    "\"hidden_size\" is a multiple of \"num_attention_heads\", and %u is "
                    "not of %u",
                    c->d, c->heads);
    if (c->image % c->patch)
        return fail(MK_EINPUT,
                    "\"image_size\" is a multiple of \"patch_size\", and %u is not of %u",
                    c->image, c->patch);
    if (vit_tokens(c) > VIT_TOKENS_MAX)
        return fail(MK_EINPUT,
                    "%zu patches, and there may be %d: take a larger "
                    "\"patch_size\"",
                    vit_tokens(c) - 1, VIT_TOKENS_MAX - 1);
    return 0;
}

static int take_config(const json_t *json, struct vit_config *config)
{
    const char *type = json_string_value(json_object_get(json, "model_type"));
    config->qkv_bias = true;
    config->eps = 1e-12;
    if (!type || strcmp(type, "vit") != 0)
        return fail(MK_EINPUT, "\"model_type\" is vit, not %.32s",
                    type ? type : "missing");
    int rc = take_sizes(json, config);
    if (rc == 0)
        rc = take_act(json, config);
    if (rc == 0)
        rc = take_bool(json, "qkv_bias", &config->qkv_bias);
    if (rc == 0)
        rc = take_number(json, "layer_norm_eps", 1e-15, .1, &config->eps);
    if (rc == 0)
        rc = check_sizes(config);
    if (rc == 0 && json_object_get(json, "head_dim") &&
        json_integer_value(json_object_get(json, "head_dim")) !=
            config->d / config->heads)
        rc = fail(MK_EINPUT,
                  "\"head_dim\" is \"hidden_size\" divided by \"num_attention_heads\"");
    return rc;
}

/* "size": 224, or {"height": 224, "width": 224}. */
static int check_size(const json_t *json, const struct vit_config *config)
{
    const json_t *size = json_object_get(json, "size");
    const json_t *height = json_is_object(size) ? json_object_get(size, "height") : size;
    const json_t *width = json_is_object(size) ? json_object_get(size, "width") : size;
    if (!size)
        return 0;
    if (json_integer_value(height) != config->image ||
        json_integer_value(width) != config->image)
        return fail(MK_EINPUT,
                    "\"size\" is {\"height\": %u, \"width\": %u}, as \"image_size\" says",
                    config->image, config->image);
    return 0;
}

/* Steps that are not there. */
static int refuse_steps(const json_t *json)
{
    static const char *const steps[] = {"do_center_crop", "do_pad", "do_grayscale"};
    const json_t *resample = json_object_get(json, "resample");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (json_is_true(json_object_get(json, steps[i])))
            return fail(MK_EINPUT, "\"%s\" is not supported: it has to be false",
                        steps[i]);
    if (resample && json_integer_value(resample) != 2)
        return fail(MK_EINPUT, "\"resample\" is 2, bilinear");
    return 0;
}

static int take_channels(const json_t *json, const char *name, double low, uint32_t n,
                         double usual, double *ret_values)
{
    const json_t *list = json_object_get(json, name);
    for (uint32_t i = 0; i < n; i++)
        ret_values[i] = usual;
    if (!list)
        return 0;
    if (!json_is_array(list) || json_array_size(list) != n)
        return fail(MK_EINPUT, "\"%s\" is a list of %u numbers, one for each channel",
                    name, n);
    for (uint32_t i = 0; i < n; i++) {
        const json_t *member = json_array_get(list, i);
        double value = json_is_number(member) ? json_number_value(member) : NAN;
        if (!(value >= low && value <= 1e4))
            return fail(MK_EINPUT, "\"%s\": numbers from %g to 10000", name, low);
        ret_values[i] = value;
    }
    return 0;
}

/* A step that is not done is one that changes nothing. */
static int take_preprocessor(const json_t *json, struct vit_config *config)
{
    bool rescale = true, normalize = true;
    double factor = 1 / 255.;
    uint32_t n = config->channels;
    config->resize = true;
    int rc = check_size(json, config);
    if (rc == 0)
        rc = refuse_steps(json);
    if (rc == 0)
        rc = take_bool(json, "do_resize", &config->resize);
    if (rc == 0)
        rc = take_bool(json, "do_rescale", &rescale);
    if (rc == 0)
        rc = take_bool(json, "do_normalize", &normalize);
    if (rc == 0)
        rc = take_number(json, "rescale_factor", 1e-6, 1e3, &factor);
    if (rc == 0)
        rc = take_channels(json, "image_mean", -1e4, n, .5, config->mean);
    if (rc == 0)
        rc = take_channels(json, "image_std", 1e-4, n, .5, config->std);
    config->rescale = rescale ? factor : 1;
    for (uint32_t i = 0; !normalize && i < n; i++) {
        config->mean[i] = 0;
        config->std[i] = 1;
    }
    return rc;
}

typedef int take_json(const json_t *json, struct vit_config *config);

static int parse(const char *what, const void *text, size_t len, take_json *take,
                 struct vit_config *config)
{
    json_error_t error;
    json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    int rc = json_is_object(json) ? take(json, config)
             : json               ? fail(MK_EINPUT, "it is not an object")
                    : fail(MK_EINPUT, "line %d: %s", error.line, error.text);
    json_decref(json);
    return rc < 0 ? fail(rc, "%s: %s", what, err_why()) : 0;
}

int vit_config_parse(const void *config, size_t config_len, const void *preprocessor,
                     size_t preprocessor_len, struct vit_config *ret_config)
{
    struct vit_config found = {0};
    int rc = parse("config.json", config, config_len, take_config, &found);
    if (rc == 0)
        rc = parse("preprocessor_config.json", preprocessor, preprocessor_len,
                   take_preprocessor, &found);
    if (rc == 0)
        *ret_config = found;
    return rc;
}

static json_t *list_of(const double *values, uint32_t n)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(list, json_real(values[i]));
    return list;
}

char *vit_config_text(const struct vit_config *config)
{
    struct vit_config c = *config;
    size_t act = 0;
    while (acts[act].act != c.act)
        act++;
    json_t *json =
        json_pack("{s:s, s:s, s:b, s:f, s:b, s:f, s:o, s:o}", "model_type", "vit",
                  "hidden_act", acts[act].name, "qkv_bias", c.qkv_bias, "layer_norm_eps",
                  c.eps, "do_resize", c.resize, "rescale_factor", c.rescale, "image_mean",
                  list_of(c.mean, c.channels), "image_std", list_of(c.std, c.channels));
    for (size_t i = 0; i < SIZES; i++)
        json_object_set_new(json, sizes[i].name, json_integer(*size_of(&c, i)));
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(json);
    return text;
}

size_t vit_tokens(const struct vit_config *config)
{
    size_t side = config->image / config->patch;
    return 1 + side * side;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Vision Transformers of tests/golden/vit, against what Hugging Face transformers made of the
 * same pictures (tests/golden/vit.py), and files that are refused.  Tolerance: 1e-4 of the
 * largest component. */
#include "tests/check.h"
#include "tests/marks.h"

#include <math.h>
#include <stdio.h>

#include <jansson.h>

#include "core/model_format.h"
#include "core/rng.h"
#include "core/train_optimizer.h"
#include "daemon/files.h"

static const double tolerance = 1e-4;

/* The bytes of a folder's three files. */
struct folder {
    uint8_t *config, *preprocessor, *model;
    struct vit_files files;
};

static size_t read_one(const char *folder, const char *name, uint8_t **ret_bytes)
{
    char path[4096];
    size_t len;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(file_read(path, 1 << 30, ret_bytes, &len));
    return len;
}

static struct folder open_folder(const char *path)
{
    struct folder f;
    size_t config = read_one(path, "config.json", &f.config),
           preprocessor = read_one(path, "preprocessor_config.json", &f.preprocessor),
           model = read_one(path, "model.safetensors", &f.model);
    f.files = (struct vit_files){f.config, f.preprocessor, f.model,
                                 config,   preprocessor,   model};
    return f;
}

static void close_folder(struct folder *f)
{
    free(f->config);
    free(f->preprocessor);
    free(f->model);
}

static const char *golden(const char *name)
{
    static char path[4096];
    const char *top = getenv("top_srcdir");
    snprintf(path, sizeof path, "%s/tests/golden/vit/%s", top ? top : ".", name);
    return path;
}

static struct vit *load(const char *name)
{
    struct folder f = open_folder(golden(name));
    struct vit *vit;
    assert_ok(vit_parse(&f.files, &vit));
    close_folder(&f);
    return vit;
}

/* One picture of expected.json, seen by a ViT. */
struct seen {
    size_t height, width, channels;
    float z[2048], logits[16];
    struct vit_run *run;
};

/* The same numbers as in tests/golden/vit.py. */
static uint8_t *draw(size_t height, size_t width, size_t channels)
{
    uint8_t *pixels = malloc(height * width * channels), *at = pixels;
    assert_non_null(pixels);
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++)
            for (size_t c = 0; c < channels; c++)
                *at++ = (uint8_t)((3 * x * x + 5 * y * y + 7 * x * y + 31 * c) / 4 % 256);
    return pixels;
}

static size_t size_in(const json_t *json, const char *name)
{
    return (size_t)json_integer_value(json_object_get(json, name));
}

static struct seen see(const struct vit *vit, const json_t *expected)
{
    struct seen s = {.height = size_in(expected, "height"),
                     .width = size_in(expected, "width"),
                     .channels = size_in(expected, "channels")};
    uint8_t *pixels = draw(s.height, s.width, s.channels);
    assert_ok(vit_pixels_check(&vit->config, s.height, s.width, s.channels));
    s.run = vit_run_new(vit, s.height, s.width, s.channels);
    assert_non_null(s.run);
    vit_embed(vit, s.run, pixels, s.z);
    if (vit->labels > 0)
        vit_logits(vit, s.z, s.logits);
    free(pixels);
    return s;
}

/* Calls check for each picture of each folder. */
typedef void check_seen(const struct vit *vit, const struct seen *seen,
                        const json_t *expected);

static void each_picture(check_seen *check)
{
    static const char *const names[] = {"a", "b", "c"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char path[32];
        snprintf(path, sizeof path, "%s/expected.json", names[i]);
        json_t *list = json_load_file(golden(path), 0, NULL), *one;
        size_t at;
        struct vit *vit = load(names[i]);
        assert_true(json_array_size(list) >= 2);
        json_array_foreach(list, at, one)
        {
            struct seen seen = see(vit, one);
            check(vit, &seen, one);
            vit_run_free(seen.run);
        }
        vit_free(vit);
        json_decref(list);
    }
}

static void expect_close(const float *values, const json_t *expected, size_t n)
{
    double most = 0;
    assert_int_equal(json_array_size(expected), n);
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(json_number_value(json_array_get(expected, i))));
    for (size_t i = 0; i < n; i++) {
        double value = json_number_value(json_array_get(expected, i));
        if (!(fabs(values[i] - value) <= tolerance * most))
            print_error("%zu: %.7g, not %.7g\n", i, values[i], value);
        assert_true(fabs(values[i] - value) <= tolerance * most);
    }
}

static void check_embedding(const struct vit *vit, const struct seen *seen,
                            const json_t *expected)
{
    expect_close(seen->z, json_object_get(expected, "embedding"), vit->config.d);
}

static void embeddings_are_those_of_transformers(void **unused)
{
    (void)unused;
    each_picture(check_embedding);
}

static void check_logits(const struct vit *vit, const struct seen *seen,
                         const json_t *expected)
{
    expect_close(seen->logits, json_object_get(expected, "logits"), vit->labels);
}

static void logits_are_those_of_transformers(void **unused)
{
    (void)unused;
    each_picture(check_logits);
}

/* Bytes after resizing, all of them; and some of the numbers that become of them. */
static void check_pixels(const struct vit *vit, const struct seen *seen,
                         const json_t *expected)
{
    const struct vit_config *c = &vit->config;
    const float *x = vit_run_pixels(seen->run);
    const char *hex = json_string_value(json_object_get(expected, "levels"));
    const json_t *some = json_object_get(expected, "every_97th");
    size_t cells = (size_t)c->image * c->image, n = c->channels * cells;
    assert_int_equal(strlen(hex), 2 * n);
    for (size_t i = 0; i < n; i++) {
        unsigned level;
        sscanf(hex + 2 * i, "%2x", &level);
        assert_int_equal(
            lround((x[i] * c->std[i / cells] + c->mean[i / cells]) / c->rescale), level);
    }
    for (size_t i = 0; i < json_array_size(some); i++)
        assert_true(fabs(x[97 * i] - json_number_value(json_array_get(some, i))) < 1e-6);
}

static void pictures_are_resized_and_normalised_as_by_transformers(void **unused)
{
    (void)unused;
    each_picture(check_pixels);
}

static void check_again(const struct vit *vit, const struct seen *seen,
                        const json_t *expected)
{
    float z[2048], other[2048];
    uint8_t *pixels = draw(seen->height, seen->width, seen->channels);
    uint8_t *black = calloc(seen->height * seen->width, seen->channels);
    (void)expected;
    vit_embed(vit, seen->run, black, other);
    vit_embed(vit, seen->run, pixels, z);
    assert_memory_equal(z, seen->z, vit->config.d * sizeof *z);
    assert_memory_not_equal(other, z, vit->config.d * sizeof *z);
    free(pixels);
    free(black);
}

static void a_picture_has_the_same_bits_after_any_other(void **unused)
{
    (void)unused;
    each_picture(check_again);
}

static void check_text(const struct vit *vit, const struct seen *seen,
                       const json_t *expected)
{
    struct vit_config again;
    char *text = vit_config_text(&vit->config), *other;
    (void)seen;
    (void)expected;
    assert_non_null(text);
    assert_ok(vit_config_parse(text, strlen(text), text, strlen(text), &again));
    other = vit_config_text(&again);
    assert_string_equal(other, text);
    assert_memory_equal(again.mean, vit->config.mean, sizeof again.mean);
    assert_memory_equal(again.std, vit->config.std, sizeof again.std);
    assert_true(again.eps == vit->config.eps && again.rescale == vit->config.rescale);
    free(text);
    free(other);
}

static void what_a_model_says_of_its_encoder_can_be_read_again(void **unused)
{
    (void)unused;
    each_picture(check_text);
}

/* Folder a with one member of a JSON file replaced by this text, and what is said. */
static const struct bad {
    const char *file, *member, *value, *why;
} bad[] = {
    {"config", "model_type", "\"deit\"", "\"model_type\" is vit, not deit"},
    {"config", "model_type", "1", "\"model_type\" is vit, not missing"},
    {"config", "hidden_size", "\"32\"", "\"hidden_size\" is a whole number from 8"},
    {"config", "hidden_size", "4096", "\"hidden_size\" is a whole number from 8 to 2048"},
    {"config", "hidden_size", "33", "33 is not of 2"},
    {"config", "num_hidden_layers", "0", "\"num_hidden_layers\" is a whole number"},
    {"config", "num_attention_heads", "-1", "\"num_attention_heads\" is a whole number"},
    {"config", "intermediate_size", "1e9", "\"intermediate_size\" is a whole number"},
    {"config", "image_size", "[32, 32]", "\"image_size\" is a whole number"},
    {"config", "image_size", "33", "33 is not of 8"},
    {"config", "image_size", "1024", "16384 patches, and there may be 4096"},
    {"config", "patch_size", "null", "\"patch_size\" is a whole number"},
    {"config", "num_channels", "2", "\"num_channels\" is 1 or 3"},
    {"config", "hidden_act", "\"silu\"",
     "\"hidden_act\" is gelu, gelu_new, gelu_pytorch"},
    {"config", "hidden_act", "[]", "not something else than a string"},
    {"config", "qkv_bias", "1", "\"qkv_bias\" is true or false"},
    {"config", "layer_norm_eps", "0", "\"layer_norm_eps\" is a number from 1e-15"},
    {"config", "head_dim", "8", "\"head_dim\" is \"hidden_size\" divided"},
    {"config", "hidden_size", "16", "is not of shape [1, 1, 16]"},
    {"config", "patch_size", "4", "is not of shape [1, 65, 32]"},
    {"config", "num_hidden_layers", "3", "numbers, where such an encoder has"},
    {"config", "num_hidden_layers", "1", "of 1 layers, with biases everywhere"},
    {"config", "qkv_bias", "false", "without biases of query, key and value"},
    {"config", "intermediate_size", "63", "intermediate.dense.weight\" is not of shape"},
    {"config", "hidden_size", "2048", "numbers, where such an encoder has"},
    {"preprocessor", "do_resize", "\"yes\"", "\"do_resize\" is true or false"},
    {"preprocessor", "size", "224", "\"size\" is {\"height\": 32, \"width\": 32}"},
    {"preprocessor", "size", "{\"shortest_edge\": 32}", "\"size\" is {\"height\": 32"},
    {"preprocessor", "size", "{\"height\": 32, \"width\": 31}", "\"size\" is"},
    {"preprocessor", "resample", "3", "\"resample\" is 2, bilinear"},
    {"preprocessor", "do_center_crop", "true", "\"do_center_crop\" is not supported"},
    {"preprocessor", "do_pad", "true", "\"do_pad\" is not supported"},
    {"preprocessor", "rescale_factor", "0", "\"rescale_factor\" is a number from"},
    {"preprocessor", "image_mean", "[0.5]", "\"image_mean\" is a list of 3 numbers"},
    {"preprocessor", "image_mean", "[0, 0, \"0\"]", "\"image_mean\": numbers from"},
    {"preprocessor", "image_std", "[1, 1, 0]", "\"image_std\": numbers from 0.0001"},
    {"model", "\"F32\"", "\"F16\"", "dtype must be F32"},
    {"model", "vit.layernorm.bias", "vit.layernorm.bios",
     "vit.layernorm.bias\" is missing"},
    {"model", "vit.embeddings.cls_token", "vit.embeddings.cls_tokem",
     "\"embeddings.cls_token\" is missing"},
    {"model", "[5,32]", "[4,40]", "\"classifier.weight\" is not of shape [4, 32]"},
    {"model", "layer.1.layernorm_before.bias", "layer.7.layernorm_before.bias",
     "\"vit.encoder.layer.1.layernorm_before.bias\" is missing"},
};

/* A text with one member replaced; the caller frees it. */
static char *with_member(const uint8_t *text, size_t len, const struct bad *b)
{
    json_t *json = json_loadb((const char *)text, len, 0, NULL);
    json_t *value = json_loads(b->value, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    json_object_set_new(json, b->member, value);
    char *out = json_dumps(json, 0);
    json_decref(json);
    return out;
}

static void spoil(struct folder *f, const struct bad *b)
{
    struct vit_files *files = &f->files;
    if (strcmp(b->file, "model") == 0) {
        uint8_t *at = memmem(f->model, files->model_len, b->member, strlen(b->member));
        assert_non_null(at);
        memcpy(at, b->value, strlen(b->value));
        return;
    }
    bool config = strcmp(b->file, "config") == 0;
    uint8_t **text = config ? &f->config : &f->preprocessor;
    size_t *len = config ? &files->config_len : &files->preprocessor_len;
    char *spoilt = with_member(*text, *len, b);
    free(*text);
    *text = (uint8_t *)spoilt;
    *len = strlen(spoilt);
    files->config = f->config;
    files->preprocessor = f->preprocessor;
}

static void a_bad_folder_is_refused_with_its_reason(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct folder f = open_folder(golden("a"));
        struct vit *vit = NULL;
        spoil(&f, &bad[i]);
        int rc = vit_parse(&f.files, &vit);
        if (rc != MK_EINPUT || !strstr(err_why(), bad[i].why))
            print_error("%s %s: %s\n", bad[i].member, bad[i].value,
                        rc < 0 ? err_why() : "taken");
        assert_int_equal(rc, MK_EINPUT);
        assert_non_null(strstr(err_why(), bad[i].why));
        assert_null(vit);
        close_folder(&f);
    }
}

static void text_that_is_no_json_is_refused_by_its_file(void **unused)
{
    (void)unused;
    struct vit_config config;
    const char good[] = "{\"model_type\": \"vit\"}";
    assert_int_equal(vit_config_parse("{", 1, good, sizeof good - 1, &config), MK_EINPUT);
    assert_non_null(strstr(err_why(), "config.json: line 1"));
    assert_int_equal(vit_config_parse(good, sizeof good - 1, "[]", 2, &config),
                     MK_EINPUT);
    assert_non_null(strstr(err_why(), "preprocessor_config.json: it is not an object"));
}

static void what_is_not_named_is_that_of_vit_base(void **unused)
{
    (void)unused;
    struct vit_config c;
    const char config[] = "{\"model_type\": \"vit\"}", old[] = "{\"size\": 224}";
    assert_ok(vit_config_parse(config, sizeof config - 1, old, sizeof old - 1, &c));
    assert_int_equal(vit_tokens(&c), 197);
    assert_true(c.d == 768 && c.layers == 12 && c.heads == 12 && c.hidden == 3072);
    assert_true(c.act == VIT_GELU && c.qkv_bias && c.eps == 1e-12 && c.resize);
    assert_true(c.mean[2] == .5 && c.std[2] == .5 && c.rescale == 1 / 255.);
}

static void pictures_that_an_encoder_cannot_take_are_refused(void **unused)
{
    (void)unused;
    struct vit *gray = load("c");
    assert_int_equal(vit_pixels_check(&gray->config, 48, 48, 3), MK_EINPUT);
    assert_ok(vit_pixels_check(&gray->config, 1, 1000, 1));
    gray->config.resize = false;
    assert_int_equal(vit_pixels_check(&gray->config, 48, 47, 1), MK_EINPUT);
    assert_non_null(strstr(err_why(), "48x48 alone"));
    assert_ok(vit_pixels_check(&gray->config, 48, 48, 1));
    vit_free(gray);
}

/* A model of profile T whose encoder is that of a folder, with random numbers elsewhere. */
static struct model *model_around(const char *name)
{
    struct shape shape;
    struct model *model;
    struct vit *vit = load(name);
    struct rng rng = rng_at(1, RNG_TEST, 1, 0);
    vit_drop_head(vit);
    assert_ok(shape_of_profile("T", 10, &shape));
    assert_ok(model_new_with(&shape, vit, &model));
    for (size_t i = 0; i < model->projection->n; i++)
        model->projection->values[i] = (float)rng_normal(&rng);
    params_start(model->classifier, 1);
    strcpy(model->name, "around");
    return model;
}

static void write_model(const struct model *model, void **ret_bytes, size_t *ret_len)
{
    const struct model_origin origin = {"none", {0, 1}, {1, 2}, {2, 3}};
    assert_ok(model_format(model, &origin, ret_bytes, ret_len));
}

static struct key key_of(const struct model *model)
{
    struct scratch *scratch = scratch_new(model);
    uint8_t *pixels = draw(28, 28, 1);
    struct key key;
    float p[10];
    assert_non_null(scratch);
    model_key(model, scratch, pixels, &key);
    model_predict(model, scratch, pixels, NULL, 0, NULL, p);
    assert_true(p[0] > 0 && p[0] < 1);
    scratch_wipe(scratch);
    scratch_free(scratch);
    free(pixels);
    return key;
}

static void a_model_file_holds_its_encoder(void **unused)
{
    static const char *const names[] = {"a", "b", "c"};
    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct model *model = model_around(names[i]), *read;
        void *bytes, *again;
        size_t len, len_again;
        write_model(model, &bytes, &len);
        assert_ok(model_parse(bytes, len, &read));
        write_model(read, &again, &len_again);
        assert_int_equal(len, len_again);
        assert_memory_equal(bytes, again, len);
        struct key one = key_of(model), two = key_of(read);
        assert_true(one.scale > 0);
        assert_memory_equal(&one, &two, sizeof one);
        model_free(model);
        model_free(read);
        free(bytes);
        free(again);
    }
}

/* Both change keys, and so whose memory it is. */
static void the_digest_of_an_encoder_covers_its_numbers_and_its_config(void **unused)
{
    struct model *model = model_around("c");
    void *before, *after;
    size_t len, len_after;
    (void)unused;
    assert_ok(model_encoder_bytes(model, &before, &len));
    model->vit->config.mean[0] += 1e-9;
    assert_ok(model_encoder_bytes(model, &after, &len_after));
    assert_true(len != len_after || memcmp(before, after, len) != 0);
    free(after);
    model->vit->config.mean[0] -= 1e-9;
    free(before);
    assert_ok(model_encoder_bytes(model, &before, &len));
    model->vit->norm_b[0] += 1;
    assert_ok(model_encoder_bytes(model, &after, &len_after));
    assert_true(memcmp(before, after, len) != 0);
    free(after);
    free(before);
    model_free(model);
}

static void a_model_says_what_its_encoder_cannot_take(void **unused)
{
    struct shape shape;
    struct model *model = NULL;
    (void)unused;
    assert_ok(shape_of_profile("C", 10, &shape));
    assert_int_equal(model_new_with(&shape, load("c"), &model), MK_EINPUT);
    assert_non_null(strstr(err_why(), "the encoder takes pictures of 1 channel(s)"));
    assert_null(model);
}

static void a_model_file_with_a_bad_encoder_is_refused(void **unused)
{
    static const char good[] = "\\\"hidden_act\\\":\\\"quick_gelu\\\"",
                      wrong[] = "\\\"hidden_act\\\":\\\"quick_gela\\\"";
    struct model *model = model_around("c"), *read = NULL;
    uint8_t *bytes;
    size_t len;
    (void)unused;
    write_model(model, (void **)&bytes, &len);
    uint8_t *at = memmem(bytes, len, good, strlen(good));
    assert_non_null(at);
    memcpy(at, wrong, strlen(wrong));
    assert_int_equal(model_parse(bytes, len, &read), MK_EINPUT);
    assert_non_null(
        strstr(err_why(), "__metadata__: \"encoder\": config.json: \"hidden_"));
    model_free(model);
    free(bytes);
}

/* A ViT that makes marks of every picture, in all that its products read of it: the norms'
 * rows, keys, values and the inner layer. */
static struct vit *marking_vit(void)
{
    static const char text[] =
        "{\"model_type\": \"vit\", \"hidden_size\": 128, \"num_hidden_layers\": 2, "
        "\"num_attention_heads\": 1, \"intermediate_size\": 1536, \"image_size\": 80, "
        "\"patch_size\": 4, \"num_channels\": 1, \"hidden_act\": \"relu\", "
        "\"image_mean\": [0.5], \"image_std\": [0.5]}";
    struct vit_config config;
    struct vit *vit;
    assert_ok(vit_config_parse(text, sizeof text - 1, text, sizeof text - 1, &config));
    assert_ok(vit_new(&config, 0, SIZE_MAX, &vit));
    for (size_t i = 0; i < config.layers; i++) {
        mark(vit->layer[i].norm1_b, config.d);
        mark(vit->layer[i].qkv_b, 3 * config.d);
        mark(vit->layer[i].norm2_b, config.d);
        mark(vit->layer[i].up_b, config.hidden);
    }
    return vit;
}

static void a_wipe_and_a_scrub_leave_nothing_of_what_an_encoder_multiplied(void **unused)
{
    struct shape shape;
    struct model *model;
    struct vit *vit = marking_vit();
    uint8_t *pixels = draw(28, 28, 1);
    struct key key;
    (void)unused;
    assert_ok(shape_of_profile("T", 10, &shape));
    assert_ok(model_new_with(&shape, vit, &model));
    struct scratch *scratch = scratch_new(model);
    model_key(model, scratch, pixels, &key);
    scratch_wipe(scratch);
    free(pixels);
    explicit_bzero(vit->values, vit->n * sizeof *vit->values);
    assert_true(marks_left() > 0); /* or the search finds nothing at all */
    model_scrub(model);
    assert_int_equal(marks_left(), 0);
    scratch_free(scratch);
    model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(embeddings_are_those_of_transformers),
        cmocka_unit_test(logits_are_those_of_transformers),
        cmocka_unit_test(pictures_are_resized_and_normalised_as_by_transformers),
        cmocka_unit_test(a_picture_has_the_same_bits_after_any_other),
        cmocka_unit_test(what_a_model_says_of_its_encoder_can_be_read_again),
        cmocka_unit_test(a_bad_folder_is_refused_with_its_reason),
        cmocka_unit_test(text_that_is_no_json_is_refused_by_its_file),
        cmocka_unit_test(what_is_not_named_is_that_of_vit_base),
        cmocka_unit_test(pictures_that_an_encoder_cannot_take_are_refused),
        cmocka_unit_test(a_model_file_holds_its_encoder),
        cmocka_unit_test(the_digest_of_an_encoder_covers_its_numbers_and_its_config),
        cmocka_unit_test(a_wipe_and_a_scrub_leave_nothing_of_what_an_encoder_multiplied),
        cmocka_unit_test(a_model_says_what_its_encoder_cannot_take),
        cmocka_unit_test(a_model_file_with_a_bad_encoder_is_refused),
    };
    return cmocka_run_group_tests_name("vit", tests, NULL, NULL);
}

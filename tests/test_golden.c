/* SPDX-License-Identifier: Apache-2.0 */
/* The shipped test model against values from tests/golden/model.py, which computes it
 * again in numpy and double precision.  Tolerance: 1e-4 for a probability and for a
 * component of a normalised embedding, half a quantisation step more for a component of a
 * key. */
#include "tests/check.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "core/model_parts.h"

static const double tolerance = 1e-4;

static char *source_path(const char *name)
{
    static char path[4096];
    const char *top = getenv("top_srcdir");
    snprintf(path, sizeof path, "%s/%s", top ? top : ".", name);
    return path;
}

static struct model *load_model(const char *name)
{
    static char bytes[1 << 20];
    struct model *model;
    FILE *file = fopen(source_path(name), "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_ok(model_parse(bytes, len, &model));
    return model;
}

static double number(const json_t *array, size_t i)
{
    return json_number_value(json_array_get(array, i));
}

static void read_pixels(const json_t *array, uint8_t *ret_pixels)
{
    for (size_t i = 0; i < json_array_size(array); i++)
        ret_pixels[i] = (uint8_t)number(array, i);
}

static size_t read_hits(const json_t *array, struct hit *ret_hits)
{
    size_t n = json_array_size(array);
    for (size_t i = 0; i < n; i++) {
        const json_t *hit = json_array_get(array, i), *q = json_object_get(hit, "q");
        ret_hits[i] = (struct hit){
            .similarity = (float)json_real_value(json_object_get(hit, "similarity")),
            .label = (uint32_t)json_integer_value(json_object_get(hit, "label")),
            .key.scale = (float)json_real_value(json_object_get(hit, "scale")),
        };
        for (size_t c = 0; c < json_array_size(q); c++)
            ret_hits[i].key.q[c] = (int8_t)number(q, c);
    }
    return n;
}

static void expect_key(const struct key *key, const json_t *golden)
{
    for (size_t i = 0; i < json_array_size(golden); i++) {
        double value = (double)key->q[i] * key->scale;
        assert_true(fabs(value - number(golden, i)) < tolerance + .5 * key->scale);
    }
}

static void expect_passes(const float *p, uint32_t classes, const json_t *golden)
{
    for (size_t pass = 0; pass < json_array_size(golden); pass++)
        for (uint32_t c = 0; c < classes; c++) {
            double value = number(json_array_get(golden, pass), c);
            assert_true(fabs(p[pass * classes + c] - value) < tolerance);
        }
}

/* Calls check for each case of the golden file, with a model and its scratch. */
typedef void check_case(const struct model *model, struct scratch *scratch,
                        const json_t *golden);

static void each_case(bool symmetric, check_case *check)
{
    json_t *golden = json_load_file(source_path("tests/golden/model.json"), 0, NULL),
           *one;
    struct model *model = load_model("models/fashion-mnist-T.safetensors");
    size_t i;
    assert_non_null(golden);
    model->shape.symmetric = symmetric;
    struct scratch *scratch = scratch_new(model);
    assert_int_equal(json_array_size(json_object_get(golden, "cases")), 4);
    json_array_foreach(json_object_get(golden, "cases"), i, one)
    {
        check(model, scratch, one);
    }
    scratch_free(scratch);
    model_free(model);
    json_decref(golden);
}

static void check_key(const struct model *model, struct scratch *scratch,
                      const json_t *golden)
{
    uint8_t pixels[28 * 28];
    struct key key;
    read_pixels(json_object_get(golden, "pixels"), pixels);
    model_key(model, scratch, pixels, &key);
    expect_key(&key, json_object_get(golden, "key"));
}

static void check_passes(const struct model *model, struct scratch *scratch,
                         const json_t *golden)
{
    uint8_t pixels[28 * 28];
    struct hit hits[HITS_MAX];
    float p[(1 + K_MAX) * 10];
    const json_t *expected =
        json_object_get(golden, model->shape.symmetric ? "symmetric" : "passes");
    read_pixels(json_object_get(golden, "pixels"), pixels);
    size_t n = read_hits(json_object_get(golden, "hits"), hits);
    model_passes(model, scratch, pixels, hits, n, NULL, p);
    assert_int_equal(json_array_size(expected), 1 + model->info.k);
    expect_passes(p, model->info.classes, expected);
}

static void keys_are_what_numpy_computes(void **unused)
{
    (void)unused;
    each_case(false, check_key);
}

static void passes_are_what_numpy_computes(void **unused)
{
    (void)unused;
    each_case(false, check_passes);
}

static void symmetric_passes_are_what_numpy_computes(void **unused)
{
    (void)unused;
    each_case(true, check_passes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_what_numpy_computes),
        cmocka_unit_test(passes_are_what_numpy_computes),
        cmocka_unit_test(symmetric_passes_are_what_numpy_computes),
    };
    return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}

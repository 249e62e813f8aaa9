/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v2/models/{m}/infer, called like any function: what it says is what POST /predict says, bit
 * for bit, however the tensors come and go. */
#include "tests/check.h"

#include <stdio.h>

#include "api/routes.h"
#include "tests/asked.h"
#include "tests/drawn.h"

enum { IMAGES = 3, PIXELS = IMAGES * ASKED_SIZE };

static char target[128];

/* What an inference came to: the JSON, and what stands behind it. */
struct inferred {
    json_t *json;
    struct reply reply;
    const char *bytes;
};

static void inferred_done(struct inferred *inferred)
{
    json_decref(inferred->json);
    reply_done(&inferred->reply);
}

/* The request's JSON with the input's shape, datatype and values, and what else it has. */
static char *json_of(const char *shape, const char *datatype, const char *values,
                     const char *rest)
{
    char *text;
    assert_true(asprintf(&text,
                         "{\"inputs\":[{\"name\":\"image\",\"shape\":%s,\"datatype\":"
                         "\"%s\",%s}]%s}",
                         shape, datatype, values, rest) > 0);
    return text;
}

static int ask(const char *json, const void *bytes, size_t len, struct reply *ret_reply)
{
    char *body = calloc(1, strlen(json) + len + 1), length[24];
    memcpy(mempcpy(body, json, strlen(json)), bytes ? bytes : "", len);
    snprintf(length, sizeof length, "%zu", strlen(json));
    struct request request = {.media = "application/json",
                              .json_length = bytes ? length : NULL,
                              .body = body,
                              .body_len = strlen(json) + len};
    int rc = asked_call(kserve_infer_post, target, &request, ret_reply);
    free(body);
    return rc;
}

/* Takes json. */
static struct inferred infer(char *json, const void *bytes, size_t len)
{
    struct inferred it = {0};
    assert_ok(ask(json, bytes, len, &it.reply));
    const char *body = it.reply.body->data;
    size_t head = it.reply.body->len;
    if (it.reply.headers) {
        assert_string_equal(it.reply.header[0].name, "Inference-Header-Content-Length");
        head = strtoul(it.reply.header[0].value, NULL, 10);
    }
    it.json = json_loadb(body, head, 0, NULL);
    assert_non_null(it.json);
    it.bytes = body + head;
    memory_unlock_shared(it.reply.locked); /* a test that fails leaves no lock behind */
    it.reply.locked = NULL;
    free(json);
    return it;
}

static json_t *output(const struct inferred *it, const char *name)
{
    json_t *output;
    size_t i;
    json_array_foreach(json_object_get(it->json, "outputs"), i, output)
    {
        if (strcmp(json_string_value(json_object_get(output, "name")), name) == 0)
            return json_object_get(output, "data");
    }
    return NULL;
}

static void paint_all(uint8_t pixels[static PIXELS])
{
    for (unsigned i = 0; i < IMAGES; i++)
        asked_paint(pixels + i * ASKED_SIZE, i + 3);
}

static void floats_of(const uint8_t *pixels, float *ret_floats)
{
    for (size_t i = 0; i < PIXELS; i++)
        ret_floats[i] = pixels[i];
}

/* "data": the pixels, flat or nested as [IMAGES, 28, 28, 1]. */
static char *data_of(const uint8_t *pixels, bool nested)
{
    size_t size = 16 + 8 * PIXELS;
    char *text = calloc(1, size), *at = text + sprintf(text, "\"data\":");
    for (size_t i = 0; i < PIXELS; i++) {
        if (nested)
            at += sprintf(at, "%s%s%s[%u]%s%s%s", i % 784 == 0 ? (i ? ",[" : "[[") : "",
                          i % 28 == 0 ? (i % 784 ? ",[" : "[") : "", i % 28 ? "," : "",
                          pixels[i], i % 28 == 27 ? "]" : "", i % 784 == 783 ? "]" : "",
                          i + 1 == PIXELS ? "]" : "");
        else
            at += sprintf(at, "%c%u%s", i ? ',' : '[', pixels[i],
                          i + 1 == PIXELS ? "]" : "");
    }
    return text;
}

/* What POST /predict says of the same images: (IMAGES, labels), in the order of index. */
static void predict_all(const uint8_t *pixels, size_t labels, float *ret_p)
{
    for (size_t i = 0; i < IMAGES; i++) {
        char asked_for[32];
        struct reply reply = {0};
        struct request request = {.media = "application/octet-stream",
                                  .body = (const char *)pixels + i * ASKED_SIZE,
                                  .body_len = ASKED_SIZE};
        snprintf(asked_for, sizeof asked_for, "/predict?top_k=%zu", labels);
        assert_ok(asked_call(predict_post, asked_for, &request, &reply));
        json_auto_t *json = json_loadb(reply.body->data, reply.body->len, 0, NULL);
        json_t *top = json_object_get(
                   json_array_get(json_object_get(json, "predictions"), 0), "top"),
               *choice;
        size_t j;
        assert_int_equal(json_array_size(top), labels);
        json_array_foreach(top, j, choice)
            ret_p[i * labels +
                  (size_t)json_integer_value(json_object_get(choice, "index"))] =
                (float)json_real_value(json_object_get(choice, "probability"));
        reply_done(&reply);
    }
}

static void expect_same(const json_t *data, const float *p, size_t n)
{
    assert_int_equal(json_array_size(data), n);
    for (size_t i = 0; i < n; i++) {
        float got = (float)json_real_value(json_array_get(data, i));
        assert_memory_equal(&got, &p[i], sizeof got);
    }
}

static void every_form_of_the_input_gives_the_bits_of_predict(void **state)
{
    (void)state;
    uint8_t pixels[PIXELS];
    float floats[PIXELS], p[IMAGES * 10];
    const char *shape = "[3,28,28,1]";
    paint_all(pixels);
    floats_of(pixels, floats);
    predict_all(pixels, 10, p);
    char *flat = data_of(pixels, false), *nested = data_of(pixels, true);
    struct inferred all[] = {
        infer(json_of(shape, "UINT8", flat, ""), NULL, 0),
        infer(json_of(shape, "UINT8", nested, ""), NULL, 0),
        infer(json_of(shape, "FP32", flat, ""), NULL, 0),
        infer(json_of(shape, "UINT8", "\"parameters\":{\"binary_data_size\":2352}", ""),
              pixels, sizeof pixels),
        infer(json_of(shape, "FP32", "\"parameters\":{\"binary_data_size\":9408}", ""),
              floats, sizeof floats),
    };
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        expect_same(output(&all[i], "probabilities"), p, ARRAY_SIZE(p));
        assert_true(json_equal(all[i].json, all[0].json));
    }
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        inferred_done(&all[i]);
    free(flat);
    free(nested);
}

/* As the other interface does: half to even. */
static void fractions_are_rounded(void **state)
{
    (void)state;
    uint8_t pixels[PIXELS];
    float floats[PIXELS];
    paint_all(pixels);
    floats_of(pixels, floats);
    for (size_t i = 0; i < PIXELS; i++)
        floats[i] += pixels[i] % 2 ? -0.49F : 0.5F;
    struct inferred whole =
                        infer(json_of("[3,28,28,1]", "UINT8",
                                      "\"parameters\":{\"binary_data_size\":2352}", ""),
                              pixels, sizeof pixels),
                    halves =
                        infer(json_of("[3,28,28,1]", "FP32",
                                      "\"parameters\":{\"binary_data_size\":9408}", ""),
                              floats, sizeof floats);
    assert_true(json_equal(whole.json, halves.json));
    inferred_done(&whole);
    inferred_done(&halves);
}

static struct inferred infer_some(const char *rest)
{
    uint8_t pixels[PIXELS];
    paint_all(pixels);
    return infer(json_of("[3,28,28,1]", "UINT8",
                         "\"parameters\":{\"binary_data_size\":2352}", rest),
                 pixels, sizeof pixels);
}

static void one_image_may_lack_the_first_dimension(void **state)
{
    (void)state;
    uint8_t pixels[PIXELS];
    paint_all(pixels);
    const char *values = "\"parameters\":{\"binary_data_size\":784}";
    struct inferred with =
                        infer(json_of("[1,28,28,1]", "UINT8", values, ""), pixels, 784),
                    without =
                        infer(json_of("[28,28,1]", "UINT8", values, ""), pixels, 784);
    assert_true(json_equal(with.json, without.json));
    inferred_done(&with);
    inferred_done(&without);
}

/* Little-endian, in the order that was asked for. */
static void binary_outputs_are_the_bits_of_the_json(void **state)
{
    (void)state;
    struct inferred json = infer_some(""),
                    it = infer_some(
                        ",\"parameters\":{\"binary_data_output\":true},\"outputs\":["
                        "{\"name\":\"index\"},{\"name\":\"label\",\"parameters\":"
                        "{\"binary_data\":false}},{\"name\":\"probabilities\"},"
                        "{\"name\":\"labels\"}]");
    const char *at = it.bytes;
    assert_string_equal(it.reply.media, "application/octet-stream");
    assert_non_null(output(&it, "label"));
    assert_null(output(&it, "probabilities"));
    for (size_t i = 0; i < IMAGES; i++, at += 8)
        assert_int_equal(*(const int64_t *)memcpy(&(int64_t){0}, at, 8),
                         json_integer_value(json_array_get(output(&json, "index"), i)));
    for (size_t i = 0; i < IMAGES * 10; i++, at += 4) {
        float p =
            (float)json_real_value(json_array_get(output(&json, "probabilities"), i));
        assert_memory_equal(at, &p, 4);
    }
    for (size_t i = 0; i < 10; i++) {
        const json_t *label = json_array_get(output(&json, "labels"), i);
        uint32_t len = (uint32_t)json_string_length(label);
        assert_memory_equal(at, &len, 4);
        assert_memory_equal(at + 4, json_string_value(label), len);
        at += 4 + len;
    }
    assert_ptr_equal(at, it.reply.body->data + it.reply.body->len);
    inferred_done(&json);
    inferred_done(&it);
}

static void classification_is_the_top_in_order(void **state)
{
    (void)state;
    struct inferred all = infer_some(""),
                    top = infer_some(",\"outputs\":[{\"name\":\"probabilities\","
                                     "\"parameters\":{\"classification\":2}}]");
    json_t *p = output(&all, "probabilities"), *classes = output(&top, "probabilities");
    assert_int_equal(json_array_size(classes), IMAGES * 2);
    for (size_t i = 0; i < IMAGES; i++) {
        char text[128];
        size_t index =
            (size_t)json_integer_value(json_array_get(output(&all, "index"), i));
        snprintf(text, sizeof text, "%.9g:%zu:%s",
                 json_real_value(json_array_get(p, i * 10 + index)), index,
                 json_string_value(json_array_get(output(&all, "label"), i)));
        assert_string_equal(json_string_value(json_array_get(classes, 2 * i)), text);
        assert_true(strtod(json_string_value(json_array_get(classes, 2 * i + 1)), NULL) <=
                    strtod(text, NULL));
    }
    inferred_done(&all);
    inferred_done(&top);
}

static void a_reply_says_who_asked_and_on_what_it_rests(void **state)
{
    (void)state;
    struct inferred it = infer_some(",\"id\":\"caf\\u00e9 42\"");
    const json_t *parameters = json_object_get(it.json, "parameters");
    assert_string_equal(json_string_value(json_object_get(it.json, "id")), "café 42");
    assert_string_equal(json_string_value(json_object_get(it.json, "model_name")),
                        "fashion-mnist-T");
    assert_int_equal(json_integer_value(json_object_get(parameters, "memory_n")),
                     ASKED_N);
    assert_memory_equal(json_string_value(json_object_get(parameters, "memory_digest")),
                        "abab", 4);
    assert_memory_equal(json_string_value(json_object_get(parameters, "model_digest")) +
                            strlen("sha256:"),
                        json_string_value(json_object_get(it.json, "model_version")), 12);
    inferred_done(&it);
}

static void the_bank_is_locked_until_the_reply_is_sent(void **state)
{
    (void)state;
    static const char json[] = "{\"inputs\":[{\"name\":\"image\",\"shape\":[28,28,1],"
                               "\"datatype\":\"UINT8\",\"parameters\":"
                               "{\"binary_data_size\":784}}]}";
    const uint8_t pixels[ASKED_SIZE] = {0};
    struct reply reply = {0};
    assert_ok(ask(json, pixels, sizeof pixels, &reply));
    assert_ptr_equal(reply.locked, asked.bank);
    assert_true(asked_locks(&reply));
}

static void a_refused_request_leaves_the_bank_alone(void **state)
{
    (void)state;
    static const struct {
        const char *shape, *datatype, *values, *rest;
        int rc;
    } bad[] = {
        {"[1,28,28,1]", "UINT8", "\"parameters\":{\"binary_data_size\":783}", "",
         MK_EINPUT},
        {"[1,28,28,3]", "UINT8", "\"parameters\":{\"binary_data_size\":784}", "",
         MK_EUNPROCESSABLE},
        {"[4611686018427387904,28,28,1]", "FP32",
         "\"parameters\":{\"binary_data_size\":784}", "", MK_ETOOBIG},
        {"[1,28,28,1]", "INT8", "\"parameters\":{\"binary_data_size\":784}", "",
         MK_EINPUT},
        {"[1,28,28,1]", "UINT8", "\"parameters\":{\"binary_data_size\":784}",
         ",\"outputs\":[{\"name\":\"logits\"}]", MK_EINPUT},
    };
    const struct memory_state same = asked_state(ASKED_N, 0xab);
    uint8_t pixels[784] = {0};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct reply reply = {0};
        char *json = json_of(bad[i].shape, bad[i].datatype, bad[i].values, bad[i].rest);
        assert_int_equal(ask(json, pixels, sizeof pixels, &reply), bad[i].rc);
        assert_null(reply.locked);
        free(json);
    }
    memory_drop(asked.bank, 0, &same); /* nobody; but takes the lock */
}

static void no_number_is_taken_for_a_pixel(void **state)
{
    (void)state;
    static const float wrong[] = {-1, 255.5F, __builtin_nanf(""), __builtin_inff(),
                                  -0.1F};
    float image[ASKED_SIZE] = {0};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct reply reply = {0};
        char *json = json_of("[28,28,1]", "FP32",
                             "\"parameters\":{\"binary_data_size\":3136}", "");
        image[700] = wrong[i];
        assert_int_equal(ask(json, image, sizeof image, &reply), MK_EINPUT);
        free(json);
    }
}

static void only_the_model_that_is_served_answers(void **state)
{
    (void)state;
    static const char *const other[] = {"/v2/models/fashion-mnist-F/infer",
                                        "/v2/models/fashion-mnist-T/versions/1/infer",
                                        "/v2/models/fashion-mnist-T%20/infer"};
    struct inferred it = infer_some("");
    char path[128], mine[128];
    snprintf(path, sizeof path, "/v2/models/fashion-mnist-T/versions/%s/infer",
             json_string_value(json_object_get(it.json, "model_version")));
    strcpy(mine, target);
    strcpy(target, path);
    struct inferred same = infer_some("");
    assert_true(json_equal(it.json, same.json));
    for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
        struct reply reply = {0};
        strcpy(target, other[i]);
        assert_int_equal(ask("{}", NULL, 0, &reply), MK_ENOTFOUND);
    }
    strcpy(target, mine);
    inferred_done(&it);
    inferred_done(&same);
}

/* Columns are in the order of `labels`, whatever the model's own numbers are. */
static void open_labels_name_their_columns(void **state)
{
    (void)state;
    uint8_t pixels[PIXELS];
    float p[IMAGES * ASKED_BUILT_IN];
    asked_end();
    asked_begin(drawn_model(asked_names, ASKED_BUILT_IN));
    snprintf(target, sizeof target, "/v2/models/%s/infer", model_info(asked.model)->name);
    paint_all(pixels);
    predict_all(pixels, ASKED_BUILT_IN, p);
    struct inferred it = infer_some("");
    expect_same(output(&it, "probabilities"), p, ARRAY_SIZE(p));
    json_t *labels = output(&it, "labels");
    assert_int_equal(json_array_size(labels), ASKED_BUILT_IN);
    for (size_t i = 1; i < ASKED_BUILT_IN; i++)
        assert_true(strcmp(json_string_value(json_array_get(labels, i - 1)),
                           json_string_value(json_array_get(labels, i))) < 0);
    for (size_t i = 0; i < IMAGES; i++)
        assert_true(
            json_equal(json_array_get(output(&it, "label"), i),
                       json_array_get(labels, (size_t)json_integer_value(json_array_get(
                                                  output(&it, "index"), i)))));
    inferred_done(&it);
}

/* Under the bank's lock nobody is erased. */
static void a_reply_has_a_hundred_thousand_probabilities_at_most(void **state)
{
    enum { MANY = 2000, TOO_MANY = 51 };
    static char text[MANY][8];
    static const char *many[MANY];
    static uint8_t pixels[TOO_MANY * ASKED_SIZE];
    const char *values = "\"parameters\":{\"binary_data_size\":39984}";
    struct reply reply = {0};
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        snprintf(text[i], sizeof text[i], "%zu", i);
        many[i] = text[i];
    }
    asked_end();
    asked_begin(drawn_model(many, MANY));
    char *json = json_of("[51,28,28,1]", "UINT8", values, "");
    assert_int_equal(ask(json, pixels, sizeof pixels, &reply), MK_ETOOBIG);
    free(json);
    struct inferred label = infer(
        json_of("[51,28,28,1]", "UINT8", values, ",\"outputs\":[{\"name\":\"label\"}]"),
        pixels, sizeof pixels);
    assert_int_equal(json_array_size(output(&label, "label")), TOO_MANY);
    inferred_done(&label);
}

static int set_up(void **state)
{
    (void)state;
    asked_shipped();
    strcpy(target, "/v2/models/fashion-mnist-T/infer");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    asked_end();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_the_input_gives_the_bits_of_predict),
        cmocka_unit_test(fractions_are_rounded),
        cmocka_unit_test(one_image_may_lack_the_first_dimension),
        cmocka_unit_test(binary_outputs_are_the_bits_of_the_json),
        cmocka_unit_test(classification_is_the_top_in_order),
        cmocka_unit_test(a_reply_says_who_asked_and_on_what_it_rests),
        cmocka_unit_test(the_bank_is_locked_until_the_reply_is_sent),
        cmocka_unit_test(a_refused_request_leaves_the_bank_alone),
        cmocka_unit_test(no_number_is_taken_for_a_pixel),
        cmocka_unit_test(only_the_model_that_is_served_answers),
        cmocka_unit_test(open_labels_name_their_columns),
        cmocka_unit_test(a_reply_has_a_hundred_thousand_probabilities_at_most),
    };
    return cmocka_run_group_tests_name("infer", tests, set_up, tear_down);
}

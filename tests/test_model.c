/* SPDX-License-Identifier: Apache-2.0 */
/* The model: exact, readable from its own file, and unreadable from a wrong one. */
#include "tests/check.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>

#include "core/model_format.h"
#include "core/rng.h"
#include "core/train_optimizer.h"

enum { SIZE = 28 * 28, CLASSES = 10, DIM = 32 };

/* Profile T with drawn weights. */
static int set_up(void **state)
{
    struct shape shape;
    struct model *model;
    assert_ok(shape_of_profile("T", CLASSES, &shape));
    assert_ok(model_new(&shape, &model));
    params_start(model->encoder, 1);
    params_start(model->classifier, 2);
    for (size_t i = 0; i < DIM; i++)
        model->projection->projection.matrix[i * DIM + i] = 1;
    strcpy(model->name, "test");
    *state = model;
    return 0;
}

static int tear_down(void **state)
{
    model_free(*state);
    return 0;
}

static void draw_image(uint8_t pixels[SIZE], uint64_t item)
{
    struct rng rng = rng_at(1, RNG_TEST, 1, item);
    for (size_t i = 0; i < SIZE; i++)
        pixels[i] = (uint8_t)rng_below(&rng, 256);
}

static void draw_hits(const struct model *model, struct hit *hits, size_t n)
{
    struct scratch *scratch = scratch_new(model);
    uint8_t pixels[SIZE];
    for (size_t i = 0; i < n; i++) {
        hits[i] = (struct hit){.similarity = .9f - .1f * (float)i, .label = i % CLASSES};
        draw_image(pixels, 100 + i);
        model_key(model, scratch, pixels, &hits[i].key);
    }
    scratch_free(scratch);
}

static void a_key_has_length_1_and_uses_all_of_its_range(void **state)
{
    const struct model *model = *state;
    struct scratch *scratch = scratch_new(model);
    uint8_t pixels[SIZE];
    for (uint64_t image = 0; image < 20; image++) {
        struct key key;
        double square = 0;
        int most = 0;
        draw_image(pixels, image);
        model_key(model, scratch, pixels, &key);
        for (size_t i = 0; i < KEY_DIM_MAX; i++) {
            square += pow(key.q[i] * (double)key.scale, 2);
            most = abs(key.q[i]) > most ? abs(key.q[i]) : most;
            assert_true(i < DIM || key.q[i] == 0);
        }
        assert_float_equal(square, 1, .02);
        assert_int_equal(most, 127);
    }
    scratch_free(scratch);
}

static void an_inverted_model_sees_the_negative(void **state)
{
    struct model *model = *state;
    struct scratch *scratch = scratch_new(model);
    struct key key, inverted;
    uint8_t pixels[SIZE];
    draw_image(pixels, 1);
    model_key(model, scratch, pixels, &key);
    scratch_free(scratch);
    model->shape.inverted = true;
    scratch = scratch_new(model);
    model_key(model, scratch, pixels, &inverted);
    assert_memory_not_equal(&key, &inverted, sizeof key);
    for (size_t i = 0; i < SIZE; i++)
        pixels[i] = 255 - pixels[i];
    model_key(model, scratch, pixels, &inverted);
    assert_memory_equal(&key, &inverted, sizeof key);
    scratch_free(scratch);
}

static void components_are_rounded_half_to_even(void **state)
{
    const struct model *model = *state;
    const float z[DIM] = {127, .5f, 1.5f, -.5f, -2.5f, 2.5f, .51f}; /* scale cancels */
    const int8_t want[] = {127, 0, 2, 0, -2, 2, 1};
    struct key key;
    model_quantise(model, z, &key);
    assert_memory_equal(key.q, want, sizeof want);
}

static void an_encoder_that_says_nothing_makes_a_null_key(void **state)
{
    const struct model *model = *state;
    const float z[DIM] = {0};
    struct key key;
    model_quantise(model, z, &key);
    assert_float_equal(key.scale, 0, 0);
    for (size_t i = 0; i < KEY_DIM_MAX; i++)
        assert_int_equal(key.q[i], 0);
}

static void probabilities_sum_to_one_however_many_hits_there_are(void **state)
{
    const struct model *model = *state;
    struct scratch *scratch = scratch_new(model);
    struct hit hits[HITS_MAX];
    uint8_t pixels[SIZE];
    float p[CLASSES];
    draw_image(pixels, 1);
    draw_hits(model, hits, HITS_MAX);
    for (size_t n = 0; n <= HITS_MAX; n += n < 6 ? 1 : 29) {
        double sum = 0;
        model_predict(model, scratch, pixels, hits, n, NULL, p);
        for (size_t c = 0; c < CLASSES; c++)
            sum += p[c];
        assert_float_equal(sum, 1, 1e-5);
    }
    scratch_free(scratch);
}

/* "The image pathway is the same whatever the memory holds." */
static void the_null_pass_does_not_know_the_memory(void **state)
{
    const struct model *model = *state;
    struct scratch *scratch = scratch_new(model);
    struct hit hits[4];
    uint8_t pixels[SIZE];
    float with[5 * CLASSES], without[5 * CLASSES];
    draw_image(pixels, 1);
    draw_hits(model, hits, 4);
    model_passes(model, scratch, pixels, hits, 4, NULL, with);
    model_passes(model, scratch, pixels, NULL, 0, NULL, without);
    assert_memory_equal(with, without, CLASSES * sizeof *with);
    assert_memory_not_equal(with + CLASSES, without + CLASSES, CLASSES * sizeof *with);
    for (size_t i = CLASSES; i < 5 * CLASSES; i++) /* a missing hit is the null token */
        assert_float_equal(without[i], without[i % CLASSES], 1e-5);
    scratch_free(scratch);
}

static void a_pass_knows_its_own_hit_alone(void **state)
{
    const struct model *model = *state;
    struct scratch *scratch = scratch_new(model);
    struct hit hits[4];
    uint8_t pixels[SIZE];
    float before[5 * CLASSES], after[5 * CLASSES];
    draw_image(pixels, 1);
    draw_hits(model, hits, 4);
    model_passes(model, scratch, pixels, hits, 4, NULL, before);
    hits[1].label = 7;
    hits[1].similarity = .1f;
    model_passes(model, scratch, pixels, hits, 4, NULL, after);
    for (size_t pass = 0; pass < 5; pass++)
        assert_true((pass == 2) ==
                    (memcmp(before + pass * CLASSES, after + pass * CLASSES,
                            CLASSES * sizeof *before) != 0));
    scratch_free(scratch);
}

static void a_memory_only_pass_does_not_know_the_image(void **state)
{
    const struct model *model = *state;
    struct scratch *scratch = scratch_new_for(model, 2, true);
    struct hit hits[2];
    uint8_t pixels[SIZE];
    float one[5 * CLASSES], other[5 * CLASSES];
    draw_hits(model, hits, 2);
    draw_image(pixels, 1);
    model_passes(model, scratch, pixels, hits, 2, NULL, one);
    draw_image(pixels, 2);
    model_passes(model, scratch, pixels, hits, 2, NULL, other);
    assert_memory_not_equal(one, other, 3 * CLASSES * sizeof *one);
    assert_memory_equal(one + 3 * CLASSES, other + 3 * CLASSES,
                        2 * CLASSES * sizeof *one);
    scratch_free(scratch);
}

static void answers_are_mixed_as_calibrated(void **state)
{
    struct model *model = *state;
    const float p[] = {.5f, .25f, .125f}; /* of one label: null, hit 1, hit 2 */
    struct hit hits[2] = {{.similarity = .9f}, {.similarity = .4f}};
    struct model_info info = model->info;
    double w = 1 / (1 + exp(-.5 / .25)); /* softmax of .9 / .25 and .4 / .25 */
    float mixed;
    info.k = 2;
    info.lambda = .25f;
    info.tau_mix = .25f;
    model_mix(&info, p, 1, hits, 2, &mixed);
    assert_float_equal(mixed, .25 * .5 + .75 * (w * .25 + (1 - w) * .125), 1e-6);
    model_mix(&info, p, 1, hits, 1, &mixed);
    assert_float_equal(mixed, .25 * .5 + .75 * .25, 1e-6);
    info.aggregation = AGGREGATE_MEAN;
    model_mix(&info, p, 1, hits, 2, &mixed);
    assert_float_equal(mixed, .25 * .5 + .75 * (.25 + .125) / 2, 1e-6);
    info.aggregation = AGGREGATE_RANK; /* 1 to 1/2 */
    model_mix(&info, p, 1, hits, 2, &mixed);
    assert_float_equal(mixed, .25 * .5 + .75 * (2 * .25 + .125) / 3, 1e-6);
}

/* What several threads compute at a time, on a scratch each. */
struct asker {
    const struct model *model;
    const struct hit *hits;
    struct key key[8];
    float p[8][CLASSES];
};

static void ask(struct asker *a, size_t image, struct scratch *scratch)
{
    uint8_t pixels[SIZE];
    draw_image(pixels, image);
    model_key(a->model, scratch, pixels, &a->key[image]);
    model_predict(a->model, scratch, pixels, a->hits, 4, NULL, a->p[image]);
}

static void *ask_backwards(void *context)
{
    struct asker *a = context;
    struct scratch *scratch = scratch_new(a->model);
    for (int round = 0; round < 20; round++)
        for (size_t image = 8; image-- > 0;) {
            ask(a, image, scratch);
            scratch_wipe(scratch);
            if (round % 8 == 0)
                model_scrub(a->model);
        }
    scratch_free(scratch);
    return NULL;
}

/* docs/MODEL.md, "Exactness": never what else is computed before, beside or after. */
static void bits_depend_on_image_and_hits_alone(void **state)
{
    const struct model *model = *state;
    struct hit hits[4];
    struct asker alone = {.model = model, .hits = hits}, crowd[3];
    pthread_t thread[3];
    draw_hits(model, hits, 4);
    for (size_t image = 0; image < 8; image++) {
        struct scratch *scratch = scratch_new(model);
        ask(&alone, image, scratch);
        scratch_free(scratch);
    }
    for (size_t i = 0; i < 3; i++) {
        crowd[i] = (struct asker){.model = model, .hits = hits};
        assert_int_equal(pthread_create(&thread[i], NULL, ask_backwards, &crowd[i]), 0);
    }
    for (size_t i = 0; i < 3; i++) {
        pthread_join(thread[i], NULL);
        assert_memory_equal(crowd[i].key, alone.key, sizeof alone.key);
        assert_memory_equal(crowd[i].p, alone.p, sizeof alone.p);
    }
}

static void format_model(const struct model *model, void **ret_bytes, size_t *ret_len)
{
    const struct model_origin origin = {
        .command = "munkey-train", .b1 = {0, 10}, .b2 = {10, 25}, .val = {25, 30}};
    assert_ok(model_format(model, &origin, ret_bytes, ret_len));
}

static void a_model_read_from_its_file_is_the_same(void **state)
{
    struct model *model = *state, *read;
    struct asker written = {.model = model}, again;
    struct hit hits[4];
    void *bytes, *bytes_again;
    size_t len, len_again;
    model->info.k = 4;
    model->info.lambda = 1 / 3.f;
    model->info.tau_mix = .07f;
    model->info.aggregation = AGGREGATE_RANK;
    model->info.by_subject = true;
    model->info.n_public = 1;
    model->info.seed = 3;
    memset(model->info.encoder_sha256, 0xe5, 32);
    format_model(model, &bytes, &len);
    assert_ok(model_parse(bytes, len, &read));
    const struct model_info *info = model_info(read);
    assert_string_equal(info->name, "test");
    assert_string_equal(info->labels[9], "9");
    assert_int_equal(info->n_seen, 3);
    assert_int_equal(info->aggregation, AGGREGATE_RANK);
    assert_int_equal(info->seen[1].end, 25);
    assert_true(info->by_subject);
    assert_int_equal(info->seed, 3);
    assert_int_equal(model_class_of(info, 9), CLASS_PUBLIC);
    assert_int_equal(model_class_of(info, 10), CLASS_TRAINED);
    assert_int_equal(model_class_of(info, 29), CLASS_TRAINED);
    assert_int_equal(model_class_of(info, 30), CLASS_EXACT);
    assert_memory_equal(info->encoder_sha256, model->info.encoder_sha256, 32);
    format_model(read, &bytes_again, &len_again);
    assert_int_equal(len, len_again);
    assert_memory_equal(bytes, bytes_again, len);
    draw_hits(model, hits, 4);
    written.hits = hits;
    again = written;
    again.model = read;
    struct scratch *scratch = scratch_new(model);
    ask(&written, 1, scratch);
    ask(&again, 1, scratch);
    assert_memory_equal(written.p[1], again.p[1], sizeof written.p[1]);
    scratch_free(scratch);
    model_free(read);
    free(bytes);
    free(bytes_again);
}

static void encoder_bytes_change_with_the_encoder_and_nothing_else(void **state)
{
    struct model *model = *state;
    void *before, *after;
    size_t len;
    assert_ok(model_encoder_bytes(model, &before, &len));
    assert_int_equal(len, (model->encoder->n + model->projection->n) * sizeof(float));
    model->classifier->values[0] += 1;
    assert_ok(model_encoder_bytes(model, &after, &len));
    assert_memory_equal(before, after, len);
    free(after);
    model->projection->values[model->projection->n - 1] += 1;
    assert_ok(model_encoder_bytes(model, &after, &len));
    assert_memory_not_equal(before, after, len);
    free(after);
    free(before);
}

/* Each: a part of a good file's header, what of equal length takes its place, and why
 * that cannot be. */
static const struct wrong {
    const char *good, *wrong, *why;
} wrong[] = {
    {"munkey-model-1", "munkey-model-2", "format"},
    {"\"format\"", "\"Format\"", "lacks \"format\""},
    {"\"d\":\"32\"", "\"d\":\"64\"", "not of shape"},
    {"\"d\":\"32\"", "\"d\":\"31\"", "multiple of \"heads\"|\"key_dim\""},
    {"\"height\":\"28\"", "\"height\":\"-8\"", "\"height\" is a number"},
    {"\"height\":\"28\"", "\"height\":\"03\"", "\"height\" is a number from 4 to 1024"},
    {"\"stem\":\"16\"", "\"stem\":\"0x\"", "\"stem\" is 1 to 3 numbers"},
    {"\"classes\":\"10\"", "\"classes\":\"11\"", "labels is a JSON list of 11"},
    {"\"classes\":\"10\"", "\"classes\":\"-1\"", "\"classes\" is a number"},
    {"\"attention\":\"asym\"", "\"attention\":\"some\"", "\"attention\" is asym or sym"},
    {"\"label_set\":\"closed\"", "\"label_set\":\"ajar!!\"",
     "\"label_set\" is closed or open"},
    {"\"label_set\":\"closed\"", "\"label_set\":\"open\"  ",
     "of open labels is 64, not 16"},
    {"\"aggregation\":\"softmax\"", "\"aggregation\":\"minimum\"", "\"aggregation\" is"},
    {"\"own_tokens\":\"0\"", "\"own_tokens\":\"x\"", "\"own_tokens\" is a number"},
    {"\"k\":\"4\"", "\"k\":\"0\"", "\"k\" is a number"},
    {"\"k\":\"4\"", "\"k\":\"x\"", "\"k\" is a number"},
    {"\"lambda\":\"0.5\"", "\"lambda\":\"1.5\"", "\"lambda\" is a number"},
    {"\"lambda\":\"0.5\"", "\"lambda\":\"nan\"", "\"lambda\" is a number"},
    {"\"tau_mix\":\"1\"", "\"tau_mix\":\"0\"", "\"tau_mix\" is a number"},
    {"\"b2\":\"10-25\"", "\"b2\":\"25-10\"", "\"b2\" is a range"},
    {"\"b2\":\"10-25\"", "\"b2\":\"10+25\"", "\"b2\" is a range"},
    {"\"name\":\"test\"", "\"Name\":\"test\"", "lacks \"name\""},
    {"\"data_sha256\":\"00", "\"data_sha256\":\"0g", "\"data_sha256\" is 64"},
    {"\"encoder_sha256\":\"00", "\"encoder_sha256\":\"0 ", "\"encoder_sha256\" is 64"},
    {"\"pca.mean\"", "\"pca.meen\"", "\"pca.mean\" is missing"},
    {"\"encoder.null\":{\"dtype\":\"F32\",\"shape\":[32]",
     "\"encoder.nul\" :{\"dtype\":\"F32\",\"shape\":[32]", "\"encoder.null\" is missing"},
    {"\"pca.matrix\":{\"dtype\":\"F32\",\"shape\":[32,32]",
     "\"pca.matrix\":{\"dtype\":\"F32\",\"shape\":[64,16]", "not of shape [32, 32]"},
};

/* why may name two reasons of which one is enough. */
static bool says(const char *sentence, const char *why)
{
    char first[64];
    const char *bar = strchr(why, '|');
    snprintf(first, sizeof first, "%.*s", bar ? (int)(bar - why) : 63, why);
    return strstr(sentence, first) || (bar && strstr(sentence, bar + 1));
}

static void a_wrong_model_file_is_refused_with_its_reason(void **state)
{
    void *bytes;
    size_t len;
    format_model(*state, &bytes, &len);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct model *model = NULL;
        char *copy = malloc(len), *at;
        memcpy(copy, bytes, len);
        assert_int_equal(strlen(wrong[i].good), strlen(wrong[i].wrong));
        at = memmem(copy, len, wrong[i].good, strlen(wrong[i].good));
        assert_non_null(at);
        memcpy(at, wrong[i].wrong, strlen(wrong[i].wrong));
        assert_int_equal(model_parse(copy, len, &model), MK_EINPUT);
        if (!says(err_why(), wrong[i].why))
            print_error("%s: \"%s\"\n", wrong[i].wrong, err_why());
        assert_true(says(err_why(), wrong[i].why));
        free(copy);
    }
    free(bytes);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(a_key_has_length_1_and_uses_all_of_its_range),
        FRESH(an_inverted_model_sees_the_negative),
        FRESH(components_are_rounded_half_to_even),
        FRESH(an_encoder_that_says_nothing_makes_a_null_key),
        FRESH(probabilities_sum_to_one_however_many_hits_there_are),
        FRESH(the_null_pass_does_not_know_the_memory),
        FRESH(a_pass_knows_its_own_hit_alone),
        FRESH(a_memory_only_pass_does_not_know_the_image),
        FRESH(answers_are_mixed_as_calibrated),
        FRESH(bits_depend_on_image_and_hits_alone),
        FRESH(a_model_read_from_its_file_is_the_same),
        FRESH(encoder_bytes_change_with_the_encoder_and_nothing_else),
        FRESH(a_wrong_model_file_is_refused_with_its_reason),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The plain classifier: the same bits as an encoder's training, on any list of rows. */
#include "tests/check.h"

#include "core/train.h"
#include "tests/stripes.h"

static bool go_on(void *context, const struct train_news *news)
{
    (void)context;
    (void)news;
    return true;
}

static void compare_with_an_encoder(bool upright)
{
    struct plain_plan plan = stripes_plan(1, 2);
    struct row_list b1 = stripes_rows(50, 200);
    struct train_plan whole = {.shape = plan.shape,
                               .b1 = {50, 200},
                               .b2 = {200, 380},
                               .val = {380, 400},
                               .seed = plan.seed,
                               .threads = 2,
                               .steps_encoder = plain_steps(&plan, b1.n),
                               .steps_fusion = 1,
                               .batch = plan.batch,
                               .rate = plan.rate,
                               .method = train_method_default};
    struct trainer *trainer;
    whole.method.upright = plan.upright = upright;
    assert_ok(trainer_new(&whole, &stripes, &trainer));
    assert_int_equal(trainer_run(trainer, go_on, NULL), 0);
    struct params *params = stripes_trained(&plan, b1);
    assert_same_params(params, trainer_model(trainer)->encoder);
    params_free(params);
    trainer_free(trainer);
}

static void it_is_bit_for_bit_what_training_makes_of_an_encoder(void **state)
{
    (void)state;
    compare_with_an_encoder(false);
    compare_with_an_encoder(true);
}

static void threads_do_not_change_it_and_rows_do(void **state)
{
    (void)state;
    struct plain_plan one = stripes_plan(1, 2), three = stripes_plan(3, 2);
    struct params *a = stripes_trained(&one, stripes_rows(0, 60));
    struct params *b = stripes_trained(&three, stripes_rows(0, 60));
    struct params *c = stripes_trained(&one, stripes_rows(1, 61));
    assert_same_params(a, b);
    assert_memory_not_equal(a->values, c->values, a->n * sizeof *a->values);
    params_free(a);
    params_free(b);
    params_free(c);
}

static void it_learns_the_rows_of_its_list_and_no_others(void **state)
{
    (void)state;
    struct plain_plan plan = stripes_plan(2, 40);
    uint32_t rows[STRIPES];
    struct row_list list = {rows, 0};
    for (uint32_t row = 0; row < 200; row++)
        if (stripes_labels[row] != 3)
            rows[list.n++] = row;
    struct params *params = stripes_trained(&plan, list);
    struct row_list test = stripes_rows(200, 400);
    float p[200 * STRIPES_CLASSES];
    assert_ok(plain_probabilities(params, &stripes, test, 2, p));
    for (size_t i = 0; i < test.n; i++) {
        uint32_t label = stripes_labels[test.row[i]];
        const float *of_row = p + i * STRIPES_CLASSES;
        assert_true(label == 3 ? of_row[label] < .1f : of_row[label] > .5f);
        assert_true(fabsf(of_row[0] + of_row[1] + of_row[2] + of_row[3] - 1) < 1e-5f);
    }
    params_free(params);
}

static void answers_do_not_depend_on_threads_nor_on_their_company(void **state)
{
    (void)state;
    struct plain_plan plan = stripes_plan(1, 1);
    struct params *params = stripes_trained(&plan, stripes_rows(0, 60));
    float all[50 * STRIPES_CLASSES], other[50 * STRIPES_CLASSES], one[STRIPES_CLASSES];
    assert_ok(plain_probabilities(params, &stripes, stripes_rows(100, 150), 1, all));
    assert_ok(plain_probabilities(params, &stripes, stripes_rows(100, 150), 3, other));
    assert_ok(plain_probabilities(params, &stripes, stripes_rows(120, 121), 1, one));
    assert_memory_equal(all, other, sizeof all);
    assert_memory_equal(all + 20 * STRIPES_CLASSES, one, sizeof one);
    params_free(params);
}

static void a_file_gives_the_same_classifier_back(void **state)
{
    (void)state;
    struct plain_plan plan = stripes_plan(1, 1);
    struct params *params = stripes_trained(&plan, stripes_rows(0, 60)), *again;
    void *bytes;
    size_t len;
    assert_ok(plain_format(params, &bytes, &len));
    assert_ok(plain_parse(&plan.shape, PARAMS_ENCODER, bytes, len, &again));
    assert_same_params(params, again);
    params_free(again);
    plan.shape.layers = 1; /* so that some tensors have no place */
    assert_int_equal(plain_parse(&plan.shape, PARAMS_ENCODER, bytes, len, &again),
                     MK_EINPUT);
    plan.shape.layers = params->shape.layers;
    plan.shape.d = 48;
    assert_int_equal(plain_parse(&plan.shape, PARAMS_ENCODER, bytes, len, &again),
                     MK_EINPUT);
    plan.shape = params->shape;
    assert_int_equal(plain_parse(&plan.shape, PARAMS_CLASSIFIER, bytes, len, &again),
                     MK_EINPUT);
    free(bytes);
    params_free(params);
}

/* Stops at the third step. */
static bool stop(void *context, size_t done, size_t total, double loss)
{
    size_t *calls = context;
    assert_int_equal(total, 4);
    assert_int_equal(done, ++*calls);
    assert_true(loss > 0);
    return done < 3;
}

static void it_stops_when_it_is_told_to(void **state)
{
    (void)state;
    struct plain_plan plan = stripes_plan(1, 2);
    struct params *params;
    size_t calls = 0;
    assert_int_equal(
        plain_train(&plan, &stripes, stripes_rows(0, 60), stop, &calls, &params), 1);
    assert_int_equal(calls, 3);
}

static void what_cannot_be_trained_is_refused(void **state)
{
    (void)state;
    const struct plain_plan good = stripes_plan(1, 1);
    struct plain_plan plan = good;
    struct params *params;
    uint32_t beyond[] = {STRIPES};
#define REFUSED(rows)                                                                    \
    assert_int_equal(plain_train(&plan, &stripes, rows, NULL, NULL, &params), MK_EINPUT)
    REFUSED(stripes_rows(0, 0));
    REFUSED(((struct row_list){beyond, 1}));
    assert_non_null(strstr(err_why(), "the images have rows"));
    plan.batch = 12;
    REFUSED(stripes_rows(0, 60));
    plan = good;
    plan.threads = 0;
    REFUSED(stripes_rows(0, 60));
    plan = good;
    plan.epochs = 0;
    REFUSED(stripes_rows(0, 60));
    plan = good;
    plan.shape.classes = 2;
    REFUSED(stripes_rows(0, 60));
    plan = good;
    plan.shape.height = 24;
    REFUSED(stripes_rows(0, 60));
#undef REFUSED
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_bit_for_bit_what_training_makes_of_an_encoder),
        cmocka_unit_test(threads_do_not_change_it_and_rows_do),
        cmocka_unit_test(it_learns_the_rows_of_its_list_and_no_others),
        cmocka_unit_test(answers_do_not_depend_on_threads_nor_on_their_company),
        cmocka_unit_test(a_file_gives_the_same_classifier_back),
        cmocka_unit_test(it_stops_when_it_is_told_to),
        cmocka_unit_test(what_cannot_be_trained_is_refused),
    };
    return cmocka_run_group_tests_name("plain", tests, stripes_draw, NULL);
}

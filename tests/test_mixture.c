/* SPDX-License-Identifier: Apache-2.0 */
/* Votes of nearest keys, by hand. */
#include "tests/check.h"

#include <math.h>

#include "core/mixture.h"
#include "core/rng.h"

enum { DIM = 8, KEYS = 40, CLASSES = 3 };

static struct key keys[KEYS];
static uint32_t labels[KEYS];

/* Key i has length 1 and lies near the axis of its label. */
static int draw_keys(void **state)
{
    (void)state;
    struct rng rng = rng_at(1, RNG_TEST, 0, 0);
    for (size_t i = 0; i < KEYS; i++) {
        double square = 0;
        labels[i] = (uint32_t)(i % CLASSES);
        for (size_t c = 0; c < DIM; c++) {
            keys[i].q[c] = (int8_t)((int)rng_below(&rng, 61) - 30);
            if (c == labels[i])
                keys[i].q[c] = 127;
            square += keys[i].q[c] * keys[i].q[c];
        }
        keys[i].scale = (float)(1 / sqrt(square));
    }
    keys[7] = keys[4]; /* a copy */
    return 0;
}

static const struct key_bank bank = {keys, labels, KEYS, DIM};

static float similarity(size_t i, size_t j)
{
    int dot = 0;
    for (size_t c = 0; c < DIM; c++)
        dot += keys[i].q[c] * keys[j].q[c];
    return (float)dot * keys[i].scale * keys[j].scale;
}

static void neighbours_of_another_query_are_the_nearest_of_all(void **state)
{
    (void)state;
    struct near near[MIXTURE_K];
    assert_ok(mixture_nearest(&bank, &keys[4], 1, false, 1, near));
    assert_true(fabsf(near[0].similarity - 1) < 1e-5f);
    assert_true(near[1].similarity == near[0].similarity); /* its copy */
    for (size_t j = 0; j < MIXTURE_K; j++) {
        size_t nearer = 0;
        for (size_t i = 0; i < KEYS; i++)
            nearer += similarity(4, i) > near[j].similarity + 1e-6f;
        assert_in_range(nearer, j ? j - 1 : 0, j);
    }
}

static void left_out_are_the_query_itself_and_its_copies(void **state)
{
    (void)state;
    struct near near[KEYS * MIXTURE_K], other[MIXTURE_K];
    assert_ok(mixture_nearest(&bank, keys, KEYS, true, 2, near));
    for (size_t i = 0; i < KEYS; i++)
        assert_true(near[i * MIXTURE_K].similarity < .999f);
    assert_ok(mixture_nearest(&bank, &keys[10], 1, false, 1, other));
    assert_memory_equal(near + 10 * MIXTURE_K, other + 1,
                        (MIXTURE_K - 1) * sizeof *other);
}

static void what_is_deleted_is_found_no_more(void **state)
{
    (void)state;
    struct key_bank few = {keys, labels, 2, DIM}, none = {keys, labels, 0, DIM};
    struct near near[MIXTURE_K];
    float p[] = {.5f, .25f, .25f}, mixed[CLASSES], vote[CLASSES];
    assert_ok(mixture_nearest(&few, &keys[4], 1, false, 1, near));
    assert_int_equal(near_count(near, MIXTURE_K), 2);
    assert_int_equal(near[2].label, NO_LABEL);
    assert_ok(mixture_nearest(&none, &keys[4], 1, false, 1, near));
    assert_int_equal(near_count(near, MIXTURE_K), 0);
    struct mixture mixture = {.7f, .1f};
    mixture_answer(&mixture, p, near, CLASSES, mixed);
    assert_memory_equal(mixed, p, sizeof p);
    knn_vote(near, MIXTURE_K, CLASSES, vote);
    for (size_t c = 0; c < CLASSES; c++)
        assert_true(vote[c] == 1.f / CLASSES);
}

static const struct near three[MIXTURE_K] = {
    {1, .9f}, {0, .6f}, {1, .1f}, {NO_LABEL, 0}, {2, 1}};

static void each_neighbour_votes_with_its_similarity(void **state)
{
    (void)state;
    float p[CLASSES];
    knn_vote(three, MIXTURE_K, CLASSES, p);
    assert_true(fabsf(p[0] - .6f / 1.6f) < 1e-6f);
    assert_true(fabsf(p[1] - 1 / 1.6f) < 1e-6f);
    assert_true(p[2] == 0);
    knn_vote(three, 1, CLASSES, p);
    assert_true(p[0] == 0 && p[1] == 1);
    const struct near opposite[] = {{1, .5f}, {0, -.5f}, {NO_LABEL, 0}};
    knn_vote(opposite, 3, CLASSES, p);
    assert_true(p[0] == 0 && p[1] == 1);
}

static void a_mixture_without_lambda_is_the_classifier_bit_for_bit(void **state)
{
    (void)state;
    const struct mixture none = {0, .1f};
    const float p[CLASSES] = {.1234567f, .7654321f, .1111112f};
    float mixed[CLASSES];
    mixture_answer(&none, p, three, CLASSES, mixed);
    assert_memory_equal(mixed, p, sizeof p);
}

static void a_mixture_weighs_neighbours_by_a_softmax(void **state)
{
    (void)state;
    const struct mixture mixture = {.4f, .5f};
    const float p[CLASSES] = {.2f, .2f, .6f};
    float mixed[CLASSES];
    double w[] = {exp(.9 / .5), exp(.6 / .5), exp(.1 / .5)}, sum = w[0] + w[1] + w[2];
    mixture_answer(&mixture, p, three, CLASSES, mixed);
    assert_true(fabs(mixed[0] - (.6 * .2 + .4 * w[1] / sum)) < 1e-6);
    assert_true(fabs(mixed[1] - (.6 * .2 + .4 * (w[0] + w[2]) / sum)) < 1e-6);
    assert_true(fabs(mixed[2] - .6 * .6) < 1e-6);
}

/* 30 rows whose classifier is right where say is, and whose one neighbour is where near is. */
static struct mixture fitted(bool classifier, bool neighbour, double *ret_loss)
{
    float p[30 * CLASSES];
    struct near near[30 * MIXTURE_K];
    uint32_t truth[30];
    for (uint32_t i = 0; i < 30; i++) {
        truth[i] = i % CLASSES;
        for (uint32_t c = 0; c < CLASSES; c++)
            p[i * CLASSES + c] = !classifier ? 1.f / CLASSES : c == truth[i] ? .9f : .05f;
        near[i * MIXTURE_K] =
            (struct near){neighbour ? truth[i] : (truth[i] + 1) % CLASSES, .8f};
        near[i * MIXTURE_K + 1].label = NO_LABEL;
    }
    struct mixture mixture;
    *ret_loss = mixture_fit(p, near, truth, 30, CLASSES, &mixture);
    return mixture;
}

static void a_fit_trusts_whoever_is_right(void **state)
{
    (void)state;
    double loss;
    assert_true(fitted(true, false, &loss).lambda == 0);
    assert_true(fabs(loss + log(.9)) < 1e-6);
    assert_true(fitted(false, true, &loss).lambda == 1);
    assert_true(fabs(loss) < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_of_another_query_are_the_nearest_of_all),
        cmocka_unit_test(left_out_are_the_query_itself_and_its_copies),
        cmocka_unit_test(what_is_deleted_is_found_no_more),
        cmocka_unit_test(each_neighbour_votes_with_its_similarity),
        cmocka_unit_test(a_mixture_without_lambda_is_the_classifier_bit_for_bit),
        cmocka_unit_test(a_mixture_weighs_neighbours_by_a_softmax),
        cmocka_unit_test(a_fit_trusts_whoever_is_right),
    };
    return cmocka_run_group_tests_name("mixture", tests, draw_keys, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The retrieval-augmented classifier: it reads its neighbours, and only those that are there. */
#include "tests/check.h"

#include "core/rac.h"
#include "core/rac_head.h"
#include "tests/stripes.h"

enum { TRAINED = 200 };

static struct near near[STRIPES * MIXTURE_K];

/* Every row has three neighbours of its own label, and one of the next. */
static int set_up(void **state)
{
    stripes_draw(state);
    for (size_t row = 0; row < STRIPES; row++) {
        struct near *of_row = near + row * MIXTURE_K;
        for (uint32_t j = 0; j < MIXTURE_K; j++)
            of_row[j] = (struct near){NO_LABEL, 0};
        for (uint32_t j = 0; j < 4; j++)
            of_row[j] =
                (struct near){(stripes_labels[row] + j / 3) % STRIPES_CLASSES, .9f};
    }
    return 0;
}

static struct rac *trained(const struct plain_plan *plan, enum rac_mode mode,
                           const struct params *start)
{
    struct rac *rac;
    assert_int_equal(rac_train(plan, mode, start, &stripes, stripes_rows(0, TRAINED),
                               near, NULL, NULL, &rac),
                     0);
    return rac;
}

/* A net that knows nothing yet. */
static struct params *blank(const struct plain_plan *plan)
{
    struct params *params;
    assert_ok(params_new(&plan->shape, PARAMS_ENCODER, &params));
    return params;
}

/* Share of the rows from TRAINED on whose answer is their label plus shift. */
static double answered(const struct rac *rac, const struct near *of_rows, uint32_t shift)
{
    enum { N = STRIPES - TRAINED };
    static float p[N * STRIPES_CLASSES];
    struct row_list rows = stripes_rows(TRAINED, STRIPES);
    size_t right = 0;
    assert_ok(rac_probabilities(rac, &stripes, rows, of_rows, 2, p));
    for (size_t i = 0; i < N; i++) {
        const float *of_row = p + i * STRIPES_CLASSES;
        uint32_t best = 0;
        for (uint32_t c = 1; c < STRIPES_CLASSES; c++)
            best = of_row[c] > of_row[best] ? c : best;
        right += best == (stripes_labels[rows.row[i]] + shift) % STRIPES_CLASSES;
    }
    return (double)right / N;
}

/* f is zero, so that what the answer knows it has read. */
static void it_answers_from_its_neighbours_while_they_are_there(void **state)
{
    (void)state;
    struct plain_plan plan = stripes_plan(2, 30);
    struct params *start = blank(&plan);
    struct rac *rac = trained(&plan, RAC_FROZEN, start);
    static struct near others[(STRIPES - TRAINED) * MIXTURE_K],
        none[(STRIPES - TRAINED) * MIXTURE_K];
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        struct near n = near[TRAINED * MIXTURE_K + i];
        none[i] = (struct near){NO_LABEL, 0};
        others[i] = n;
        if (n.label != NO_LABEL)
            others[i].label = (n.label + 1) % STRIPES_CLASSES;
    }
    assert_true(answered(rac, near + TRAINED * MIXTURE_K, 0) > .99);
    assert_true(answered(rac, others, 1) > .99);
    assert_true(answered(rac, none, 0) < .5);
    params_free(start);
    rac_free(rac);
}

/* With nothing to go by, the answer of least loss is how frequent the labels are, smoothed. */
static void without_anything_to_read_it_answers_with_the_labels_shares(void **state)
{
    (void)state;
    struct plain_plan plan = stripes_plan(2, 60);
    struct params *start = blank(&plan);
    static struct near none[TRAINED * MIXTURE_K];
    float p[STRIPES_CLASSES];
    struct rac *rac;
    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        none[i] = (struct near){NO_LABEL, 0};
    assert_int_equal(rac_train(&plan, RAC_FROZEN, start, &stripes,
                               stripes_rows(0, TRAINED), none, NULL, NULL, &rac),
                     0);
    assert_ok(rac_probabilities(rac, &stripes, stripes_rows(300, 301), none, 1, p));
    for (uint32_t c = 0; c < STRIPES_CLASSES; c++) {
        size_t n = 0;
        for (size_t row = 0; row < TRAINED; row++)
            n += stripes_labels[row] == c;
        assert_true(fabs(p[c] - (.9 * (double)n / TRAINED + .1 / STRIPES_CLASSES)) <
                    .002);
    }
    params_free(start);
    rac_free(rac);
}

static void a_frozen_net_stays_as_it_is(void **state)
{
    (void)state;
    struct plain_plan plan = stripes_plan(2, 2);
    struct params *start = stripes_trained(&plan, stripes_rows(0, TRAINED));
    struct rac *frozen = trained(&plan, RAC_FROZEN, start),
               *joint = trained(&plan, RAC_JOINT, start);
    assert_same_params(frozen->f, start);
    assert_memory_not_equal(joint->f->values, start->values,
                            start->n * sizeof *start->values);
    params_free(start);
    rac_free(frozen);
    rac_free(joint);
}

static void joint_training_learns_from_images_too(void **state)
{
    (void)state;
    struct plain_plan plan = stripes_plan(2, 30);
    struct near none[TRAINED * MIXTURE_K];
    struct rac *rac;
    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        none[i] = (struct near){NO_LABEL, 0};
    assert_int_equal(rac_train(&plan, RAC_JOINT, NULL, &stripes, stripes_rows(0, TRAINED),
                               none, NULL, NULL, &rac),
                     0);
    assert_true(answered(rac, none, 0) > .9);
    rac_free(rac);
}

static void threads_do_not_change_it(void **state)
{
    (void)state;
    struct plain_plan plan = stripes_plan(1, 2);
    struct rac *one = trained(&plan, RAC_JOINT, NULL);
    plan.threads = 3;
    struct rac *three = trained(&plan, RAC_JOINT, NULL);
    assert_same_params(one->f, three->f);
    assert_same_params(one->g, three->g);
    rac_free(one);
    rac_free(three);
}

/* Neighbours belong to places in the list, not to rows of the images. */
static void neighbours_follow_the_list_of_rows(void **state)
{
    (void)state;
    struct plain_plan plan = stripes_plan(2, 30);
    struct params *start = blank(&plan);
    uint32_t rows[TRAINED];
    static struct near turned[TRAINED * MIXTURE_K];
    struct rac *rac;
    for (uint32_t i = 0; i < TRAINED; i++) {
        rows[i] = TRAINED - 1 - i;
        memcpy(turned + i * MIXTURE_K, near + rows[i] * MIXTURE_K,
               MIXTURE_K * sizeof *turned);
    }
    assert_int_equal(rac_train(&plan, RAC_FROZEN, start, &stripes,
                               (struct row_list){rows, TRAINED}, turned, NULL, NULL,
                               &rac),
                     0);
    assert_true(answered(rac, near + TRAINED * MIXTURE_K, 0) > .99);
    params_free(start);
    rac_free(rac);
}

static void what_it_reads_is_a_histogram_and_similarities(void **state)
{
    (void)state;
    const struct near list[MIXTURE_K] = {{1, .9f}, {0, .6f}, {1, .3f}, {NO_LABEL, 0}};
    const float want[STRIPES_CLASSES + RETRIEVED_K] = {.125f, .25f, 0, 0, .9f, .6f, .3f};
    float x[STRIPES_CLASSES + RETRIEVED_K];
    memset(x, 1, sizeof x);
    rac_head_read(list, STRIPES_CLASSES, x);
    assert_memory_equal(x, want, sizeof x);
}

static bool stop(void *context, size_t done, size_t total, double loss)
{
    (void)context;
    (void)loss;
    return done < total - 1;
}

static void it_stops_and_refuses_like_a_plain_classifier(void **state)
{
    (void)state;
    struct plain_plan plan = stripes_plan(1, 1), other = plan;
    struct row_list rows = stripes_rows(0, TRAINED);
    other.shape.d = 48;
    struct params *start = blank(&other);
    struct rac *rac;
#define TRAIN(mode, start)                                                               \
    rac_train(&plan, mode, start, &stripes, rows, near, stop, NULL, &rac)
    assert_int_equal(TRAIN(RAC_JOINT, NULL), 1);
    assert_int_equal(TRAIN(RAC_FROZEN, NULL), MK_EINPUT);
    assert_int_equal(TRAIN(RAC_FROZEN, start), MK_EINPUT);
    plan.batch = 12;
    assert_int_equal(TRAIN(RAC_JOINT, NULL), MK_EINPUT);
#undef TRAIN
    params_free(start);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_answers_from_its_neighbours_while_they_are_there),
        cmocka_unit_test(without_anything_to_read_it_answers_with_the_labels_shares),
        cmocka_unit_test(a_frozen_net_stays_as_it_is),
        cmocka_unit_test(joint_training_learns_from_images_too),
        cmocka_unit_test(threads_do_not_change_it),
        cmocka_unit_test(neighbours_follow_the_list_of_rows),
        cmocka_unit_test(what_it_reads_is_a_histogram_and_similarities),
        cmocka_unit_test(it_stops_and_refuses_like_a_plain_classifier),
    };
    return cmocka_run_group_tests_name("rac", tests, set_up, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Post-hoc unlearning on a net that is trained in a second. */
#include "tests/check.h"

#include "core/importance.h"
#include "core/train_optimizer.h"
#include "core/unlearn.h"
#include "tests/stripes.h"

enum { FORGOTTEN = 24, TRAINED = 200 };

static struct params *start;

static struct row_list forget_rows(void)
{
    return stripes_rows(0, FORGOTTEN);
}

static struct row_list retain_rows(void)
{
    return stripes_rows(FORGOTTEN, TRAINED);
}

static int set_up(void **state)
{
    struct plain_plan plan = stripes_plan(2, 40);
    stripes_draw(state);
    start = stripes_trained(&plan, stripes_rows(0, TRAINED));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    params_free(start);
    return 0;
}

/* The first choice of a method, for so many steps of 16 images. */
static struct unlearn_plan plan_of(enum unlearn_method method, size_t budget)
{
    struct unlearn_plan plan = {
        .seed = 3, .threads = 2, .batch = 16, .smoothing = .1, .budget = budget};
    assert_true(unlearn_choose(method, 0, &plan));
    return plan;
}

static struct unlearned unlearned(const struct unlearn_plan *plan)
{
    struct unlearned result;
    assert_int_equal(
        unlearn(start, &stripes, retain_rows(), forget_rows(), plan, NULL, NULL, &result),
        0);
    return result;
}

static double distance(const struct params *a, const struct params *b)
{
    double sum = 0;
    for (size_t i = 0; i < a->n; i++)
        sum += pow((double)a->values[i] - b->values[i], 2);
    return sqrt(sum);
}

static void without_a_budget_every_method_leaves_the_start_as_it_is(void **state)
{
    (void)state;
    for (enum unlearn_method m = 0; m < UNLEARN_METHODS; m++) {
        struct unlearn_plan plan = plan_of(m, 0);
        struct unlearned result = unlearned(&plan);
        assert_same_params(result.params, start);
        assert_int_equal(result.steps + result.gradients + result.passes, 0);
        params_free(result.params);
    }
}

static void threads_change_nothing_and_the_seed_does(void **state)
{
    (void)state;
    for (enum unlearn_method m = 0; m < UNLEARN_METHODS; m++) {
        struct unlearn_plan plan = plan_of(m, 8);
        plan.part = 1;
        struct unlearned two = unlearned(&plan);
        plan.threads = 3;
        struct unlearned three = unlearned(&plan);
        plan.seed++;
        struct unlearned other = unlearned(&plan);
        assert_same_params(two.params, three.params);
        assert_true(distance(two.params, start) > 0);
        assert_true(distance(two.params, other.params) > 0);
        params_free(two.params);
        params_free(three.params);
        params_free(other.params);
    }
}

static void no_method_spends_more_than_its_budget_nor_much_less(void **state)
{
    (void)state;
    for (enum unlearn_method m = 0; m < UNLEARN_METHODS; m++) {
        struct unlearn_plan plan = plan_of(m, 20);
        plan.part = .5;
        struct unlearned result = unlearned(&plan);
        double spent = (double)result.gradients + (double)result.passes / 3;
        assert_true(spent <= 160);
        assert_true(spent > 110);
        params_free(result.params);
    }
}

static void neggrad_raises_the_loss_of_what_is_forgotten(void **state)
{
    (void)state;
    struct unlearn_plan plan = plan_of(UNLEARN_NEGGRAD, 20);
    plan.part = 1;
    plan.rate = 1e-4;
    struct unlearned result = unlearned(&plan);
    assert_true(stripes_loss(result.params, forget_rows()) >
                1.1 * stripes_loss(start, forget_rows()));
    params_free(result.params);
}

/* Rows of D_f that show what D_r shows are hard to forget: so it is one class here. */
static struct row_list of_class(uint32_t label, bool wanted, uint32_t *rows)
{
    struct row_list list = {rows, 0};
    for (uint32_t row = 0; row < TRAINED; row++)
        if ((stripes_labels[row] == label) == wanted)
            rows[list.n++] = row;
    return list;
}

static void finetune_learns_what_is_retained_and_nothing_else(void **state)
{
    (void)state;
    uint32_t rows[2][TRAINED];
    struct row_list forget = of_class(2, true, rows[0]),
                    retain = of_class(2, false, rows[1]);
    struct unlearn_plan plan = plan_of(UNLEARN_FINETUNE, 240);
    struct unlearned result;
    struct params *fresh;
    assert_ok(params_new(&start->shape, PARAMS_ENCODER, &fresh));
    params_start(fresh, 1);
    plan.rate = 2e-3;
    assert_int_equal(unlearn(fresh, &stripes, retain, forget, &plan, NULL, NULL, &result),
                     0);
    assert_int_equal(result.steps, 240);
    assert_int_equal(result.gradients, 240 * 16);
    assert_true(stripes_loss(result.params, retain) < .5 * stripes_loss(fresh, retain));
    assert_true(stripes_loss(result.params, forget) > 2 * stripes_loss(fresh, forget));
    params_free(result.params);
    params_free(fresh);
}

/* The losses of class 2 and of the others, once class 2 is unlearned. */
static void forget_a_class(const struct unlearn_plan *plan, double *ret_forgotten,
                           double *ret_retained)
{
    uint32_t rows[2][TRAINED];
    struct row_list forget = of_class(2, true, rows[0]),
                    retain = of_class(2, false, rows[1]);
    struct unlearned result;
    assert_int_equal(unlearn(start, &stripes, retain, forget, plan, NULL, NULL, &result),
                     0);
    *ret_forgotten = stripes_loss(result.params, forget);
    *ret_retained = stripes_loss(result.params, retain);
    params_free(result.params);
}

static void with_something_to_hold_on_to_a_class_goes_and_the_others_stay(void **state)
{
    (void)state;
    const struct unlearn_plan plans[] = {
        {UNLEARN_NEGGRAD_PLUS, .rate = 1e-3, .retain = .9},
        {UNLEARN_RANDOM_LABELS, .rate = 1e-3, .retain = .5},
        {UNLEARN_SALUN, .rate = 1e-3, .retain = .5, .share = .5},
        {UNLEARN_SCRUB, .rate = 1e-3, .share = .3, .settle = .2, .temperature = 4},
        {UNLEARN_BAD_TEACHER, .rate = 1e-3, .temperature = 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(plans); i++) {
        struct unlearn_plan plan = plans[i];
        double forgotten, retained;
        plan.seed = 3;
        plan.threads = 2;
        plan.batch = 16;
        plan.smoothing = .1;
        plan.part = 1;
        plan.budget = 160;
        forget_a_class(&plan, &forgotten, &retained);
        assert_true(forgotten > 1);
        assert_true(retained < .7);
    }
}

static void salun_moves_the_half_with_the_largest_gradients_and_nothing_else(void **state)
{
    (void)state;
    struct unlearn_plan plan = plan_of(UNLEARN_SALUN, 20);
    struct unlearned result = unlearned(&plan);
    float *gradient = calloc(start->n, sizeof *gradient), least = INFINITY, most = 0;
    size_t moved = 0;
    assert_int_equal(importance_of(start, &stripes, forget_rows(), IMPORTANCE_GRADIENT,
                                   .1, 2, NULL, NULL, gradient),
                     0);
    for (size_t i = 0; i < start->n; i++)
        if (result.params->values[i] != start->values[i]) {
            moved++;
            least = fminf(least, fabsf(gradient[i]));
        } else {
            most = fmaxf(most, fabsf(gradient[i]));
        }
    assert_true(moved <= (start->n + 1) / 2);
    assert_true(moved > .45 * (double)start->n);
    assert_true(least > 0);
    /* All that is salient moves, but for steps that are lost in rounding. */
    bool *moves = calloc(start->n, sizeof *moves);
    assert_ok(importance_largest(gradient, start->n, .5, moves));
    for (size_t i = 0; i < start->n; i++)
        if (!moves[i])
            assert_memory_equal(&result.params->values[i], &start->values[i],
                                sizeof(float));
    free(moves);
    free(gradient);
    params_free(result.params);
}

/* Sums of the steps' losses: of less than 100, the mean that is told is of all. */
static bool keep_sum(void *context, size_t done, size_t total, double loss)
{
    double *sum = context;
    assert_true(done <= total && total < 100);
    sum[done] = loss * (double)done;
    return true;
}

/* Losses of steps that maximise, -KL, are not above 0; of those that minimise, CE + KL, they
 * are. */
static void scrub_alternates_and_ends_with_steps_that_minimise(void **state)
{
    (void)state;
    struct unlearn_plan plan = plan_of(UNLEARN_SCRUB, 27);
    struct unlearned result;
    double sum[21] = {0};
    plan.share = .5;
    plan.settle = .4;
    assert_int_equal(unlearn(start, &stripes, retain_rows(), forget_rows(), &plan,
                             keep_sum, sum, &result),
                     0);
    assert_int_equal(result.steps, 20);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(sum[i + 1] - sum[i] < 0, i % 2 == 1 && i < 12);
    params_free(result.params);
}

static void at_the_start_scrubs_student_is_its_teacher(void **state)
{
    (void)state;
    struct unlearn_plan plan = plan_of(UNLEARN_SCRUB, 4);
    struct unlearned result;
    double sum[4] = {0};
    plan.share = 1;
    plan.settle = 0;
    assert_int_equal(unlearn(start, &stripes, retain_rows(), forget_rows(), &plan,
                             keep_sum, sum, &result),
                     0);
    assert_int_equal(result.steps, 3);
    assert_true(sum[1] == 0);
    params_free(result.params);
}

static void ssd_dampens_what_matters_to_the_forgotten_alone(void **state)
{
    (void)state;
    float values[] = {2, 2, 2, 2, 2, -2}, all[] = {1, 1, 1, 0, 0, .5f},
          forget[] = {1, 10, 16, 0, 1, 8};
    const float want[] = {2, 2, .125f, 2, 0, -.125f};
    importance_dampen(values, all, forget, 6, 10, 1);
    assert_memory_equal(values, want, sizeof want);
    float gentle[] = {2, 2}, mean[] = {1, 1}, matters[] = {16, 12};
    importance_dampen(gentle, mean, matters, 2, 10, 14);
    assert_true(gentle[0] == 2 * 14.f / 16 && gentle[1] == 2);
}

static void ssd_does_so_with_the_fishers_of_the_start(void **state)
{
    (void)state;
    uint32_t rows[2][TRAINED];
    struct row_list forget = of_class(2, true, rows[0]),
                    retain = of_class(2, false, rows[1]);
    struct unlearn_plan plan = plan_of(UNLEARN_SSD, 1000);
    struct unlearned result;
    size_t n = start->n, dampened = 0;
    float *all = calloc(3 * n, sizeof *all), *of_forget = all + n, *want = of_forget + n;
    plan.threshold = 2;
    assert_int_equal(unlearn(start, &stripes, retain, forget, &plan, NULL, NULL, &result),
                     0);
    assert_int_equal(result.gradients, TRAINED + forget.n);
    importance_of(start, &stripes, forget, IMPORTANCE_FISHER, 0, 1, NULL, NULL,
                  of_forget);
    importance_of(start, &stripes, stripes_rows(0, TRAINED), IMPORTANCE_FISHER, 0, 1,
                  NULL, NULL, all);
    for (size_t i = 0; i < n; i++) {
        double factor = fmin((double)all[i] / of_forget[i], 1);
        want[i] = start->values[i] * (float)(of_forget[i] > 2.001f * all[i] ? factor : 1);
        bool sure = fabsf(of_forget[i] - 2 * all[i]) > .001f * of_forget[i];
        if (sure && of_forget[i] > 0)
            assert_true(fabsf(result.params->values[i] - want[i]) <=
                        1e-4f * fabsf(start->values[i]));
        dampened += of_forget[i] > 2 * all[i];
    }
    assert_true(dampened > 200);
    assert_true(stripes_loss(result.params, forget) > 2 * stripes_loss(start, forget));
    free(all);
    params_free(result.params);
}

/* The gradient by the head's bias is softmax - target. */
static void importance_is_the_mean_gradient_and_the_mean_square(void **state)
{
    (void)state;
    struct row_list rows = stripes_rows(5, 42);
    size_t n = start->n, bias = (size_t)(start->net.head_b - start->values);
    float *gradient = calloc(3 * n, sizeof *gradient), *fisher = gradient + n,
          *again = fisher + n, p[37 * STRIPES_CLASSES];
    importance_of(start, &stripes, rows, IMPORTANCE_GRADIENT, 0, 1, NULL, NULL, gradient);
    importance_of(start, &stripes, rows, IMPORTANCE_FISHER, 0, 1, NULL, NULL, fisher);
    importance_of(start, &stripes, rows, IMPORTANCE_FISHER, 0, 3, NULL, NULL, again);
    assert_memory_equal(fisher, again, n * sizeof *fisher);
    assert_ok(plain_probabilities(start, &stripes, rows, 2, p));
    for (size_t c = 0; c < STRIPES_CLASSES; c++) {
        double mean = 0, square = 0;
        for (size_t i = 0; i < rows.n; i++) {
            double d = p[i * STRIPES_CLASSES + c] - (stripes_labels[rows.row[i]] == c);
            mean += d / (double)rows.n;
            square += d * d / (double)rows.n;
        }
        assert_true(fabs(gradient[bias + c] - mean) < 1e-5);
        assert_true(fabs(fisher[bias + c] - square) < 1e-5);
        assert_true(square > 1e-4);
    }
    free(gradient);
}

static void the_largest_gradients_are_found_and_of_equal_ones_the_first(void **state)
{
    (void)state;
    const float gradient[] = {1, -3, 2, -2, 0, 2};
    bool moves[6];
    const bool want[] = {false, true, true, false, false, false};
    const bool more[] = {false, true, true, true, false, true};
    const bool none[6] = {false};
    assert_ok(importance_largest(gradient, 6, 2 / 6., moves));
    assert_memory_equal(moves, want, sizeof want);
    assert_ok(importance_largest(gradient, 6, 4 / 6., moves));
    assert_memory_equal(moves, more, sizeof more);
    assert_ok(importance_largest(gradient, 6, 0, moves));
    assert_memory_equal(moves, none, sizeof none);
}

static size_t near_zero(const struct params *params)
{
    size_t n = 0;
    for (size_t i = 0; i < params->n; i++)
        n += fabsf(params->values[i]) < .003f;
    return n;
}

static void l1_makes_weights_sparse(void **state)
{
    (void)state;
    struct unlearn_plan plan = plan_of(UNLEARN_L1_SPARSE, 100);
    plan.rate = 1e-3;
    plan.penalty = 5e-3;
    struct unlearned sparse = unlearned(&plan);
    plan.penalty = 0;
    struct unlearned dense = unlearned(&plan);
    assert_true((double)near_zero(sparse.params) > 2 * (double)near_zero(dense.params));
    params_free(sparse.params);
    params_free(dense.params);
}

static void its_penalty_decays_to_nothing(void **state)
{
    (void)state;
    struct unlearn_plan plan = plan_of(UNLEARN_L1_SPARSE, 4);
    struct unlearned result;
    double sum[5] = {0};
    plan.penalty = 1e4;
    plan.rate = 1e-9;
    assert_int_equal(unlearn(start, &stripes, retain_rows(), forget_rows(), &plan,
                             keep_sum, sum, &result),
                     0);
    assert_true(fabs((sum[2] - sum[1]) / sum[1] - .75) < 1e-3);
    assert_true(fabs((sum[4] - sum[3]) / sum[1] - .25) < 1e-3);
    params_free(result.params);
}

static void every_method_has_choices_and_every_choice_can_be_run(void **state)
{
    (void)state;
    for (enum unlearn_method m = 0; m < UNLEARN_METHODS; m++) {
        char text[8][UNLEARN_TEXT_SIZE];
        struct unlearn_plan plan = plan_of(m, 0);
        size_t n = 0;
        for (; unlearn_choose(m, n, &plan); n++) {
            struct unlearned result = unlearned(&plan);
            params_free(result.params);
            assert_true(n < 8);
            unlearn_text(&plan, text[n]);
            for (size_t i = 0; i < n; i++)
                assert_string_not_equal(text[i], text[n]);
        }
        assert_true(n >= 4);
        assert_int_equal(plan.method, m);
        assert_true(plan.seed == 3 && plan.threads == 2 && plan.batch == 16);
    }
    struct unlearn_plan scrub = plan_of(UNLEARN_SCRUB, 0);
    char text[UNLEARN_TEXT_SIZE];
    unlearn_text(&scrub, text);
    assert_string_equal(text, "part 1 rate 0.0001 share 0.1 settle 0.2 T 4");
}

static void every_knob_of_a_method_turns_something(void **state)
{
    (void)state;
    struct unlearn_plan plan;
    const struct {
        enum unlearn_method method;
        double *knob, value;
    } turns[] = {
        {UNLEARN_FINETUNE, &plan.rate, 2e-4},
        {UNLEARN_FINETUNE, &plan.part, .5},
        {UNLEARN_FINETUNE, &plan.smoothing, .2},
        {UNLEARN_NEGGRAD_PLUS, &plan.retain, .5},
        {UNLEARN_RANDOM_LABELS, &plan.retain, .5},
        {UNLEARN_SALUN, &plan.retain, .7},
        {UNLEARN_SALUN, &plan.share, .3},
        {UNLEARN_SCRUB, &plan.share, .5},
        {UNLEARN_SCRUB, &plan.settle, .9},
        {UNLEARN_SCRUB, &plan.temperature, 1},
        {UNLEARN_BAD_TEACHER, &plan.temperature, 4},
        {UNLEARN_SSD, &plan.threshold, 2},
        {UNLEARN_SSD, &plan.dampening, .5},
        {UNLEARN_L1_SPARSE, &plan.penalty, 1e-2},
    };
    for (size_t i = 0; i < ARRAY_SIZE(turns); i++) {
        plan = plan_of(turns[i].method, 20);
        plan.part = 1;
        if (plan.method == UNLEARN_SSD)
            plan.threshold = 3; /* so that there is something to dampen */
        struct unlearned first = unlearned(&plan);
        *turns[i].knob = turns[i].value;
        struct unlearned other = unlearned(&plan);
        assert_true(distance(first.params, other.params) > 0);
        params_free(first.params);
        params_free(other.params);
    }
}

static void what_is_to_stay_upright_is_not_mirrored(void **state)
{
    (void)state;
    struct unlearn_plan plan = plan_of(UNLEARN_FINETUNE, 4);
    struct unlearned mirrored = unlearned(&plan);
    plan.upright = true;
    assert_true(unlearn_choose(UNLEARN_FINETUNE, 0, &plan) && plan.upright);
    struct unlearned upright = unlearned(&plan);
    assert_true(distance(mirrored.params, upright.params) > 0);
    params_free(mirrored.params);
    params_free(upright.params);
}

static bool stop(void *context, size_t done, size_t total, double loss)
{
    (void)context;
    (void)total;
    (void)loss;
    return done < 2;
}

static void it_stops_when_it_is_told_to(void **state)
{
    (void)state;
    struct unlearn_plan steps = plan_of(UNLEARN_FINETUNE, 4),
                        rows = plan_of(UNLEARN_SSD, 4);
    struct unlearned result;
    assert_int_equal(unlearn(start, &stripes, retain_rows(), forget_rows(), &steps, stop,
                             NULL, &result),
                     1);
    assert_int_equal(unlearn(start, &stripes, retain_rows(), forget_rows(), &rows, stop,
                             NULL, &result),
                     1);
}

static int refused(struct unlearn_plan plan, struct row_list retain)
{
    struct unlearned result;
    return unlearn(start, &stripes, retain, forget_rows(), &plan, NULL, NULL, &result);
}

static void what_cannot_be_unlearned_is_refused(void **state)
{
    (void)state;
    struct unlearn_plan good = plan_of(UNLEARN_SALUN, 1), plan = good;
    struct unlearned result;
    assert_int_equal(refused(plan, stripes_rows(FORGOTTEN - 1, 100)), MK_EINPUT);
    assert_non_null(strstr(err_why(), "to be retained and to be forgotten"));
    assert_int_equal(refused(plan, stripes_rows(50, 50)), MK_EINPUT);
    plan.batch = 12;
    assert_int_equal(refused(plan, retain_rows()), MK_EINPUT);
    plan = good;
    plan.share = 0;
    assert_int_equal(refused(plan, retain_rows()), MK_EINPUT);
    plan = good;
    plan.rate = 0;
    assert_int_equal(refused(plan, retain_rows()), MK_EINPUT);
    plan = good;
    plan.part = 1.5;
    assert_int_equal(refused(plan, retain_rows()), MK_EINPUT);
    plan = good;
    plan.method = UNLEARN_SSD;
    assert_int_equal(refused(plan, retain_rows()), MK_EINPUT);
    plan = good;
    plan.method = UNLEARN_SCRUB;
    assert_int_equal(refused(plan, retain_rows()), MK_EINPUT);
    plan.method = UNLEARN_METHODS;
    assert_int_equal(refused(plan, retain_rows()), MK_EINPUT);
    struct params *classifier;
    assert_ok(params_new(&start->shape, PARAMS_CLASSIFIER, &classifier));
    assert_int_equal(unlearn(classifier, &stripes, retain_rows(), forget_rows(), &good,
                             NULL, NULL, &result),
                     MK_EINPUT);
    params_free(classifier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_budget_every_method_leaves_the_start_as_it_is),
        cmocka_unit_test(threads_change_nothing_and_the_seed_does),
        cmocka_unit_test(no_method_spends_more_than_its_budget_nor_much_less),
        cmocka_unit_test(finetune_learns_what_is_retained_and_nothing_else),
        cmocka_unit_test(neggrad_raises_the_loss_of_what_is_forgotten),
        cmocka_unit_test(with_something_to_hold_on_to_a_class_goes_and_the_others_stay),
        cmocka_unit_test(
            salun_moves_the_half_with_the_largest_gradients_and_nothing_else),
        cmocka_unit_test(at_the_start_scrubs_student_is_its_teacher),
        cmocka_unit_test(scrub_alternates_and_ends_with_steps_that_minimise),
        cmocka_unit_test(ssd_dampens_what_matters_to_the_forgotten_alone),
        cmocka_unit_test(ssd_does_so_with_the_fishers_of_the_start),
        cmocka_unit_test(importance_is_the_mean_gradient_and_the_mean_square),
        cmocka_unit_test(the_largest_gradients_are_found_and_of_equal_ones_the_first),
        cmocka_unit_test(l1_makes_weights_sparse),
        cmocka_unit_test(its_penalty_decays_to_nothing),
        cmocka_unit_test(every_method_has_choices_and_every_choice_can_be_run),
        cmocka_unit_test(every_knob_of_a_method_turns_something),
        cmocka_unit_test(what_is_to_stay_upright_is_not_mirrored),
        cmocka_unit_test(it_stops_when_it_is_told_to),
        cmocka_unit_test(what_cannot_be_unlearned_is_refused),
    };
    return cmocka_run_group_tests_name("unlearn", tests, set_up, tear_down);
}

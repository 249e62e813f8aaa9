/* SPDX-License-Identifier: Apache-2.0 */
/* The measures of an evaluation, on problems with a known answer. */
#include "tests/check.h"

#include <math.h>

#include "core/attack.h"
#include "core/forget_set.h"
#include "core/gap.h"

enum { N = 200 };

static struct attack measured(const double *member, size_t n1, const double *other,
                              size_t n2)
{
    struct attack attack;
    assert_ok(attack_measure(&(struct scores){member, n1, other, n2}, &attack));
    return attack;
}

static void the_area_counts_pairs_and_ties_half(void **state)
{
    (void)state;
    const double high[] = {3, 4}, low[] = {1, 2, 0}, mixed[] = {1, 3}, three[] = {3};
    assert_float_equal(measured(high, 2, low, 3).auroc, 1, 1e-12);
    assert_float_equal(measured(low, 3, high, 2).auroc, 0, 1e-12);
    assert_float_equal(measured(high, 2, high, 2).auroc, .5, 1e-12);
    assert_float_equal(measured(three, 1, mixed, 2).auroc, .75, 1e-12);
    assert_float_equal(measured(mixed, 2, low, 3).auroc, 4.5 / 6, 1e-12);
}

static void scores_that_are_all_equal_know_nothing(void **state)
{
    (void)state;
    const double same[N] = {0};
    struct attack attack = measured(same, 50, same, 100);
    assert_float_equal(attack.auroc, .5, 1e-12);
    assert_float_equal(attack.tpr, 0, 1e-12);
    assert_float_equal(attack.roc[ROC_POINTS - 1].tpr, 1, 1e-12);
    assert_float_equal(attack.roc[ROC_POINTS - 2].tpr, 0, 1e-12);
}

/* One of 100 others may be taken for a member; the second is above 59 of 60 members. */
static void
true_positives_are_counted_where_one_in_a_hundred_others_is_taken(void **state)
{
    (void)state;
    double member[60], other[100];
    for (size_t i = 0; i < 60; i++)
        member[i] = i < 21 ? 10 : 1;
    for (size_t i = 0; i < 100; i++)
        other[i] = i == 0 ? 20 : i == 1 ? 5 : 0;
    struct attack attack = measured(member, 60, other, 100);
    assert_float_equal(attack.tpr, 21. / 60, 1e-12);
    other[2] = 30; /* two above all members: nobody is found with one */
    assert_float_equal(measured(member, 60, other, 100).tpr, 0, 1e-12);
}

static void a_curve_rises_from_one_in_ten_thousand_to_all(void **state)
{
    (void)state;
    double member[N], other[N];
    for (size_t i = 0; i < N; i++) {
        member[i] = (double)i + 50.5;
        other[i] = (double)i;
    }
    struct attack attack = measured(member, N, other, N);
    assert_float_equal(attack.roc[0].fpr, 1e-4, 1e-16);
    assert_float_equal(attack.roc[ROC_POINTS - 1].fpr, 1, 0);
    assert_float_equal(attack.roc[0].tpr, 51. / N, 1e-12);
    assert_float_equal(attack.roc[ROC_POINTS - 1].tpr, 1, 0);
    for (size_t i = 1; i < ROC_POINTS; i++)
        assert_true(attack.roc[i].tpr >= attack.roc[i - 1].tpr &&
                    attack.roc[i].fpr > attack.roc[i - 1].fpr);
}

/* By its definition, over all ways to put two members among four: variance of U / (n1 n2). */
static void the_spread_of_an_area_by_chance_is_that_of_all_orders(void **state)
{
    (void)state;
    double squares = 0;
    size_t orders = 0;
    for (int set = 0; set < 16; set++) {
        double member[4], other[4];
        size_t n1 = 0, n2 = 0;
        for (int i = 0; i < 4; i++)
            if (set >> i & 1)
                member[n1++] = i;
            else
                other[n2++] = i;
        if (n1 != 2)
            continue;
        double auroc = measured(member, n1, other, n2).auroc;
        squares += (auroc - .5) * (auroc - .5);
        orders++;
    }
    assert_float_equal(attack_null_sd(2, 2), sqrt(squares / (double)orders), 1e-12);
    assert_float_equal(attack_null_sd(1500, 10000), .0079934, 1e-6);
}

static void rmia_is_a_ratio_to_the_mean_of_the_references(void **state)
{
    (void)state;
    const double references[] = {.1, .3};
    assert_float_equal(attack_rmia(.8, references, 2), log(4), 1e-9);
    assert_float_equal(attack_rmia(.2, references, 2), 0, 1e-9);
    assert_true(isfinite(attack_rmia(0, references, 2)));
}

static void an_average_gap_is_the_mean_of_four_distances(void **state)
{
    (void)state;
    const struct outcome a = {90, 99, 91, 52}, b = {89, 100, 89, 50};
    assert_float_equal(gap_average(&a, &b), 1.5, 1e-12);
    assert_float_equal(gap_average(&b, &a), 1.5, 1e-12);
    assert_float_equal(gap_average(&a, &a), 0, 0);
}

static void answers_are_compared_row_by_row(void **state)
{
    (void)state;
    const float p[] = {.5f, .25f, .25f, .1f, .8f, .1f},
                q[] = {.25f, .5f, .25f, .2f, .6f, .2f};
    const float sure[] = {0, 1, 0, 0, 1, 0};
    const uint32_t labels[] = {0, 2};
    assert_float_equal(gap_accuracy(p, labels, 2, 3), .5, 0);
    assert_float_equal(gap_agreement(p, q, 2, 3), .5, 0);
    assert_float_equal(gap_kl(p, p, 2, 3), 0, 0);
    assert_float_equal(gap_kl(p, q, 1, 3), .25 * log(2), 1e-6);
    assert_float_equal(gap_kl(sure, q, 2, 3), (log(2) + log(1 / .6)) / 2, 1e-6);
}

static size_t count(const bool *chosen, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += chosen[i];
    return sum;
}

static void a_random_share_depends_on_the_seed_alone(void **state)
{
    (void)state;
    bool a[N], b[N], c[N];
    size_t often[N] = {0};
    assert_int_equal(forget_random(1, N, .1, a), N / 10);
    assert_int_equal(count(a, N), N / 10);
    forget_random(1, N, .1, b);
    assert_memory_equal(a, b, sizeof a);
    forget_random(2, N, .1, c);
    assert_true(memcmp(a, c, sizeof a) != 0);
    for (uint64_t seed = 0; seed < 2000; seed++) {
        forget_random(seed, N, .1, a);
        for (size_t i = 0; i < N; i++)
            often[i] += a[i];
    }
    for (size_t i = 0; i < N; i++) /* 200 expected, 13.4 the deviation: five of them */
        assert_true(often[i] > 130 && often[i] < 270);
    assert_int_equal(forget_random(1, N, 1e-9, a), 1);
    assert_int_equal(forget_random(1, N, 1, a), N);
    assert_int_equal(count(a, N), N);
}

static void a_class_or_a_subject_goes_as_a_whole(void **state)
{
    (void)state;
    uint32_t label[N];
    bool chosen[N], of_group[10] = {false};
    for (uint32_t i = 0; i < N; i++)
        label[i] = i * 7 % 10;
    assert_int_equal(forget_class(label, N, 3, chosen), N / 10);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(chosen[i], label[i] == 3);
    assert_int_equal(forget_groups(4, label, N, 10, .3, chosen), 3 * N / 10);
    for (size_t i = 0; i < N; i++)
        of_group[label[i]] |= chosen[i];
    assert_int_equal(count(of_group, 10), 3);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(chosen[i], of_group[label[i]]);
}

static void the_highest_scores_are_taken_and_of_equals_the_first(void **state)
{
    (void)state;
    const double score[] = {1, 5, 5, -1, 5, 2};
    const bool two[] = {0, 1, 1, 0, 0, 0}, four[] = {0, 1, 1, 0, 1, 1};
    bool chosen[6];
    assert_int_equal(forget_highest(score, 6, 2, chosen), 2);
    assert_memory_equal(chosen, two, sizeof two);
    assert_int_equal(forget_highest(score, 6, 4, chosen), 4);
    assert_memory_equal(chosen, four, sizeof four);
    assert_int_equal(forget_highest(score, 6, 9, chosen), 6);
}

/* 0 and 1 are copies, and 2, 3, 4 a chain. */
static void whoever_is_forgotten_has_a_near_copy_that_stays(void **state)
{
    (void)state;
    const uint32_t nearest[] = {1, 0, 3, 2, 3, 0};
    const double similarity[] = {.99, .99, .9, .9, .8, .1};
    const bool two[] = {1, 0, 1, 0, 0, 0}, three[] = {1, 0, 1, 0, 1, 0};
    bool chosen[6];
    assert_int_equal(forget_copied(nearest, similarity, 6, 2, chosen), 2);
    assert_memory_equal(chosen, two, sizeof two);
    assert_int_equal(forget_copied(nearest, similarity, 6, 6, chosen), 3);
    assert_memory_equal(chosen, three, sizeof three);
    const uint32_t next[] = {1, 2,
                             1}; /* 1 stays for 0, though it has a copy of its own */
    const double near[] = {.99, .95, .9};
    const bool ends[] = {1, 0, 1};
    assert_int_equal(forget_copied(next, near, 3, 3, chosen), 2);
    assert_memory_equal(chosen, ends, sizeof ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_area_counts_pairs_and_ties_half),
        cmocka_unit_test(scores_that_are_all_equal_know_nothing),
        cmocka_unit_test(
            true_positives_are_counted_where_one_in_a_hundred_others_is_taken),
        cmocka_unit_test(a_curve_rises_from_one_in_ten_thousand_to_all),
        cmocka_unit_test(the_spread_of_an_area_by_chance_is_that_of_all_orders),
        cmocka_unit_test(rmia_is_a_ratio_to_the_mean_of_the_references),
        cmocka_unit_test(an_average_gap_is_the_mean_of_four_distances),
        cmocka_unit_test(answers_are_compared_row_by_row),
        cmocka_unit_test(a_random_share_depends_on_the_seed_alone),
        cmocka_unit_test(a_class_or_a_subject_goes_as_a_whole),
        cmocka_unit_test(the_highest_scores_are_taken_and_of_equals_the_first),
        cmocka_unit_test(whoever_is_forgotten_has_a_near_copy_that_stays),
    };
    return cmocka_run_group_tests_name("evaluation", tests, NULL, NULL);
}

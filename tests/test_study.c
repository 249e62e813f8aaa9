/* SPDX-License-Identifier: Apache-2.0 */
/* A study's parts: who is drawn for what, and figures that are known beforehand. */
#include "tests/check.h"

#include <math.h>

#include "daemon/study_measure.h"
#include "daemon/study_store.h"

enum { ROWS = 120, TESTS = 40, SIDE = 4, GROUPS = 24, CLASSES = 2 };

static uint8_t bytes[ROWS * SIDE * SIDE];
static uint32_t labels[ROWS], group[ROWS];

/* Each row's pixels name it; five rows belong to each subject, far apart. */
static struct study_data data_of(void)
{
    struct study_data data = {0};
    for (uint32_t row = 0; row < ROWS; row++) {
        memset(bytes + row * SIDE * SIDE, (int)row, SIDE * SIDE);
        labels[row] = row % CLASSES;
        group[row] = row % GROUPS;
    }
    data.train = (struct pixels){
        bytes, labels, group, GROUPS, {ROWS, SIDE, SIDE, 1, bytes, labels}};
    return data;
}

static size_t part_of(const struct arrangement *a, size_t at)
{
    return at < a->b1.end ? 0 : at < a->b2.end ? 1 : at < a->val.end ? 2 : 3;
}

static void a_subject_is_never_in_two_parts(void **state)
{
    (void)state;
    const struct study_data data = data_of();
    const struct arrangement_wish wish = {.base = .7, .b1 = 12, .b2 = 15, .val = 3};
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct arrangement a;
        size_t part[GROUPS], seen[ROWS] = {0};
        memset(part, 0xff, sizeof part);
        assert_ok(arrangement_draw(&data, &wish, seed, &a));
        assert_int_equal(a.pixels.images.n, ROWS);
        for (size_t at = 0; at < ROWS; at++) {
            size_t *mine = &part[a.pixels.group[at]];
            if (*mine == SIZE_MAX)
                *mine = part_of(&a, at);
            assert_int_equal(*mine, part_of(&a, at));
            uint8_t row = a.pixels.bytes[at * SIDE * SIDE];
            assert_int_equal(a.pixels.labels[at], labels[row]);
            assert_int_equal(a.pixels.group[at], group[row]);
            seen[row]++;
        }
        for (size_t row = 0; row < ROWS; row++)
            assert_int_equal(seen[row], 1);
        arrangement_done(&a);
    }
}

static void a_draw_depends_on_the_seed_alone(void **state)
{
    (void)state;
    const struct study_data data = data_of();
    struct arrangement a, again, other;
    assert_ok(arrangement_draw(&data, &arrangement_paper, 1, &a));
    assert_ok(arrangement_draw(&data, &arrangement_paper, 1, &again));
    assert_ok(arrangement_draw(&data, &arrangement_paper, 2, &other));
    assert_memory_equal(a.pixels.bytes, again.pixels.bytes, sizeof bytes);
    assert_memory_not_equal(a.pixels.bytes, other.pixels.bytes, sizeof bytes);
    arrangement_done(&a);
    arrangement_done(&again);
    arrangement_done(&other);
}

static void the_forgotten_are_in_no_part_and_the_others_stay_in_order(void **state)
{
    (void)state;
    const struct study_data data = data_of();
    struct arrangement all, without;
    bool forget[ROWS] = {false};
    assert_ok(arrangement_draw(&data, &arrangement_paper, 1, &all));
    size_t n = range_length(all.b2), gone = 0, at = all.b2.begin;
    for (size_t i = 0; i < n; i += 3)
        gone += forget[i] = true;
    assert_ok(arrangement_without(&all, forget, &without));
    assert_int_equal(range_length(without.b2), n - gone);
    assert_int_equal(range_length(without.val), range_length(all.val));
    assert_int_equal(range_length(without.b1), range_length(all.b1));
    for (size_t i = 0; i < n; i++)
        if (!forget[i])
            assert_int_equal(without.pixels.bytes[at++ * SIDE * SIDE],
                             all.pixels.bytes[(all.b2.begin + i) * SIDE * SIDE]);
    assert_int_equal(at, without.b2.end);
    for (size_t i = 0, last = ROWS - gone; i < n; i++)
        if (forget[i])
            assert_int_equal(without.pixels.bytes[last++ * SIDE * SIDE],
                             all.pixels.bytes[(all.b2.begin + i) * SIDE * SIDE]);
    memset(forget, true, sizeof forget);
    arrangement_done(&without);
    assert_int_equal(arrangement_without(&all, forget, &without), MK_EINPUT);
    arrangement_done(&all);
}

/* Answers about rows that all have label 0: p of it is given. */
struct made {
    float test[2 * TESTS], retain[2 * ROWS], forget[2 * ROWS];
};

static struct answers made(struct made *m, double test, double retain, double forget,
                           double lift)
{
    for (size_t i = 0; i < TESTS; i++) {
        m->test[2 * i] = (float)(test + .001 * (double)i);
        m->test[2 * i + 1] = 1 - m->test[2 * i];
    }
    for (size_t i = 0; i < ROWS; i++) {
        m->retain[2 * i] = (float)retain;
        m->retain[2 * i + 1] = (float)(1 - retain);
        m->forget[2 * i] = (float)(forget + lift + .001 * (double)(i % TESTS));
        m->forget[2 * i + 1] = 1 - m->forget[2 * i];
    }
    return (struct answers){m->test, m->retain, m->forget};
}

static struct queries questions(void)
{
    static struct arrangement all;
    static struct pixels test;
    static uint32_t zero[ROWS];
    static bool forget[ROWS];
    struct queries q;
    all.pixels = (struct pixels){NULL, zero, NULL, 0, {ROWS, 1, 1, 1, NULL, zero}};
    test = (struct pixels){NULL, zero, NULL, 0, {TESTS, 1, 1, 1, NULL, zero}};
    for (size_t i = 0; i < TESTS; i++)
        forget[i] = true;
    const struct asked asked = {&all.pixels, &test, {0, ROWS}, forget, CLASSES, 50, 1};
    assert_ok(queries_new(&asked, &q));
    return q;
}

static void whoever_is_forgotten_is_forgotten_whole(void **state)
{
    (void)state;
    const struct study_data data = data_of();
    const struct arrangement_wish wish = {.base = .5, .b1 = 1, .b2 = 1, .val = 1};
    struct arrangement a;
    assert_ok(arrangement_draw(&data, &wish, 1, &a));
    const struct row_range ranges[] = {a.b2, a.rest};
    for (size_t r = 0; r < 2; r++) {
        bool forget[ROWS] = {false}, chosen[GROUPS] = {false};
        const uint32_t *mine = a.pixels.group + ranges[r].begin;
        size_t n = range_length(ranges[r]), gone = 0, subjects = 0;
        int count = arrangement_subjects(&a, ranges[r], 1, .5, forget);
        for (size_t i = 0; i < n; i++)
            chosen[mine[i]] |= forget[i];
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(forget[i], chosen[mine[i]]);
            gone += forget[i];
        }
        for (size_t g = 0; g < GROUPS; g++)
            subjects += chosen[g];
        assert_int_equal(gone, count);
        assert_int_equal(subjects, n / (ROWS / GROUPS) / 2);
    }
    arrangement_done(&a);
}

static void an_oracle_compared_with_oracles_like_it_has_no_gap(void **state)
{
    (void)state;
    static struct made m;
    struct queries q = questions();
    const struct answers same = made(&m, .6, .7, .6, 0);
    const struct answers oracles[] = {same, same, same};
    struct figures f;
    assert_int_equal(q.retained, 50);
    assert_int_equal(q.forgotten, TESTS);
    assert_int_equal(q.others, TESTS);
    assert_ok(measure_figures(&q, &same, oracles, 3, &f));
    assert_float_equal(f.gap, 0, 0);
    assert_float_equal(f.agreement, 100, 0);
    assert_float_equal(f.kl, 0, 0);
    assert_float_equal(f.outcome.mia, 50, 1e-9);
    assert_float_equal(f.outcome.ta, 100, 0);
    assert_ok(measure_oracles(&q, oracles, 3, &f));
    assert_float_equal(f.gap, 0, 0);
    queries_done(&q);
}

/* Wrong on all it retained, and sure of all it should have forgotten: three points of four. */
static void a_model_that_remembers_is_as_far_away_as_its_parts_say(void **state)
{
    (void)state;
    static struct made m[2];
    struct queries q = questions();
    const struct answers oracle = made(&m[0], .6, .7, .3, 0),
                         target = made(&m[1], .6, .3, .3, .5);
    const struct answers oracles[] = {oracle, oracle};
    struct figures f;
    assert_ok(measure_figures(&q, &target, oracles, 2, &f));
    assert_float_equal(f.outcome.ta, 100, 0);
    assert_float_equal(f.outcome.ra, 0, 0);
    assert_float_equal(f.outcome.fa, 100, 0);
    assert_float_equal(f.outcome.mia, 100, 1e-9);
    assert_float_equal(f.gap, (0 + 100 + 100 + 50) / 4., 1e-9);
    assert_float_equal(f.rmia.tpr, 1, 1e-9);
    queries_done(&q);
}

static void whoever_sees_before_and_after_finds_what_moved(void **state)
{
    (void)state;
    static struct made m[2];
    struct queries q = questions();
    const struct answers before = made(&m[0], .6, .7, .3, .3),
                         after = made(&m[1], .6, .7, .3, 0);
    struct attack moved, ratio;
    assert_ok(measure_difference(&q, &before, &after, &moved, &ratio));
    assert_float_equal(moved.auroc, 1, 1e-9);
    assert_float_equal(ratio.auroc, 1, 1e-9);
    assert_ok(measure_difference(&q, &after, &after, &moved, &ratio));
    assert_float_equal(moved.auroc, .5, 1e-9);
    assert_float_equal(ratio.auroc, .5, 1e-9);
    queries_done(&q);
}

static void any_bit_is_a_difference(void **state)
{
    (void)state;
    float a[8] = {0, .5f, .25f, 0}, b[8] = {0, .5f, .25f, 0};
    assert_int_equal(measure_different(a, b, 4, 2), 0);
    b[3] = -0.f; /* equal, but not the same */
    b[6] = 1;
    assert_int_equal(measure_different(a, b, 4, 2), 2);
}

static void settings_are_named_whatever_their_order(void **state)
{
    (void)state;
    char a[SETTINGS_HEX], b[SETTINGS_HEX], c[SETTINGS_HEX];
    json_auto_t *one =
                    json_loads("{\"seed\": 1, \"x\": {\"b\": 2, \"a\": 0.5}}", 0, NULL),
                *same =
                    json_loads("{\"x\": {\"a\": 0.5, \"b\": 2}, \"seed\": 1}", 0, NULL),
                *other =
                    json_loads("{\"x\": {\"a\": 0.5, \"b\": 2}, \"seed\": 2}", 0, NULL);
    study_store_name(one, a);
    study_store_name(same, b);
    study_store_name(other, c);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    assert_int_equal(strlen(a), 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_subject_is_never_in_two_parts),
        cmocka_unit_test(a_draw_depends_on_the_seed_alone),
        cmocka_unit_test(the_forgotten_are_in_no_part_and_the_others_stay_in_order),
        cmocka_unit_test(whoever_is_forgotten_is_forgotten_whole),
        cmocka_unit_test(an_oracle_compared_with_oracles_like_it_has_no_gap),
        cmocka_unit_test(a_model_that_remembers_is_as_far_away_as_its_parts_say),
        cmocka_unit_test(whoever_sees_before_and_after_finds_what_moved),
        cmocka_unit_test(any_bit_is_a_difference),
        cmocka_unit_test(settings_are_named_whatever_their_order),
    };
    return cmocka_run_group_tests_name("study", tests, NULL, NULL);
}

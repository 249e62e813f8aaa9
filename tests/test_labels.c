/* SPDX-License-Identifier: Apache-2.0 */
/* Labels of an open set: which there are, in which order, and that those who leave are wiped. */
#include "tests/check.h"

#include <stdio.h>

#include "core/memory.h"
#include "core/model_shape.h"
#include "core/rng.h"
#include "storage/label.h"
#include "tests/marks.h"

enum { DIM = 8, ROOM = 20000, NAMES = 40, BUILT_IN = 3, OWNERS = 9, ROUNDS = 3000 };

/* Their SHA-256 both begin with 04dcfd5e. */
static const char twin[] = "product 187278", other_twin[] = "product 251005";

static const struct memory_state some_state = {.n = 1, .digest = {1}};

/* Names whose order as bytes is not that of their numbers, nor that of their codes. */
static const char *name_of(uint32_t number)
{
    static char name[NAMES][LABEL_SIZE];
    snprintf(name[number], LABEL_SIZE, "%u%s", number * 7919 % 1000,
             number % 3 ? "" : " \xc3\xa9tag\xc3\xa8re");
    return name[number];
}

static struct memory *open_bank(const char *const *names, size_t n)
{
    struct memory *bank = memory_new(DIM, ROOM);
    const struct model_info model = {.classes = (uint32_t)n, .labels = names};
    assert_ok(label_open(bank, &model));
    return bank;
}

static struct memory *some_bank(void)
{
    static const char *names[BUILT_IN];
    for (uint32_t i = 0; i < BUILT_IN; i++)
        names[i] = name_of(i);
    return open_bank(names, BUILT_IN);
}

static struct record of(const char *name, uint32_t owner)
{
    struct record record = {
        .owner = owner, .label = label_code(name), .class = CLASS_EXACT, .key.scale = 1};
    strcpy(record.name, name);
    return record;
}

/* ---- against a model without counts: who has which label ---- */

struct naive {
    uint32_t instances[OWNERS][NAMES];
    bool masked[OWNERS];
};

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t naive_list(const struct naive *naive, const char **ret_names)
{
    size_t n = 0;
    for (uint32_t i = 0; i < NAMES; i++) {
        bool answers = i < BUILT_IN;
        for (uint32_t owner = 0; owner < OWNERS; owner++)
            answers |= naive->instances[owner][i] > 0 && !naive->masked[owner];
        if (answers)
            ret_names[n++] = name_of(i);
    }
    qsort(ret_names, n, sizeof *ret_names, by_bytes);
    return n;
}

static void expect_list(const struct memory *bank, const struct naive *naive)
{
    const char *names[NAMES];
    size_t n = naive_list(naive, names);
    struct label_list list = memory_labels(bank);
    assert_int_equal(list.n, n);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(list.name[i], names[i]);
        assert_true(list.code[i] == label_code(names[i]));
        assert_int_equal(label_list_find(&list, names[i]), i);
    }
    assert_int_equal(label_list_find(&list, "none of them"), n);
}

static struct class_counts naive_counts(const struct naive *naive, const char *name)
{
    struct class_counts counts = {0};
    for (uint32_t i = 0; i < NAMES; i++)
        for (uint32_t owner = 0; owner < OWNERS; owner++)
            if (strcmp(name_of(i), name) == 0) {
                *(owner % 2 ? &counts.trained : &counts.exact) +=
                    naive->instances[owner][i];
            }
    return counts;
}

/* Labels with most instances first, and none without. */
static void expect_census(const struct memory *bank, const struct naive *naive)
{
    const struct census *census = memory_census(bank);
    size_t places[CLASSES_MAX];
    uint64_t all = 0, masked = 0, before = UINT64_MAX;
    size_t n = census_largest(census, CLASSES_MAX, places);
    for (uint32_t owner = 0; owner < OWNERS; owner++)
        for (uint32_t i = 0; i < NAMES; i++)
            masked += naive->masked[owner] ? naive->instances[owner][i] : 0;
    assert_int_equal(census->masked, masked);
    assert_int_equal(census->labels, n);
    for (size_t i = 0; i < n; i++) {
        struct class_counts wanted =
            naive_counts(naive, memory_label_name(bank, places[i]));
        assert_memory_equal(&census->at[places[i]], &wanted, sizeof wanted);
        assert_in_range(wanted.exact + wanted.trained, 1, before);
        all += before = wanted.exact + wanted.trained;
    }
    assert_int_equal(census->all.exact + census->all.trained, all);
}

static void enrol_some(struct memory *bank, struct rng *rng, struct naive *naive)
{
    struct record records[6];
    size_t n = 1 + rng_below(rng, ARRAY_SIZE(records));
    for (size_t i = 0; i < n; i++) {
        uint32_t owner = rng_below(rng, OWNERS), name = rng_below(rng, NAMES);
        records[i] = of(name_of(name), owner);
        records[i].class = owner % 2 ? CLASS_TRAINED : CLASS_EXACT;
        naive->instances[owner][name]++;
        if (memory_masked(bank, owner) == 0)
            naive->masked[owner] = false; /* nothing of theirs was there to be masked */
    }
    assert_ok(memory_check_labels(bank, records, n));
    assert_ok(memory_add(bank, records, n, &some_state));
}

static void change(struct memory *bank, struct rng *rng, struct naive *naive)
{
    uint32_t what = rng_below(rng, 5), owner = rng_below(rng, OWNERS);
    if (what < 2) {
        enrol_some(bank, rng, naive);
    } else if (what == 2) {
        memory_drop(bank, owner, &some_state);
        memset(naive->instances[owner], 0, sizeof naive->instances[owner]);
    } else {
        naive->masked[owner] = what == 3;
        memory_mask(bank, owner, what == 3);
    }
}

static void labels_come_and_go_with_their_instances(void **unused)
{
    (void)unused;
    struct rng rng = rng_at(1, RNG_TEST, 0, 0);
    struct naive naive = {0};
    struct memory *bank = some_bank();
    expect_list(bank, &naive);
    for (int i = 0; i < ROUNDS; i++) {
        change(bank, &rng, &naive);
        expect_list(bank, &naive);
        expect_census(bank, &naive);
    }
    memory_free(bank);
}

/* ---- one by one ---- */

static bool answers(const struct memory *bank, const char *name)
{
    struct label_list list = memory_labels(bank);
    return label_list_find(&list, name) < list.n;
}

static void a_masked_label_comes_back_with_its_name(void **unused)
{
    (void)unused;
    struct memory *bank = some_bank();
    struct record records[] = {of("hers", 1), of("theirs", 1), of("theirs", 2)};
    assert_ok(memory_add(bank, records, ARRAY_SIZE(records), &some_state));
    memory_mask(bank, 1, true);
    memory_mask(bank, 1, true);
    assert_false(answers(bank, "hers"));
    assert_true(answers(bank, "theirs"));
    memory_drop(bank, 2, &some_state);
    assert_false(answers(bank, "theirs"));
    memory_mask(bank, 1, false);
    assert_true(answers(bank, "hers") && answers(bank, "theirs"));
    memory_drop(bank, 1, &some_state);
    assert_int_equal(memory_labels(bank).n, BUILT_IN);
    memory_free(bank);
}

/* The records, and how many of them the bank holds afterwards. */
static void expect_refused(struct memory *bank, const struct record *records, size_t n,
                           size_t left)
{
    assert_int_equal(memory_check_labels(bank, records, n), MK_ECONFLICT);
    assert_int_equal(memory_add(bank, records, n, &some_state), MK_ECONFLICT);
    assert_int_equal(memory_count(bank, 1), left);
}

static void names_that_a_digest_cannot_tell_apart_are_refused(void **unused)
{
    (void)unused;
    struct memory *bank = some_bank();
    struct record both[] = {of(twin, 1), of("between", 1), of(other_twin, 1)};
    assert_true((uint32_t)both[0].label == (uint32_t)both[2].label);
    assert_true(both[0].label != both[2].label);
    expect_refused(bank, both, 3, 0);
    assert_null(strstr(err_why(), "product"));
    assert_ok(memory_add(bank, both, 2, &some_state));
    expect_refused(bank, &both[2], 1, 2);
    memory_mask(bank, 1, true);
    expect_refused(bank, &both[2], 1, 2);
    memory_drop(bank, 1, &some_state);
    assert_ok(memory_add(bank, &both[2], 1, &some_state));
    expect_refused(bank, &both[0], 1, 1);
    memory_free(bank);
}

static void a_name_that_is_like_a_built_in_one_is_refused(void **unused)
{
    (void)unused;
    static const char *const names[] = {"apple", twin, "pear"};
    static const char *const both[] = {"apple", twin, "pear", other_twin};
    struct record record = of(other_twin, 1), same = of(twin, 1);
    struct memory *bank = open_bank(names, ARRAY_SIZE(names));
    expect_refused(bank, &record, 1, 0);
    assert_ok(memory_add(bank, &same, 1, &some_state));
    memory_drop(bank, 1, &some_state);
    assert_true(answers(bank, twin));
    expect_refused(bank, &record, 1, 0);
    memory_free(bank);

    const struct model_info model = {.classes = ARRAY_SIZE(both), .labels = both};
    bank = memory_new(DIM, ROOM);
    assert_int_equal(label_open(bank, &model), MK_EREFUSED);
    memory_free(bank);
}

static void there_may_be_ten_thousand_labels(void **unused)
{
    (void)unused;
    struct memory *bank = some_bank();
    char name[LABEL_SIZE];
    for (uint32_t i = 0; i < CLASSES_MAX - BUILT_IN; i++) {
        snprintf(name, sizeof name, "label %u", i);
        struct record record = of(name, i % 2 ? 2 : 1);
        assert_ok(memory_add(bank, &record, 1, &some_state));
    }
    size_t hers = memory_count(bank, 1);
    struct record old_and_new[] = {of(name, 1), of("one too many", 1)};
    assert_int_equal(memory_labels(bank).n, CLASSES_MAX);
    expect_refused(bank, old_and_new, 2, hers);
    assert_ok(memory_add(bank, old_and_new, 1, &some_state));
    memory_drop(bank, 2, &some_state);
    assert_ok(memory_add(bank, old_and_new, 2, &some_state));
    assert_true(answers(bank, "one too many") && answers(bank, name));
    memory_free(bank);
}

static void marked(struct record *ret_record, uint32_t owner)
{
    *ret_record = (struct record){.owner = owner, .label = 5, .key.scale = 1};
    mark((float *)ret_record->name, LABEL_SIZE / sizeof(float) - 1);
}

/* In all memory of this process, wherever labels moved when others came and went. */
static void the_name_of_a_label_whose_last_instance_goes_is_wiped(void **unused)
{
    (void)unused;
    struct record record;
    struct memory *bank = some_bank();
    for (uint32_t owner = 1; owner < OWNERS; owner++) {
        struct record beside = of(name_of(BUILT_IN + owner), owner);
        marked(&record, owner);
        assert_ok(memory_add(bank, &record, 1, &some_state));
        assert_ok(memory_add(bank, &beside, 1, &some_state));
        explicit_bzero(&record, sizeof record);
    }
    assert_true(marks_left() > 0);
    for (uint32_t owner = 1; owner < OWNERS; owner++) {
        assert_true(marks_left() > 0);
        memory_mask(bank, owner, owner % 2);
        memory_drop(bank, owner, &some_state);
    }
    assert_int_equal(marks_left(), 0);
    memory_free(bank);
}

static void a_name_is_utf8_without_control_characters(void **unused)
{
    (void)unused;
    static const char *const good[] = {"0", "4711", "tomato soup",
                                       "\xc3\xa9tag\xc3\xa8re", "\xc2\xa0"};
    static const char *const bad[] = {"",         "a\tb",  "\x1b[2J",      "a\x7f",
                                      "\xc2\x9b", "a\xc3", "\xed\xa0\x80", "\xff"};
    char longest[LABEL_SIZE + 1] = "";
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_ok(label_check(good[i]));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(label_check(bad[i]), MK_EUNPROCESSABLE);
    memset(longest, 'x', LABEL_SIZE);
    assert_int_equal(label_check(longest), MK_EUNPROCESSABLE);
    longest[LABEL_SIZE - 1] = '\0';
    assert_ok(label_check(longest));
}

/* printf %s tomato | sha256sum */
static void a_code_is_the_beginning_of_the_sha256(void **unused)
{
    (void)unused;
    assert_true(label_code("tomato") == 0x7b765dfac228d75e);
    assert_int_equal(label_element("tomato"), 0xc228d75e);
}

static void a_bank_of_closed_labels_has_no_list(void **unused)
{
    (void)unused;
    struct record record = of("a name", 1);
    struct memory *bank = memory_new(DIM, ROOM);
    assert_ok(memory_add(bank, &record, 1, &some_state));
    assert_int_equal(memory_labels(bank).n, 0);
    memory_mask(bank, 1, true);
    assert_int_equal(memory_drop(bank, 1, &some_state), 1);
    memory_free(bank);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_come_and_go_with_their_instances),
        cmocka_unit_test(a_masked_label_comes_back_with_its_name),
        cmocka_unit_test(names_that_a_digest_cannot_tell_apart_are_refused),
        cmocka_unit_test(a_name_that_is_like_a_built_in_one_is_refused),
        cmocka_unit_test(there_may_be_ten_thousand_labels),
        cmocka_unit_test(the_name_of_a_label_whose_last_instance_goes_is_wiped),
        cmocka_unit_test(a_name_is_utf8_without_control_characters),
        cmocka_unit_test(a_code_is_the_beginning_of_the_sha256),
        cmocka_unit_test(a_bank_of_closed_labels_has_no_list),
    };
    return cmocka_run_group_tests_name("labels", tests, NULL, NULL);
}

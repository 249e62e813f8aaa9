/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes and choices on munkey-train's command line. */
#include "tests/check.h"

#include <string.h>

#include "core/err.h"
#include "daemon/train_method.h"

static struct train_choices parse(int n, const char *const *words)
{
    char line[16][64], *argv[17] = {line[0]};
    struct train_choices choices = train_choices_new();
    for (int i = 0; i < n; i++)
        argv[i] = strcpy(line[i], words[i]);
    assert_int_equal(argp_parse(&train_method_argp, n, argv, 0, NULL, &choices), 0);
    for (size_t i = 0; i < choices.settings; i++)
        choices.setting[i] = strchr(words[2 * i + 2], '=') ? words[2 * i + 2] : NULL;
    return choices;
}

static void nothing_said_is_the_profile(void **unused)
{
    (void)unused;
    struct train_choices choices = train_choices_new();
    struct shape shape, profile;
    char text[64];
    assert_ok(shape_of_profile("C", 10, &profile));
    shape = profile;
    assert_ok(train_choices_apply(&choices, &shape));
    assert_memory_equal(&shape, &profile, sizeof shape);
    train_choices_text(&choices, text, sizeof text);
    assert_string_equal(text, "");
}

static void every_size_can_be_set_and_is_said_again(void **unused)
{
    (void)unused;
    const char *const words[] = {
        "munkey-train", "--set",       "d=64",        "--set", "layers=3",
        "--set",        "stem=8/1,16", "--attention", "sym",   "--retrieve",
        "self",         "--drop",      "0.25"};
    struct train_choices choices = parse(sizeof words / sizeof *words, words);
    struct shape shape;
    char text[256];
    assert_ok(shape_of_profile("F", 7, &shape));
    shape.key_dim = 64;
    assert_ok(train_choices_apply(&choices, &shape));
    assert_int_equal(shape.d, 64);
    assert_int_equal(shape.layers, 3);
    assert_int_equal(shape.convs, 3);
    assert_int_equal(shape.stem[0].stride, 1);
    assert_int_equal(shape.stem[2].channels, 64);
    assert_true(shape.symmetric && choices.method.retrieve_self);
    train_choices_text(&choices, text, sizeof text);
    assert_string_equal(text,
                        " --set d=64 --set layers=3 --set stem=8/1,16 --attention sym"
                        " --retrieve self --drop 0.25");
}

static void sizes_that_cannot_be_are_refused_by_name(void **unused)
{
    (void)unused;
    static const struct {
        const char *setting, *why;
    } wrong[] = {
        {"depth=4", "--set depth=4"},   {"layers", "--set layers"},
        {"layers=x", "--set layers=x"}, {"classes=3", "--set classes=3"},
        {"layers=99", "\"layers\" is"}, {"heads=3", "multiple of \"heads\""},
        {"key_dim=200", "\"key_dim\""}, {"stem=8,8,8,8", "\"stem\" is"},
        {"stem=", "\"stem\" is"},       {"height=1000", "image tokens"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct train_choices choices = train_choices_new();
        struct shape shape;
        choices.setting[choices.settings++] = wrong[i].setting;
        assert_ok(shape_of_profile("F", 10, &shape));
        assert_int_equal(train_choices_apply(&choices, &shape), MK_EINPUT);
        assert_non_null(strstr(err_why(), wrong[i].why));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_is_the_profile),
        cmocka_unit_test(every_size_can_be_set_and_is_said_again),
        cmocka_unit_test(sizes_that_cannot_be_are_refused_by_name),
    };
    return cmocka_run_group_tests_name("train_method", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Escaped text, scales with their ticks, and charts. */
#include "tests/check.h"

#include <math.h>
#include <stdio.h>

#include "daemon/chart.h"
#include "daemon/chart_label.h"
#include "daemon/markup.h"

static void strings_never_become_markup(void **unused)
{
    (void)unused;
    char text[512] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    markup(out, "<b title=\"%s\">%s</b>%%", "\" onload='x'", "</b>&\x01\x7F<script>");
    fclose(out);
    assert_string_equal(text, "<b title=\"&quot; onload=&#39;x&#39;\">&lt;/b&gt;&amp;"
                              "\xEF\xBF\xBD\xEF\xBF\xBD&lt;script&gt;</b>%");
}

static void numbers_are_rounded_and_never_minus_zero(void **unused)
{
    (void)unused;
    char text[512] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    markup(out, "%.2f %.1f %.0f %.3f %d %zu", -0.001, -0.06, 2.5, 1e3 / 3, -7, (size_t)8);
    fclose(out);
    assert_string_equal(text, "0.00 -0.1 2 333.333 -7 8");
    assert_string_equal(number_fixed(-1.25, 1).text, "\xE2\x88\x92"
                                                     "1.2");
    assert_string_equal(number_fixed(-.04, 1).text, "0.0");
    assert_string_equal(number_significant(.0012345, 3).text, "0.00123");
    assert_string_equal(number_significant(12345.6, 3).text, "12346");
    assert_string_equal(number_significant(0, 3).text, "0");
}

static void joined(const struct scale *scale, size_t wanted, char ret_text[static 256])
{
    struct tick tick[TICKS_MAX];
    size_t n = scale_ticks(scale, wanted, tick);
    ret_text[0] = '\0';
    for (size_t i = 0; i < n; i++)
        strcat(strcat(ret_text, tick[i].text), "|");
}

static void ticks_are_round_values(void **unused)
{
    (void)unused;
    static const struct {
        struct scale scale;
        size_t wanted;
        const char *ticks;
    } examples[] = {
        {{.low = 0, .high = 1}, 5, "0.0|0.2|0.4|0.6|0.8|1.0|"},
        {{.low = -3, .high = 7},
         5,
         "\xE2\x88\x92"
         "2|0|2|4|6|"},
        {{.low = 88, .high = 92, .measure = MEASURE_PERCENT},
         4,
         "88\xC2\xA0%|89\xC2\xA0%|90\xC2\xA0%|91\xC2\xA0%|92\xC2\xA0%|"},
        {{.low = .1, .high = 100, .log = true, .measure = MEASURE_PERCENT},
         4,
         "0.1\xC2\xA0%|1\xC2\xA0%|10\xC2\xA0%|100\xC2\xA0%|"},
        {{.low = .001, .high = 1000, .log = true, .measure = MEASURE_SECONDS},
         3,
         "1\xC2\xA0ms||100\xC2\xA0ms||10\xC2\xA0s||1000\xC2\xA0s|"},
        {{.low = 1, .high = 10, .log = true}, 4, "1|2|5|10|"},
    };
    char text[256];
    for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
        joined(&examples[i].scale, examples[i].wanted, text);
        assert_string_equal(text, examples[i].ticks);
    }
}

static void a_scale_is_rounded_outward(void **unused)
{
    (void)unused;
    struct scale linear = {.low = .883, .high = .917}, flat = {.low = 3, .high = 3};
    struct scale log = {.low = .02, .high = 300, .log = true};
    struct scale percent = {.low = -7, .high = 123, .measure = MEASURE_PERCENT};
    scale_round(&percent);
    assert_float_equal(percent.low, 0, 0);
    assert_float_equal(percent.high, 100, 0);
    scale_round(&linear);
    scale_round(&flat);
    scale_round(&log);
    assert_float_equal(linear.low, .88, 1e-9);
    assert_float_equal(linear.high, .92, 1e-9);
    assert_true(flat.low <= 3 && flat.high > 3);
    assert_float_equal(log.low, .01, 1e-9);
    assert_float_equal(log.high, 1000, 1e-6);
}

static void a_scale_ends_at_its_ends(void **unused)
{
    (void)unused;
    const struct scale log = {.low = 1, .high = 100, .log = true, .from = 10, .to = 30};
    const struct scale down = {.low = 0, .high = 4, .from = 100, .to = 20};
    assert_float_equal(scale_at(&log, 10), 20, 1e-9);
    assert_float_equal(scale_at(&log, 0), 10, 1e-9); /* no logarithm of nothing */
    assert_float_equal(scale_at(&log, 1e9), 30, 1e-9);
    assert_float_equal(scale_at(&down, 1), 80, 1e-9);
}

static bool overlap(const struct label *a, const struct label *b)
{
    return fabs(a->at_y - b->at_y) < LINE_HEIGHT - 2 &&
           a->at_x < b->at_x + label_width(b->text) &&
           b->at_x < a->at_x + label_width(a->text);
}

static void texts_do_not_lie_on_each_other(void **unused)
{
    (void)unused;
    static const struct frame frame = {40, 10, 400, 280};
    struct label beside[9], stacked[9];
    for (size_t i = 0; i < 9; i++) /* near two edges */
        beside[i] = stacked[i] = (struct label){.text = "NegGrad+",
                                                .x = i < 5 ? 390 - (double)i : 200,
                                                .y = i < 5 ? 275 : 10 + (double)i / 4};
    labels_beside(beside, 9, &frame);
    labels_stack(stacked, 9, &frame);
    for (size_t i = 0; i < 9; i++)
        for (size_t j = 0; j < i; j++) {
            assert_false(overlap(&beside[i], &beside[j]));
            assert_false(overlap(&stacked[i], &stacked[j]));
        }
    for (size_t i = 0; i < 9; i++) {
        assert_true(beside[i].at_x + label_width(beside[i].text) <= frame.right);
        assert_true(stacked[i].at_y >= frame.top && stacked[i].at_y <= frame.bottom);
    }
}

static void a_chart_tells_its_title_axes_and_names(void **unused)
{
    (void)unused;
    static const struct point points[] = {{.5, .85, .84, .86, NULL},
                                          {1, .9, 0, 0, "b<c"}};
    static const struct series series[] = {{.name = "seen",
                                            .style = 2,
                                            .line = true,
                                            .marks = true,
                                            .point = points,
                                            .n = 2}};
    const struct chart chart = {.id = "price",
                                .title = "Price & cost",
                                .about = "It rises.",
                                .x = {"share", {.low = 0, .high = 1}},
                                .y = {"accuracy", {.low = .8, .high = .9}},
                                .series = series,
                                .n = 1,
                                .guide = {"chance", .85, .01}};
    static const char *const parts[] = {
        "<title id=\"price-title\">Price &amp; cost</title>",
        "<desc id=\"price-about\">It rises.</desc>",
        ">share</text>",
        ">accuracy</text>",
        ">seen</text>",
        ">b&lt;c</text>",
        ">chance</text>",
        "class=\"band\"",
        "class=\"interval s2\"",
        "class=\"line s2\"",
    };
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    chart_draw(out, &chart);
    fclose(out);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        assert_non_null(strstr(text, parts[i]));
    assert_null(strstr(text, "nan"));
    free(text);
}

static void rows_stand_below_each_other(void **unused)
{
    (void)unused;
    static const char *const row[] = {"full output", "null pass"};
    static const struct point points[] = {{.6, 0, .5, .7, NULL}, {.5, 1, 0, 0, NULL}};
    static const struct series series[] = {{.style = 1, .point = points, .n = 2}};
    const struct chart chart = {.id = "rows",
                                .title = "Attacks",
                                .about = "",
                                .x = {"AUROC", {.low = .4, .high = .8}},
                                .series = series,
                                .n = 1,
                                .guide = {"oracle", .5, .02}};
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    chart_rows(out, &chart, row, 2);
    fclose(out);
    const char *first = strstr(text, ">full output<"),
               *second = strstr(text, ">null pass<");
    assert_true(first && second && first < second);
    assert_non_null(strstr(text, "class=\"interval s1\""));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_never_become_markup),
        cmocka_unit_test(numbers_are_rounded_and_never_minus_zero),
        cmocka_unit_test(ticks_are_round_values),
        cmocka_unit_test(a_scale_is_rounded_outward),
        cmocka_unit_test(a_scale_ends_at_its_ends),
        cmocka_unit_test(texts_do_not_lie_on_each_other),
        cmocka_unit_test(a_chart_tells_its_title_axes_and_names),
        cmocka_unit_test(rows_stand_below_each_other),
    };
    return cmocka_run_group_tests_name("chart", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A training run's findings: what is warned of; and its course as JSON lines. */
#include "tests/check.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/train_metrics.h"
#include "daemon/train_report.h"

static const struct model_info info = {.k = 4, .lambda = .5f, .tau_mix = .1f};
static const struct train_findings good = {.9, .905, .3, .92, .91};

/* How many warnings, and whether the text has this part. */
static int warnings(struct train_findings findings, size_t n_val, const char *part)
{
    char text[2048] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    int n = report_findings(out, &findings, &info, n_val);
    fclose(out);
    assert_non_null(strstr(text, part));
    return n;
}

static void a_good_run_has_no_warning(void **unused)
{
    (void)unused;
    assert_int_equal(warnings(good, 3000, "on val: 92.00 %, null pass 91.00 %"), 0);
}

static void agreement_that_differs_is_warned_of(void **unused)
{
    (void)unused;
    struct train_findings findings = good;
    findings.agreement_b2 = .93;
    assert_int_equal(warnings(findings, 3000, "warning: neighbours agree"), 1);
    assert_int_equal(warnings(findings, 300, "on val"), 0); /* within three errors */
}

static void a_memory_that_adds_nothing_is_warned_of(void **unused)
{
    (void)unused;
    struct train_findings findings = good;
    findings.val_accuracy = findings.val_null;
    assert_int_equal(warnings(findings, 3000, "warning: the memory adds nothing"), 1);
}

static void the_course_is_json_and_goes_on(void **unused)
{
    (void)unused;
    char path[] = "/tmp/metrics.XXXXXX", line[512];
    struct metrics metrics;
    close(mkstemp(path));
    for (size_t from = 0; from < 200; from += 100) { /* interrupted, and gone on with */
        assert_ok(metrics_open(path, 128, &metrics));
        for (size_t i = from + 1; i <= from + 100; i++)
            assert_ok(metrics_news(&metrics,
                                   &(struct train_news){STAGE_ENCODER, i, 200, .5, .75}));
        if (from)
            assert_ok(metrics_findings(&metrics, &good, &info));
        metrics_close(&metrics);
    }
    FILE *in = fopen(path, "r");
    size_t lines = 0;
    for (; fgets(line, sizeof line, in); lines++) {
        json_t *json = json_loads(line, 0, NULL);
        assert_non_null(json_object_get(json, lines < 4 ? "accuracy" : "peak_rss_mib"));
        assert_true(lines == 4 || json_integer_value(json_object_get(json, "done")) ==
                                      50 * (json_int_t)(lines + 1));
        json_decref(json);
    }
    assert_int_equal(lines, 5);
    fclose(in);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_run_has_no_warning),
        cmocka_unit_test(agreement_that_differs_is_warned_of),
        cmocka_unit_test(a_memory_that_adds_nothing_is_warned_of),
        cmocka_unit_test(the_course_is_json_and_goes_on),
    };
    return cmocka_run_group_tests_name("train_report", tests, NULL, NULL);
}

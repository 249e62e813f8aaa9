/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of a study: which are refused, and means over seeds. */
#include "tests/check.h"

#include <stdio.h>
#include <unistd.h>

#include "daemon/results.h"

static int read_text(const char *text, struct results **ret_results)
{
    char path[] = "/tmp/results.XXXXXX";
    int file = mkstemp(path);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    int rc = results_read(path, ret_results);
    unlink(path);
    return rc;
}

static void what_is_no_line_is_refused_with_its_number(void **unused)
{
    (void)unused;
    static const char good[] =
        "{\"kind\":\"price\",\"seed\":1,\"share\":0.5,\"ta\":0.9,\"null\":0}\n";
    static const struct {
        const char *line, *why;
    } examples[] = {
        {"", "is empty"},
        {"\n", "line 2 of the results is no JSON object"},
        {"{\"kind\":\"price\",\"seed\":1,\"sh",
         "line 2 of the results is no JSON object"},
        {"[1]\n", "line 2 of the results has no \"kind\""},
        {"{\"kind\":7}\n", "line 2 of the results has no \"kind\""},
        {"{\"kind\":\"prize\"}\n", "line 2 of the results has no \"kind\""},
        {"{\"kind\":\"price\",\"seed\":1,\"ta\":0.9}\n",
         "line 2 of the results needs a number below 1e15 \"share\""},
        {"{\"kind\":\"price\",\"seed\":1,\"share\":1e300,\"ta\":0.9}\n",
         "line 2 of the results needs a number below 1e15 \"share\""},
        {"{\"kind\":\"attack\",\"forget\":3}\n",
         "line 2 of the results needs a text \"forget\""},
        {"{\"kind\":\"price\",\"kind\":\"price\"}\n",
         "line 2 of the results is no JSON object"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
        struct results *results;
        char text[512];
        snprintf(text, sizeof text, "%s%s", i == 0 ? "" : good, examples[i].line);
        assert_int_equal(read_text(text, &results), MK_EINPUT);
        assert_non_null(strstr(err_why(), examples[i].why));
    }
}

static void lines_of_one_seed_count_once(void **unused)
{
    (void)unused;
    struct results *results;
    const struct which which = {.kind = "price"}, other = {.kind = "ablation"};
    assert_ok(
        read_text("{\"kind\":\"price\",\"seed\":1,\"share\":0.5,\"ta\":0.8,\"null\":0}\n"
                  "{\"kind\":\"price\",\"seed\":1,\"share\":0.5,\"ta\":0.9,\"null\":0}\n"
                  "{\"kind\":\"price\",\"seed\":2,\"share\":0.5,\"ta\":0.91,\"null\":0}\n"
                  "{\"kind\":\"price\",\"seed\":3,\"share\":1,\"ta\":0.93,\"null\":0}",
                  &results));
    struct estimate e = results_estimate(results, &which, "ta");
    assert_int_equal(e.n, 3); /* of 0.85, 0.91 and 0.93 */
    assert_float_equal(e.mean, .896667, 1e-6);
    assert_float_equal(e.half, 4.303 * .041633 / 1.7320508, 1e-5);
    assert_int_equal(results_estimate(results, &other, "ta").n, 0);
    double share[4];
    assert_int_equal(results_numbers(results, &which, "share", share, 4), 2);
    assert_float_equal(share[1], 1, 0);
    results_free(results);
}

static void lines_are_found_by_their_members(void **unused)
{
    (void)unused;
    struct results *results;
    const char *names[4];
    const struct which all = {.kind = "ablation"};
    const struct which k = {.kind = "ablation", .is = {{"name", "k"}, {"value", "4"}}};
    const struct which any = {.kind = "ablation", .is = {{"name", NULL}, {"value", "0"}}};
    assert_ok(read_text("{\"kind\":\"ablation\",\"seed\":1,\"name\":\"k\",\"value\":"
                        "\"0\",\"ta\":0.8,\"null\":0,\"before\":0}\n"
                        "{\"kind\":\"ablation\",\"seed\":1,\"name\":\"k\",\"value\":"
                        "\"4\",\"ta\":0.9,\"null\":0,\"before\":0}\n"
                        "{\"kind\":\"ablation\",\"seed\":1,\"name\":\"self\",\"value\":"
                        "\"0\",\"ta\":1,\"null\":0,\"before\":0}\n",
                        &results));
    assert_float_equal(results_estimate(results, &k, "ta").mean, .9, 1e-12);
    assert_float_equal(results_estimate(results, &k, "ta").half, 0, 0);
    assert_float_equal(results_estimate(results, &any, "ta").mean, .9, 1e-12);
    assert_int_equal(results_values(results, &all, "name", names, 4), 2);
    assert_string_equal(names[1], "self");
    results_free(results);
}

static void differences_are_of_the_same_seeds(void **unused)
{
    (void)unused;
    struct results *results;
    const struct which half = {.kind = "price", .number = "share", .equals = 50};
    const struct which all = {.kind = "price", .number = "share", .equals = 100};
    assert_ok(
        read_text("{\"kind\":\"price\",\"seed\":1,\"share\":50,\"ta\":80,\"null\":70}\n"
                  "{\"kind\":\"price\",\"seed\":2,\"share\":50,\"ta\":85,\"null\":76}\n"
                  "{\"kind\":\"price\",\"seed\":3,\"share\":50,\"ta\":10,\"null\":1}\n"
                  "{\"kind\":\"price\",\"seed\":2,\"share\":100,\"ta\":88,\"null\":80}\n"
                  "{\"kind\":\"price\",\"seed\":1,\"share\":100,\"ta\":82,\"null\":75}\n",
                  &results));
    struct estimate e = results_difference(results, &all, "ta", &half, "ta");
    assert_int_equal(e.n, 2); /* 2 and 3; seed 3 has nothing to be compared with */
    assert_float_equal(e.mean, 2.5, 1e-12);
    assert_float_equal(e.half, 12.706 * .5, 1e-9);
    e = results_difference(results, &half, "ta", &half, "null");
    assert_int_equal(e.n, 3); /* 10, 9 and 9 */
    assert_float_equal(e.mean, 28. / 3, 1e-12);
    assert_float_equal(results_sum(results, &half, "ta"), 175, 1e-12);
    results_free(results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_line_is_refused_with_its_number),
        cmocka_unit_test(lines_of_one_seed_count_once),
        cmocka_unit_test(differences_are_of_the_same_seeds),
        cmocka_unit_test(lines_are_found_by_their_members),
    };
    return cmocka_run_group_tests_name("results", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Due dates: what the laws say, by the calendar. */
#include "tests/check.h"

#include <time.h>

#include "storage/regime.h"

static int64_t at(const char *text)
{
    struct tm tm = {0};
    assert_non_null(strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm));
    return timegm(&tm);
}

static void assert_due(const char *name, const char *received, const char *due)
{
    const struct regime *regime;
    char text[32];
    struct tm tm;
    assert_ok(regime_find(name, &regime));
    time_t found = regime_due(regime, at(received));
    strftime(text, sizeof text, "%FT%TZ", gmtime_r(&found, &tm));
    assert_string_equal(text, due);
}

static void a_month_ends_on_the_same_date_or_on_the_last(void **state)
{
    (void)state;
    assert_due("gdpr", "2026-11-23T22:40:31Z", "2026-12-23T22:40:31Z");
    assert_due("gdpr", "2027-01-31T00:00:00Z", "2027-02-28T00:00:00Z");
    assert_due("gdpr", "2028-01-31T23:59:59Z", "2028-02-29T23:59:59Z");
    assert_due("gdpr", "2028-01-29T12:00:00Z", "2028-02-29T12:00:00Z");
    assert_due("gdpr", "2100-01-30T12:00:00Z", "2100-02-28T12:00:00Z");
    assert_due("gdpr", "2000-01-30T12:00:00Z", "2000-02-29T12:00:00Z");
    assert_due("gdpr", "2027-03-31T12:00:00Z", "2027-04-30T12:00:00Z");
    assert_due("gdpr", "2027-02-28T12:00:00Z", "2027-03-28T12:00:00Z");
    assert_due("gdpr", "2027-12-31T12:00:00Z", "2028-01-31T12:00:00Z");
    assert_due("gdpr", "2027-12-01T12:00:00Z", "2028-01-01T12:00:00Z");
    assert_due("uk_gdpr", "2027-01-31T00:00:00Z", "2027-02-28T00:00:00Z");
}

static void days_are_counted(void **state)
{
    (void)state;
    assert_due("ccpa", "2027-01-31T08:00:00Z", "2027-03-17T08:00:00Z");
    assert_due("ccpa", "2028-01-31T08:00:00Z", "2028-03-16T08:00:00Z");
    assert_due("vcdpa", "2027-12-01T08:00:00Z", "2028-01-15T08:00:00Z");
    assert_due("lgpd", "2027-12-31T08:00:00Z", "2028-01-15T08:00:00Z");
}

static void the_default_is_the_gdpr(void **state)
{
    (void)state;
    assert_due(NULL, "2027-01-31T00:00:00Z", "2027-02-28T00:00:00Z");
}

static void an_unknown_law_is_refused_with_a_list(void **state)
{
    (void)state;
    const struct regime *regime = NULL;
    assert_int_equal(regime_find("hippocrates", &regime), MK_EUNPROCESSABLE);
    assert_int_equal(regime_find("", &regime), MK_EUNPROCESSABLE);
    assert_null(regime);
    for (const char *const *name =
             (const char *const[]){"gdpr", "uk_gdpr", "ccpa", "vcdpa", "lgpd", NULL};
         *name; name++)
        assert_non_null(strstr(err_why(), *name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_month_ends_on_the_same_date_or_on_the_last),
        cmocka_unit_test(days_are_counted),
        cmocka_unit_test(the_default_is_the_gdpr),
        cmocka_unit_test(an_unknown_law_is_refused_with_a_list),
    };
    return cmocka_run_group_tests_name("regime", tests, NULL, NULL);
}

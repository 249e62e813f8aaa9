/* SPDX-License-Identifier: Apache-2.0 */
/* Receivers of callbacks: no URL leads anywhere but where the operator has said, or says whom it is
 * about. */
#include "tests/check.h"

#include "api/parcel.h"
#include "api/receivers.h"

static const struct subject alice = {"alice/b c", 9};

static int parse(const char *text)
{
    struct receivers *receivers = NULL;
    int rc = receivers_parse(text, &receivers);
    receivers_free(rc < 0 ? NULL : receivers);
    return rc;
}

static struct receivers *list(const char *text)
{
    struct receivers *receivers = NULL;
    assert_ok(receivers_parse(text, &receivers));
    return receivers;
}

static void a_prefix_that_other_hosts_begin_with_is_refused(void **data)
{
    static const char *const wrong[] = {
        "https://example.org",      "https://",         "https:///hooks/",
        "example.org/hooks/",       "ftp://a.example/", "https://u@example.org/",
        "https://example.org?q=/",  "HTTPS://a.b/",     "https://a.b/%41",
        "https://a.b/ ftp://c.d/",  "https://a.b/#x",   "https://a.b\\@c.d/",
        "https://example.org\x01/",
    };
    (void)data;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(parse(wrong[i]), MK_EINPUT);
    assert_ok(parse(""));
    assert_ok(parse(" https://a.example/\n\thttp://127.0.0.1:8080/in/ "));
}

static void a_url_belongs_to_the_first_prefix_that_it_begins_with(void **data)
{
    struct receivers *receivers = list("https://a.example/x/ https://b.example/");
    (void)data;
    assert_int_equal(receivers_count(receivers), 2);
    assert_string_equal(receivers_prefix(receivers, 1), "https://b.example/");
    assert_int_equal(receivers_find(receivers, "https://a.example/x/y"), 0);
    assert_int_equal(receivers_find(receivers, "https://b.example/"), 1);
    assert_int_equal(receivers_find(receivers, "https://a.example/y"), RECEIVERS_NONE);
    assert_int_equal(receivers_find(receivers, "https://b.example.net/"), RECEIVERS_NONE);
    receivers_free(receivers);
}

static void assert_check(const char *url, int rc)
{
    struct receivers *receivers = list("https://a.example/x/ http://127.0.0.1:80/");
    int found = receivers_check(receivers, url, alice);
    if (found != rc)
        print_error("%s: %s\n", url, found < 0 ? err_why() : "allowed");
    assert_int_equal(found, rc);
    if (rc < 0)
        assert_null(strstr(err_why(), "a.example"));
    receivers_free(receivers);
}

static void a_url_leads_nowhere_else(void **data)
{
    static const char *const wrong[] = {
        "https://a.example/y",
        "http://a.example/x/",
        "https://a.example/x/../y",
        "https://a.example/x/%2e%2e/y",
        "https://a.example/x/..",
        "https://a.example/x/.%2E?q",
        "https://a.example/x/%2F..%2Fy",
        "https://a.example/x/./",
        "https://a.example@b.example/",
        "https://u:p@a.example/x/",
        "https://a.example/x/#y",
        "https://a.example/x/ y",
        "https://a.example/x/%4",
        "https://a.example/x/%zz",
        "https://a.example/x/%00",
        "https://a.example/x/\xc3\xa4",
        "https://a.example/x/\r\nz",
        "//a.example/x/",
        "file:///etc/passwd",
        "",
    };
    (void)data;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_check(wrong[i], MK_EUNPROCESSABLE);
    assert_check("https://a.example/x/", 0);
    assert_check("https://a.example/x/y..z/...?to=../..&at=a@b.example", 0);
    assert_check("http://127.0.0.1:80/%C3%A4?x=[1]&y='2'", 0);
}

static void a_url_does_not_contain_the_subject(void **data)
{
    (void)data;
    assert_check("https://a.example/x/?id=alice%2Fb%20c", MK_EUNPROCESSABLE);
    assert_check("https://a.example/x/alice/b%20c", MK_EUNPROCESSABLE);
    assert_check("https://a.example/x/?id=alice/b+c", MK_EUNPROCESSABLE);
    assert_check("https://a.example/x/%61lice%2fb%20%63/", MK_EUNPROCESSABLE);
    assert_check("https://a.example/x/?id=alice%2Fb%20", 0);
}

/* It is the same for everybody, and short ids would otherwise never be told of. */
static void what_the_operator_wrote_does_not_name_a_subject(void **data)
{
    struct receivers *receivers = list("https://a7.example/x/");
    const struct subject seven = {"7", 1}, edge = {"x/7", 3};
    (void)data;
    assert_ok(receivers_check(receivers, "https://a7.example/x/y", seven));
    assert_int_equal(receivers_check(receivers, "https://a7.example/x/7", seven),
                     MK_EUNPROCESSABLE);
    assert_int_equal(receivers_check(receivers, "https://a7.example/x/7", edge),
                     MK_EUNPROCESSABLE);
    receivers_free(receivers);
}

static void without_receivers_the_setting_is_named(void **data)
{
    struct receivers *receivers = list("");
    (void)data;
    assert_int_equal(receivers_check(receivers, "https://a.example/", alice),
                     MK_EUNPROCESSABLE);
    assert_non_null(strstr(err_why(), "callback_allow"));
    receivers_free(receivers);
}

/* ---- when to try again ---- */

static void attempts_are_further_and_further_apart_and_never_in_step(void **data)
{
    static const int64_t most[] = {5, 15, 45, 135, 405, 1215, 3645, 10935, 21600, 21600};
    (void)data;
    for (unsigned i = 0; i < ARRAY_SIZE(most); i++) {
        bool differ = false;
        int64_t first = parcel_backoff(i + 1);
        for (int round = 0; round < 100; round++) {
            int64_t seconds = parcel_backoff(i + 1);
            assert_in_range(seconds, most[i] - most[i] / 2, most[i]);
            differ |= seconds != first;
        }
        assert_true(differ);
    }
    assert_in_range(parcel_backoff(1000000), 10800, 21600);
}

static void the_last_attempt_is_at_the_deadline(void **data)
{
    struct parcel parcel = {.deadline = 1000};
    (void)data;
    assert_true(parcel_delay(&parcel, 0, (struct moment){50, 900}));
    assert_in_range(parcel.due, 52, 55);
    assert_true(parcel_delay(&parcel, 30, (struct moment){60, 910}));
    assert_int_equal(parcel.due, 91);
    assert_true(parcel_delay(&parcel, 100000, (struct moment){70, 920}));
    assert_int_equal(parcel.due, 150);
    assert_false(parcel_delay(&parcel, 0, (struct moment){150, 1000}));
}

static void parcels_are_known_by_their_rows(void **data)
{
    struct parcels parcels = {0};
    (void)data;
    for (int row = 1000; row > 0; row -= 3) {
        assert_null(parcels_at(&parcels, (uint64_t)row));
        assert_ok(
            parcels_add(&parcels, (uint64_t)row, &(struct parcel){.n = (uint64_t)row}));
    }
    for (uint64_t row = 1; row < 1100; row++)
        assert_true(row % 3 == 1 && row <= 1000 ? parcels_at(&parcels, row)->n == row
                                                : parcels_at(&parcels, row) == NULL);
    parcels_drop(&parcels, 4);
    assert_null(parcels_at(&parcels, 4));
    parcels_done(&parcels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prefix_that_other_hosts_begin_with_is_refused),
        cmocka_unit_test(a_url_belongs_to_the_first_prefix_that_it_begins_with),
        cmocka_unit_test(a_url_leads_nowhere_else),
        cmocka_unit_test(a_url_does_not_contain_the_subject),
        cmocka_unit_test(what_the_operator_wrote_does_not_name_a_subject),
        cmocka_unit_test(without_receivers_the_setting_is_named),
        cmocka_unit_test(attempts_are_further_and_further_apart_and_never_in_step),
        cmocka_unit_test(the_last_attempt_is_at_the_deadline),
        cmocka_unit_test(parcels_are_known_by_their_rows),
    };
    return cmocka_run_group_tests_name("receivers", tests, NULL, NULL);
}

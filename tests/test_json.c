/* SPDX-License-Identifier: Apache-2.0 */
/* Strict JSON: what is refused, and that no sentence repeats what was sent. */
#include "tests/check.h"

#include "api/json.h"

static int read_text(const char *text, size_t max_values)
{
    json_t *json = NULL;
    int rc = json_read(text, strlen(text), max_values, &json);
    json_decref(json);
    return rc;
}

static void an_object_is_read(void **state)
{
    (void)state;
    json_auto_t *json = NULL;
    const char *text = "{\"receipt\": \"a\\\"]}\", \"n\": 3, \"flag\": true}",
               *receipt = NULL;
    int64_t n = 0;
    bool flag = false;
    assert_ok(json_read(text, strlen(text), 10, &json));
    assert_ok(json_known(json, "receipt n flag"));
    assert_ok(json_text(json, "receipt", true, &receipt));
    assert_ok(json_count(json, "n", 1, 3, &n));
    assert_ok(json_flag(json, "flag", &flag));
    assert_string_equal(receipt, "a\"]}");
    assert_int_equal(n, 3);
    assert_true(flag);
}

static void what_is_not_one_json_object_is_refused(void **state)
{
    (void)state;
    const char *const texts[] = {"",
                                 "{",
                                 "[1]",
                                 "3",
                                 "{} {}",
                                 "{\"a\":}",
                                 "{'a':1}",
                                 "{\"a\":1,}",
                                 "\xef\xbb\xbf{}",
                                 "{\"a\":\"\\u0000\"}",
                                 "{\"a\":\"\xff\"}",
                                 "{\"a\":1e999}",
                                 "{\"a\":NaN}",
                                 "{\"a\":9223372036854775808}",
                                 "{\"a\":\"\\ud800\"}"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_int_equal(read_text(texts[i], 100), MK_EINPUT);
}

static void the_same_member_twice_is_refused(void **state)
{
    (void)state;
    assert_int_equal(read_text("{\"a\":1,\"a\":2}", 100), MK_EINPUT);
    assert_int_equal(read_text("{\"a\":1,\"\\u0061\":2}", 100), MK_EINPUT);
}

static void nesting_ends_at_16(void **state)
{
    (void)state;
    assert_ok(read_text("{\"a\":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}", 100));
    assert_int_equal(read_text("{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}", 100),
                     MK_EINPUT);
    assert_non_null(strstr(err_why(), "nested"));
    assert_ok(read_text("{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[\"}", 100));
}

static void values_are_counted_before_parsing(void **state)
{
    (void)state;
    assert_ok(read_text("{\"a\":[1,2,3]}", 5));
    assert_int_equal(read_text("{\"a\":[1,2,3,4]}", 5), MK_ETOOBIG);
    assert_int_equal(read_text("{\"a\":[{},{},{}]}", 5), MK_ETOOBIG);
}

static void an_unknown_member_is_refused_without_repeating_it(void **state)
{
    (void)state;
    json_auto_t *json = json_pack("{s:i, s:i}", "inputs", 1, "alice@example.org", 2);
    assert_int_equal(json_known(json, "inputs top_k"), MK_EINPUT);
    assert_null(strstr(err_why(), "alice"));
    assert_non_null(strstr(err_why(), "inputs top_k"));
}

static void a_name_is_compared_as_a_whole(void **state)
{
    (void)state;
    const char *const names[] = {"top", "input", "inputs top_k", "", "k", "s top"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        json_auto_t *json = json_pack("{s:i}", names[i], 1);
        assert_int_equal(json_known(json, "inputs top_k"), MK_EINPUT);
    }
}

static void a_syntax_error_does_not_quote_the_input(void **state)
{
    (void)state;
    assert_int_equal(read_text("{\"a\": alice}", 100), MK_EINPUT);
    assert_null(strstr(err_why(), "alice"));
}

static void members_have_types_and_ranges(void **state)
{
    (void)state;
    json_auto_t *json =
        json_pack("{s:s, s:i, s:[], s:n}", "text", "x", "n", 4, "list", "null");
    const char *text = NULL;
    int64_t n = 7;
    bool flag = false;
    json_t *list = NULL;
    assert_int_equal(json_text(json, "n", true, &text), MK_EINPUT);
    assert_int_equal(json_text(json, "absent", true, &text), MK_EINPUT);
    assert_int_equal(json_text(json, "null", false, &text), MK_EINPUT);
    assert_ok(json_text(json, "absent", false, &text));
    assert_int_equal(json_count(json, "n", 1, 3, &n), MK_EINPUT);
    assert_int_equal(json_count(json, "text", 1, 3, &n), MK_EINPUT);
    assert_ok(json_count(json, "absent", 1, 3, &n));
    assert_int_equal(n, 7);
    assert_int_equal(json_flag(json, "n", &flag), MK_EINPUT);
    assert_int_equal(json_list(json, "list", &list), MK_EINPUT);
    assert_int_equal(json_list(json, "absent", &list), MK_EINPUT);
}

/* -1: refused. */
static int64_t moment(const char *text)
{
    json_auto_t *json = json_pack("{s:s}", "until", text);
    int64_t seconds = -1;
    int rc = json_moment(json, "until", &seconds);
    assert_true(rc == 0 || (rc == MK_EINPUT && seconds == -1));
    return seconds;
}

static void a_moment_is_a_date_and_a_time_with_an_offset(void **state)
{
    (void)state;
    assert_int_equal(moment("2026-11-23T22:30:05Z"), 1795473005);
    assert_int_equal(moment("2026-11-23t22:30:05.987z"), 1795473005);
    assert_int_equal(moment("2026-11-24T00:00:05+01:30"), 1795473005);
    assert_int_equal(moment("2026-11-23T14:30:05-08:00"), 1795473005);
    assert_int_equal(moment("2028-02-29T00:00:00Z"), 1835395200);
    static const char *const wrong[] = {
        "",
        "2026-11-23",
        "2026-11-23T22:30Z",
        "2026-11-23T22:30:05",
        "2026-11-23 22:30:05Z",
        "2026-11-23T22:30:05.Z",
        "2026-11-23T22:30:05Z ",
        "2026-11-23T22:30:05+0100",
        "2026-11-23T22:30:05+01:60",
        "2026-11-23T22:30:05+24:00",
        "2026-11-23T22:30:05 01:00",
        "2026-11-23T22:30:05+1 :00",
        "2026-11-23T24:00:00Z",
        "2026-11-23T22:60:00Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "26-11-23T22:30:05Z",
        "+026-11-23T22:30:05Z",
        "1969-12-31T23:59:59Z",
    };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(moment(wrong[i]), -1);
}

static void a_moment_and_a_letter_are_of_their_type(void **state)
{
    (void)state;
    json_auto_t *json = json_pack("{s:n, s:i, s:s, s:s, s:s}", "null", "number", 4,
                                  "letter", "b", "word", "bc", "empty", "");
    int64_t seconds = 7;
    char letter = 'x';
    assert_ok(json_moment(json, "null", &seconds));
    assert_ok(json_moment(json, "absent", &seconds));
    assert_int_equal(seconds, 7);
    assert_int_equal(json_moment(json, "number", &seconds), MK_EINPUT);
    assert_int_equal(json_letter(json, "absent", 'a', 'd', &letter), MK_EINPUT);
    assert_int_equal(json_letter(json, "number", 'a', 'd', &letter), MK_EINPUT);
    assert_int_equal(json_letter(json, "word", 'a', 'd', &letter), MK_EINPUT);
    assert_int_equal(json_letter(json, "empty", 'a', 'd', &letter), MK_EINPUT);
    assert_int_equal(json_letter(json, "letter", 'c', 'd', &letter), MK_EINPUT);
    assert_ok(json_letter(json, "letter", 'a', 'd', &letter));
    assert_int_equal(letter, 'b');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_is_read),
        cmocka_unit_test(what_is_not_one_json_object_is_refused),
        cmocka_unit_test(the_same_member_twice_is_refused),
        cmocka_unit_test(nesting_ends_at_16),
        cmocka_unit_test(values_are_counted_before_parsing),
        cmocka_unit_test(an_unknown_member_is_refused_without_repeating_it),
        cmocka_unit_test(a_name_is_compared_as_a_whole),
        cmocka_unit_test(a_syntax_error_does_not_quote_the_input),
        cmocka_unit_test(members_have_types_and_ranges),
        cmocka_unit_test(a_moment_is_a_date_and_a_time_with_an_offset),
        cmocka_unit_test(a_moment_and_a_letter_are_of_their_type),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}

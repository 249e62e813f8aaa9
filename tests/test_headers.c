/* SPDX-License-Identifier: Apache-2.0 */
/* Headers: one reading of a request, or none. */
#include "tests/check.h"

#include "api/headers.h"

struct field {
    const char *name, *value;
};

/* The status for these fields, beside a Host. */
static unsigned check(const char *version, const struct field *fields, size_t n,
                      struct headers *ret_headers)
{
    *ret_headers = (struct headers){0};
    headers_add(ret_headers, "Host", "localhost");
    for (size_t i = 0; i < n; i++)
        headers_add(ret_headers, fields[i].name, fields[i].value);
    return headers_check(ret_headers, version);
}

#define CHECK(version, ...)                                                              \
    check(version, (const struct field[]){__VA_ARGS__},                                  \
          sizeof((const struct field[]){__VA_ARGS__}) / sizeof(struct field), &headers)

static void a_plain_request_is_read(void **state)
{
    (void)state;
    struct headers headers;
    assert_int_equal(CHECK("HTTP/1.1", {"content-LENGTH", "12"},
                           {"Content-Type", "Image/PNG; name=\"x\""}, {"X-Other", "a"}),
                     0);
    assert_int_equal(headers.content_length, 12);
    assert_string_equal(headers.media, "image/png");
    assert_int_equal(CHECK("HTTP/1.1", {"Transfer-Encoding", "Chunked"}), 0);
    assert_true(headers.chunked);
}

static void two_readings_of_the_length_are_refused(void **state)
{
    (void)state;
    struct headers headers;
    assert_int_equal(CHECK("HTTP/1.1", {"Content-Length", "5"}, {"Content-Length", "5"}),
                     400);
    assert_int_equal(
        CHECK("HTTP/1.1", {"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}),
        400);
    assert_int_equal(CHECK("HTTP/1.1", {"Content-Length ", "5"}), 400);
    assert_int_equal(CHECK("HTTP/1.1", {"Content-Length", "5, 5"}), 400);
    assert_int_equal(CHECK("HTTP/1.1", {"Content-Length", "+5"}), 400);
    assert_int_equal(CHECK("HTTP/1.1", {"Content-Length", "-5"}), 400);
    assert_int_equal(CHECK("HTTP/1.1", {"Content-Length", "0x5"}), 400);
    assert_int_equal(CHECK("HTTP/1.1", {"Content-Length", ""}), 400);
    assert_int_equal(CHECK("HTTP/1.1", {"Content-Length", "99999999999999999999"}), 400);
    assert_int_equal(CHECK("HTTP/1.1", {"Transfer-Encoding", "gzip, chunked"}), 400);
    assert_int_equal(CHECK("HTTP/1.1", {"Transfer-Encoding", "xchunked"}), 400);
    assert_int_equal(CHECK("HTTP/1.1", {"Transfer-Encoding", "chunked"},
                           {"Transfer-Encoding", "chunked"}),
                     400);
    assert_int_equal(CHECK("HTTP/1.0", {"Transfer-Encoding", "chunked"}), 400);
}

static void two_of_a_kind_are_refused(void **state)
{
    (void)state;
    struct headers headers;
    assert_int_equal(CHECK("HTTP/1.1", {"Host", "other"}), 400);
    assert_int_equal(CHECK("HTTP/1.1", {"Authorization", "a"}, {"Authorization", "b"}),
                     400);
    assert_int_equal(
        CHECK("HTTP/1.1", {"Idempotency-Key", "a"}, {"idempotency-key", "a"}), 400);
    assert_int_equal(CHECK("HTTP/1.1", {"Content-Type", "a/b"}, {"Content-Type", "a/b"}),
                     400);
    assert_int_equal(CHECK("HTTP/1.1", {"X-Other", "a"}, {"X-Other", "b"}), 0);
}

static void names_are_tokens(void **state)
{
    (void)state;
    struct headers headers;
    assert_int_equal(CHECK("HTTP/1.1", {"", "a"}), 400);
    assert_int_equal(CHECK("HTTP/1.1", {"X Y", "a"}), 400);
    assert_int_equal(CHECK("HTTP/1.1", {"X\tY", "a"}), 400);
    assert_int_equal(CHECK("HTTP/1.1", {"X(Y)", "a"}), 400);
    assert_int_equal(CHECK("HTTP/1.1", {"X-\xc3\xa9", "a"}), 400);
}

static void other_protocols_are_refused(void **state)
{
    (void)state;
    struct headers headers;
    assert_int_equal(CHECK("HTTP/1.2", {"X-Other", "a"}), 400);
    assert_int_equal(CHECK("HTTP/2.0", {"X-Other", "a"}), 400);
    assert_int_equal(CHECK("", {"X-Other", "a"}), 400);
    assert_int_equal(CHECK("HTTP/1.0", {"X-Other", "a"}), 0);
    headers = (struct headers){0};
    assert_int_equal(headers_check(&headers, "HTTP/1.1"), 400); /* no Host */
}

static void a_coded_body_is_not_read(void **state)
{
    (void)state;
    struct headers headers;
    assert_int_equal(CHECK("HTTP/1.1", {"Content-Encoding", "gzip"}), 415);
    assert_int_equal(CHECK("HTTP/1.1", {"Content-Encoding", "identity"}), 415);
}

static void a_media_type_has_an_end(void **state)
{
    (void)state;
    struct headers headers;
    char longest[200];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(CHECK("HTTP/1.1", {"Content-Type", longest}), 415);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_request_is_read),
        cmocka_unit_test(two_readings_of_the_length_are_refused),
        cmocka_unit_test(two_of_a_kind_are_refused),
        cmocka_unit_test(names_are_tokens),
        cmocka_unit_test(other_protocols_are_refused),
        cmocka_unit_test(a_coded_body_is_not_read),
        cmocka_unit_test(a_media_type_has_an_end),
    };
    return cmocka_run_group_tests_name("headers", tests, NULL, NULL);
}

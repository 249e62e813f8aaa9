/* SPDX-License-Identifier: Apache-2.0 */
/* traceparent: taken up when it is as the specification has it, else a new trace begins. */
#include "tests/check.h"

#include "api/trace.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"
#define GOOD "00-" TRACE "-" SPAN "-01"

static const char digits[] = "0123456789abcdef";

static void expect_well_formed(const struct trace *trace)
{
    assert_int_equal(strlen(trace->id), 32);
    assert_int_equal(strspn(trace->id, digits), 32);
    assert_int_equal(strlen(trace->span), 16);
    assert_int_equal(strspn(trace->span, digits), 16);
}

static void a_callers_trace_is_taken_up_with_a_span_of_ours(void **state)
{
    (void)state;
    static const char *const good[] = {
        GOOD,
        "00-" TRACE "-" SPAN "-00",
        "00-" TRACE "-" SPAN "-ff",
        "01-" TRACE "-" SPAN "-01",
        "01-" TRACE "-" SPAN "-01-what comes later",
        "fe-" TRACE "-" SPAN "-01-",
    };
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        struct trace trace;
        trace_begin(good[i], &trace);
        assert_string_equal(trace.id, TRACE);
        assert_string_not_equal(trace.span, SPAN);
        expect_well_formed(&trace);
    }
}

static void what_is_not_as_specified_begins_a_new_trace(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "00",
        TRACE,
        "0-" TRACE "-" SPAN "-01",
        "ff-" TRACE "-" SPAN "-01",
        "FE-" TRACE "-" SPAN "-01",
        "00-" TRACE "-" SPAN "-01-",
        "00-" TRACE "-" SPAN "-01-later",
        "01-" TRACE "-" SPAN "-01later",
        "00-" TRACE "-" SPAN "-1",
        "00-" TRACE "-" SPAN "-0g",
        "00-" TRACE "-" SPAN "-0A",
        "00-" TRACE "-" SPAN,
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-" SPAN "-011",
        "00-00000000000000000000000000000000-" SPAN "-01",
        "00-" TRACE "-0000000000000000-01",
        "00-" TRACE "-00F067AA0BA902B7-01",
        "00_" TRACE "_" SPAN "_01",
        "00-" TRACE "-" SPAN "_01",
        "00-" TRACE "_" SPAN "-01",
        " " GOOD,
        GOOD " ",
        GOOD "," GOOD,
        "00-\r\n92f3577b34da6a3ce929d0e0e47360-" SPAN "-01",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct trace trace;
        trace_begin(bad[i], &trace);
        assert_string_not_equal(trace.id, TRACE);
        expect_well_formed(&trace);
    }
}

static void traces_that_begin_here_differ(void **state)
{
    (void)state;
    struct trace one, other;
    trace_begin(NULL, &one);
    trace_begin(NULL, &other);
    expect_well_formed(&one);
    assert_string_not_equal(one.id, other.id);
    assert_string_not_equal(one.span, other.span);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_callers_trace_is_taken_up_with_a_span_of_ours),
        cmocka_unit_test(what_is_not_as_specified_begins_a_new_trace),
        cmocka_unit_test(traces_that_begin_here_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Request targets: an id means the same bytes to everybody, or the request is refused. */
#include "tests/check.h"

#include "api/target.h"

/* What the whole way makes of a raw target: the id of /subjects/{id}, or an error. */
static int read_id(const char *raw, struct target *ret_target)
{
    int rc = target_split(raw, ret_target);
    if (rc < 0)
        return rc;
    assert_int_equal(ret_target->segments, 2);
    if ((rc = target_decode(ret_target)) < 0)
        target_done(ret_target);
    return rc;
}

static void assert_id(const char *raw, const char *id, size_t len)
{
    struct target target;
    assert_ok(read_id(raw, &target));
    assert_int_equal(target.segment[1].len, len);
    assert_memory_equal(target.segment[1].data, id, len);
    assert_int_equal(target.segment[1].data[len], 0);
    target_done(&target);
    assert_null(target.copy);
}

static void assert_refused(const char *raw)
{
    struct target target;
    assert_int_equal(read_id(raw, &target), MK_EINPUT);
}

static void an_id_is_decoded_exactly_once(void **state)
{
    (void)state;
    assert_id("/subjects/alice", "alice", 5);
    assert_id("/subjects/a%2Fb", "a/b", 3);
    assert_id("/subjects/a%2fb", "a/b", 3);
    assert_id("/subjects/a%252Fb", "a%2Fb", 5);
    assert_id("/subjects/%41%6c", "Al", 2);
    assert_id("/subjects/a%3Fx", "a?x", 3);
    assert_id("/subjects/a+b", "a+b", 3);
    assert_id("/subjects/%0d%0a", "\r\n", 2);
    assert_id("/subjects/...", "...", 3);
}

static void utf8_is_kept_as_it_is(void **state)
{
    (void)state;
    assert_id("/subjects/%C3%A9", "\xc3\xa9", 2);   /* e with acute, composed */
    assert_id("/subjects/e%CC%81", "e\xcc\x81", 3); /* the same, decomposed: another id */
    assert_id("/subjects/%F0%9F%A6%8A", "\xf0\x9f\xa6\x8a", 4);
}

static void what_could_mean_somebody_else_is_refused(void **state)
{
    (void)state;
    assert_refused("/subjects/alice%00x");
    assert_refused("/subjects/%");
    assert_refused("/subjects/a%2");
    assert_refused("/subjects/a%zz");
    assert_refused("/subjects/a%%41");
    assert_refused("/subjects/");
    assert_refused("/subjects/.");
    assert_refused("/subjects/..");
    assert_refused("/subjects/%2e%2E");
    assert_refused("subjects/alice");
    assert_refused("http://host/subjects");
    assert_refused("/subjects/al ice");
    assert_refused("/subjects/al\"ice");
    assert_refused("/subjects/al\xc3\xa9");
    assert_refused("/subjects/alice#x");
}

static void bytes_that_are_no_utf8_are_refused(void **state)
{
    (void)state;
    assert_refused("/subjects/%FF");
    assert_refused("/subjects/%C3");          /* cut off */
    assert_refused("/subjects/%C0%AF");       /* overlong `/` */
    assert_refused("/subjects/%E0%80%AF");    /* overlong */
    assert_refused("/subjects/%ED%A0%80");    /* surrogate */
    assert_refused("/subjects/%F4%90%80%80"); /* beyond U+10FFFF */
    assert_refused("/subjects/%80");
}

static void an_id_has_at_most_512_bytes(void **state)
{
    (void)state;
    char raw[600] = "/subjects/", id[SEGMENT_MAX];
    memset(id, 'x', sizeof id);
    memcpy(raw + 10, id, sizeof id);
    assert_id(raw, id, sizeof id);
    raw[10 + sizeof id] = 'x';
    assert_refused(raw);
}

static void the_root_has_no_id(void **state)
{
    (void)state;
    struct target target;
    assert_ok(target_split("/", &target));
    assert_ok(target_decode(&target));
    target_done(&target);
    assert_refused("//");
}

static void a_query_has_names_and_values(void **state)
{
    (void)state;
    struct target target;
    assert_ok(target_split("/subjects/a?export=1&source=web%20form&empty", &target));
    assert_ok(target_decode(&target));
    assert_true(target.has_query);
    assert_string_equal(target_query(&target, "export"), "1");
    assert_string_equal(target_query(&target, "source"), "web form");
    assert_string_equal(target_query(&target, "empty"), "");
    assert_null(target_query(&target, "other"));
    target_done(&target);
}

static void a_query_is_never_guessed_at(void **state)
{
    (void)state;
    assert_refused("/subjects/a?source=a+b");
    assert_refused("/subjects/a?x=%00");
    assert_refused("/subjects/a?x=%f");
    assert_refused("/subjects/a?x=1&x=2");
    assert_refused("/subjects/a?x=1&%78=2");
}

static void a_bare_question_mark_is_a_query(void **state)
{
    (void)state;
    struct target target;
    assert_ok(target_split("/subjects/alice?", &target));
    assert_true(target.has_query);
    assert_int_equal(target.pairs, 0);
    target_done(&target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_decoded_exactly_once),
        cmocka_unit_test(utf8_is_kept_as_it_is),
        cmocka_unit_test(what_could_mean_somebody_else_is_refused),
        cmocka_unit_test(bytes_that_are_no_utf8_are_refused),
        cmocka_unit_test(an_id_has_at_most_512_bytes),
        cmocka_unit_test(the_root_has_no_id),
        cmocka_unit_test(a_query_has_names_and_values),
        cmocka_unit_test(a_query_is_never_guessed_at),
        cmocka_unit_test(a_bare_question_mark_is_a_query),
    };
    return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}

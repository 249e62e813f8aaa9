/* SPDX-License-Identifier: Apache-2.0 */
/* Replies: problem documents, numbers, and that nothing is left of them. */
#include "tests/check.h"

#include "api/problem.h"

static const char id[] = "0b0e7bd0-6f0a-4a5e-8c1f-000000000001";

static json_t *document_of(const struct reply *reply)
{
    json_t *json = json_loadb(reply->body->data, reply->body->len, 0, NULL);
    assert_non_null(json);
    return json;
}

static const char *member(const json_t *json, const char *name)
{
    return json_string_value(json_object_get(json, name));
}

static void a_problem_has_the_members_of_rfc_9457_and_error(void **state)
{
    (void)state;
    struct reply reply = {0};
    problem(405, id, "use GET", &reply);
    json_auto_t *json = document_of(&reply);
    assert_int_equal(reply.status, 405);
    assert_string_equal(reply.media, "application/problem+json");
    assert_string_equal(member(json, "type"), "about:blank");
    assert_string_equal(member(json, "title"), "Method Not Allowed");
    assert_string_equal(member(json, "detail"), "use GET");
    assert_string_equal(member(json, "error"), "use GET");
    assert_string_equal(member(json, "instance"),
                        "urn:uuid:0b0e7bd0-6f0a-4a5e-8c1f-000000000001");
    assert_int_equal(json_integer_value(json_object_get(json, "status")), 405);
    assert_true(reply.close);
    reply_done(&reply);
}

static unsigned status_of(int err)
{
    struct reply reply = {0};
    fail(err, "secret of the inside");
    problem_of_error(err, id, &reply);
    unsigned status = reply.status;
    json_auto_t *json = document_of(&reply);
    /* what went wrong inside is for the log; what the caller can change is for the caller
     */
    bool told = strcmp(member(json, "detail"), "secret of the inside") == 0;
    assert_int_equal(told, status < 500 || err == MK_EBUSY);
    assert_int_equal(reply.headers, status == 503);
    assert_int_equal(reply.fatal, err == MK_EUNKNOWN);
    reply_done(&reply);
    return status;
}

static void every_error_has_a_status(void **state)
{
    (void)state;
    assert_int_equal(status_of(MK_EINPUT), 400);
    assert_int_equal(status_of(MK_EAUTH), 403);
    assert_int_equal(status_of(MK_ENOTFOUND), 404);
    assert_int_equal(status_of(MK_ECONFLICT), 409);
    assert_int_equal(status_of(MK_ETOOBIG), 413);
    assert_int_equal(status_of(MK_EUNPROCESSABLE), 422);
    assert_int_equal(status_of(MK_EUNKNOWN), 500);
    assert_int_equal(status_of(MK_EIO), 500);
    assert_int_equal(status_of(MK_EREFUSED), 500);
    assert_int_equal(status_of(MK_ENOMEM), 503);
    assert_int_equal(status_of(MK_ESTORE), 503);
    assert_int_equal(status_of(MK_EBUSY), 503);
}

static void an_unknown_outcome_says_so_and_ends_the_process(void **state)
{
    (void)state;
    struct reply reply = {0};
    fail(MK_EUNKNOWN, "commit: input/output error");
    problem_of_error(MK_EUNKNOWN, id, &reply);
    json_auto_t *json = document_of(&reply);
    assert_string_equal(member(json, "type"), "urn:munkeyd:problem:outcome-unknown");
    assert_true(reply.fatal);
    reply_done(&reply);
}

static void a_problem_replaces_what_was_there_and_unlocks(void **state)
{
    (void)state;
    struct memory *bank = memory_new(4, 4);
    struct reply reply = {.locked = bank};
    memory_lock_shared(bank);
    assert_ok(reply_json(&reply, 200, json_pack("{s:i}", "half", 1)));
    assert_ok(reply_header(&reply, "Link", "<%s>", "/x"));
    fail(MK_EINPUT, "no");
    problem_of_error(MK_EINPUT, id, &reply);
    assert_int_equal(reply.status, 400);
    assert_int_equal(reply.headers, 0);
    assert_null(reply.locked);
    memory_drop(bank, 1, &(struct memory_state){0}); /* would wait for ever */
    reply_done(&reply);
    memory_free(bank);
}

static void a_limit_says_which_and_when_to_come_back(void **state)
{
    (void)state;
    const struct quota quota = {"predict", 100, 60, {0, 7}};
    struct reply reply = {0};
    problem_limited(&quota, id, &reply);
    json_auto_t *json = document_of(&reply);
    assert_int_equal(reply.status, 429);
    assert_string_equal(member(json, "title"), "Too Many Requests");
    assert_string_equal(member(json, "type"),
                        "https://iana.org/assignments/http-problem-types#quota-exceeded");
    assert_string_equal(
        member(json, "detail"),
        "too many requests: the limit \"predict\" is 100 in 60 seconds; ask again in 7");
    const json_t *violated = json_object_get(json, "violated-policies");
    assert_int_equal(json_array_size(violated), 1);
    assert_string_equal(json_string_value(json_array_get(violated, 0)), "predict");
    assert_string_equal(reply.header[0].name, "Retry-After");
    assert_string_equal(reply.header[0].value, "7");
    reply_done(&reply);
}

/* Equal bits have to give equal bytes, and other bits other bytes. */
static void a_float_is_written_with_nine_digits(void **state)
{
    (void)state;
    const float values[] = {0.1f, 1.0f / 3, 0.99999994f, 1.0f, 1e-20f, 0.333333343f};
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        struct reply reply = {0};
        assert_ok(reply_json(&reply, 200, json_pack("{s:f}", "p", (double)values[i])));
        assert_true(strtof(reply.body->data + strlen("{\"p\":"), NULL) == values[i]);
        reply_done(&reply);
    }
    struct reply reply = {0};
    assert_ok(reply_json(&reply, 200, json_pack("{s:f}", "p", (double)0.1f)));
    assert_string_equal(reply.body->data, "{\"p\":0.100000001}\n");
    reply_done(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_problem_has_the_members_of_rfc_9457_and_error),
        cmocka_unit_test(every_error_has_a_status),
        cmocka_unit_test(an_unknown_outcome_says_so_and_ends_the_process),
        cmocka_unit_test(a_problem_replaces_what_was_there_and_unlocks),
        cmocka_unit_test(a_limit_says_which_and_when_to_come_back),
        cmocka_unit_test(a_float_is_written_with_nine_digits),
    };
    return cmocka_run_group_tests_name("problem", tests, NULL, NULL);
}

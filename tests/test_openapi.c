/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAPI document: what the table of routes says stands in it, and nothing is left out. */
#include "tests/check.h"

#include <stdio.h>

#include "api/json.h"
#include "api/openapi.h"
#include "api/routes.h"

/* Of all public routes. */
static json_t *made(bool public_log)
{
    char *text;
    assert_ok(openapi_make(public_routes, public_log, &text));
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    assert_non_null(document);
    return document;
}

static json_t *operation(const json_t *document, const char *path, const char *method)
{
    json_t *paths = json_object_get(document, "paths");
    return json_object_get(json_object_get(paths, path), method);
}

/* Of the only token that the operation asks for; NULL: none. */
static const char *scope(const json_t *document, const char *path, const char *method)
{
    json_t *security = json_object_get(operation(document, path, method), "security");
    return json_string_value(
        json_array_get(json_object_get(json_array_get(security, 0), "bearer"), 0));
}

static void every_route_stands_in_the_document(void **state)
{
    (void)state;
    json_auto_t *document = made(true);
    assert_non_null(operation(document, "/subjects/{id}", "delete"));
    assert_non_null(operation(document, "/subjects/{id}", "get"));
    assert_non_null(operation(document, "/openapi.json", "get"));
}

static void head_stands_where_get_does(void **state)
{
    (void)state;
    json_auto_t *document = made(true);
    assert_non_null(operation(document, "/healthz", "head"));
    assert_null(operation(document, "/predict", "head"));
}

static void a_tile_has_a_path_for_each_length_of_its_number(void **state)
{
    (void)state;
    json_auto_t *document = made(true);
    assert_non_null(operation(document, "/log/tile/{level}/{n}", "get"));
    assert_non_null(
        operation(document, "/log/tile/entries/{first}/{second}/{n}.p/{width}", "get"));
    assert_null(operation(document, "/log/tile/{level}/{n...}", "get"));
}

static void an_operation_asks_for_the_scope_of_its_route(void **state)
{
    (void)state;
    json_auto_t *document = made(true);
    assert_string_equal(scope(document, "/predict", "post"), "predict");
    assert_string_equal(scope(document, "/subjects/{id}/hold", "put"), "admin");
    assert_null(scope(document, "/healthz", "get"));
}

static void a_log_that_is_not_public_asks_for_audit(void **state)
{
    (void)state;
    json_auto_t *open = made(true), *closed = made(false);
    assert_null(scope(open, "/log/vkey", "get"));
    assert_string_equal(scope(closed, "/log/vkey", "get"), "audit");
    assert_null(scope(closed, "/healthz", "get"));
}

/* openapi_make() of the public routes, one of them being another, says this. */
static void assert_refused(const char *path, struct route other, const char *sentence)
{
    struct route routes[128] = {0};
    char *text;
    size_t n = 0;
    for (; public_routes[n].path; n++) {
        assert_true(n < ARRAY_SIZE(routes) - 1);
        routes[n] = strcmp(public_routes[n].path, path) == 0 ? other : public_routes[n];
    }
    assert_int_equal(openapi_make(routes, true, &text), MK_EINPUT);
    assert_string_equal(err_why(), sentence);
}

static void a_route_that_no_file_describes_is_refused(void **state)
{
    (void)state;
    assert_refused("/healthz", (struct route){.method = "GET", .path = "/health"},
                   "api/openapi: GET /health: no `operations` describes it");
}

static void an_operation_that_is_no_route_is_refused(void **state)
{
    (void)state;
    struct route routes[] = {public_routes[0], {0}};
    char *text;
    assert_int_equal(openapi_make(routes, true, &text), MK_EINPUT);
    assert_non_null(strstr(err_why(), " is no route"));
}

static void a_parameter_that_no_file_describes_is_refused(void **state)
{
    (void)state;
    assert_refused(
        "/healthz",
        (struct route){.method = "GET", .path = "/healthz", .query = "export verbose"},
        "api/openapi: GET /healthz: no parameter `verbose` of the query is described");
}

static void a_media_type_that_no_file_describes_is_refused(void **state)
{
    (void)state;
    assert_refused(
        "/receipts/verify",
        (struct route){.method = "POST",
                       .path = "/receipts/verify",
                       .media = "application/json text/csv"},
        "api/openapi: POST /receipts/verify: `body` does not describe the media "
        "types of the table");
}

static void a_media_type_that_no_route_reads_is_refused(void **state)
{
    (void)state;
    assert_refused(
        "/receipts/verify", (struct route){.method = "POST", .path = "/receipts/verify"},
        "api/openapi: POST /receipts/verify: `body` does not describe the media "
        "types of the table");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_stands_in_the_document),
        cmocka_unit_test(head_stands_where_get_does),
        cmocka_unit_test(a_tile_has_a_path_for_each_length_of_its_number),
        cmocka_unit_test(an_operation_asks_for_the_scope_of_its_route),
        cmocka_unit_test(a_log_that_is_not_public_asks_for_audit),
        cmocka_unit_test(a_route_that_no_file_describes_is_refused),
        cmocka_unit_test(an_operation_that_is_no_route_is_refused),
        cmocka_unit_test(a_parameter_that_no_file_describes_is_refused),
        cmocka_unit_test(a_media_type_that_no_file_describes_is_refused),
        cmocka_unit_test(a_media_type_that_no_route_reads_is_refused),
    };
    return cmocka_run_group_tests_name("openapi", tests, NULL, NULL);
}

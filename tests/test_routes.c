/* SPDX-License-Identifier: Apache-2.0 */
/* Routes: which there are, and what a path that is none of them gets. */
#include "tests/check.h"

#include "api/routes.h"

static const char *found(const char *method, const char *raw,
                         char allow[static ALLOW_MAX])
{
    struct target target;
    assert_ok(target_split(raw, &target));
    const struct route *route = route_find(public_routes, method, &target, allow);
    target_done(&target);
    return route ? route->path : NULL;
}

static void a_route_is_found_by_undecoded_segments(void **state)
{
    (void)state;
    char allow[ALLOW_MAX];
    assert_string_equal(found("DELETE", "/subjects/a%2Fb", allow), "/subjects/{id}");
    assert_string_equal(found("POST", "/subjects/a/instances", allow),
                        "/subjects/{id}/instances");
    assert_string_equal(found("HEAD", "/healthz", allow), "/healthz");
    assert_null(found("DELETE", "/subjects/a/b", allow));
    assert_string_equal(allow, "");
    assert_null(found("POST", "/%70redict", allow));
    assert_string_equal(found("GET", "/", allow), "/");
    assert_null(found("GET", "//", allow));
    assert_null(found("GET", "//healthz", allow));
    assert_null(found("GET", "/healthz/", allow));
    assert_null(found("DELETE", "/subjects", allow));
}

static void a_template_that_ends_in_dots_takes_all_segments_that_follow(void **state)
{
    (void)state;
    char allow[ALLOW_MAX];
    assert_string_equal(found("GET", "/log/tile/0/067", allow),
                        "/log/tile/{level}/{n...}");
    assert_string_equal(found("GET", "/log/tile/0/x001/x234/067.p/8", allow),
                        "/log/tile/{level}/{n...}");
    assert_string_equal(found("GET", "/log/tile/entries/x001/067", allow),
                        "/log/tile/entries/{n...}");
    assert_null(found("GET", "/log/tile/0", allow));
    assert_string_equal(allow, "");
    assert_null(found("DELETE", "/log/tile/0/x001/067", allow));
    assert_string_equal(allow, "GET, HEAD");
}

static void a_known_path_says_which_methods_it_has(void **state)
{
    (void)state;
    char allow[ALLOW_MAX];
    assert_null(found("PATCH", "/subjects/a", allow));
    assert_string_equal(allow, "GET, HEAD, DELETE");
    assert_null(found("GET", "/predict", allow));
    assert_string_equal(allow, "POST");
    assert_null(
        found("GET", "/receipts/verify", allow)); /* though /receipts/{index} fits */
    assert_string_equal(allow, "POST");
}

static void every_route_that_shows_or_changes_a_person_needs_a_scope(void **state)
{
    (void)state;
    for (const struct route *route = public_routes; route->path; route++)
        if (strstr(route->path, "/subjects") || strstr(route->path, "/erasures") ||
            strstr(route->path, "/predict"))
            assert_int_not_equal(route->scope, SCOPE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_route_is_found_by_undecoded_segments),
        cmocka_unit_test(a_template_that_ends_in_dots_takes_all_segments_that_follow),
        cmocka_unit_test(a_known_path_says_which_methods_it_has),
        cmocka_unit_test(every_route_that_shows_or_changes_a_person_needs_a_scope),
    };
    return cmocka_run_group_tests_name("routes", tests, NULL, NULL);
}

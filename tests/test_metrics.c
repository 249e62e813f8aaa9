/* SPDX-License-Identifier: Apache-2.0 */
/* Counters and histograms: nothing is lost, and each value is in its bucket. */
#include "tests/check.h"

#include <pthread.h>

#include "api/metrics.h"
#include "api/routes.h"

enum { THREADS = 4, ROUNDS = 20000 };

static struct metrics *all_routes(void)
{
    const struct route *const tables[] = {public_routes, admin_routes, metrics_routes};
    struct metrics *metrics = metrics_new(tables, ARRAY_SIZE(tables));
    assert_non_null(metrics);
    return metrics;
}

static void every_route_has_a_row_and_so_has_what_has_no_route(void **state)
{
    (void)state;
    struct metrics *metrics = all_routes();
    for (const struct route *route = public_routes; route->path; route++)
        metrics_reply(metrics, route, 204);
    metrics_reply(metrics, &admin_routes[0], 599);
    metrics_reply(metrics, &metrics_routes[0], 200);
    metrics_reply(metrics, NULL, 408);
    size_t found = 0;
    for (size_t i = 0; i < metrics->n; i++)
        found += metrics->traffic[i].replies[204 - STATUS_MIN];
    assert_int_equal(metrics->traffic[0].route, public_routes);
    assert_true(found > 20);
    assert_null(metrics->traffic[metrics->n - 1].route);
    assert_int_equal(metrics->traffic[metrics->n - 1].replies[408 - STATUS_MIN], 1);
    metrics_free(metrics);
}

static void a_value_is_counted_in_every_bucket_that_it_fits_into(void **state)
{
    (void)state;
    struct metrics *metrics = all_routes();
    uint64_t count[BUCKETS + 1];
    double sum;
    metrics_images(metrics, 1);
    metrics_images(metrics, 2);
    metrics_images(metrics, 3);
    metrics_images(metrics, 1000000);
    histogram_read(&metrics->images, count, &sum);
    assert_int_equal(count[0], 1);           /* at most 1 */
    assert_int_equal(count[1], 2);           /* at most 2 */
    assert_int_equal(count[2], 3);           /* at most 4 */
    assert_int_equal(count[BUCKETS - 1], 3); /* at most 100,000 */
    assert_int_equal(count[BUCKETS], 4);
    assert_true(sum == 1000006);
    metrics_free(metrics);
}

static void bounds_ascend(void **state)
{
    (void)state;
    struct metrics *metrics = all_routes();
    for (size_t i = 1; i < BUCKETS; i++) {
        assert_true(metrics->images.bound[i] > metrics->images.bound[i - 1]);
        assert_true(metrics->traffic[0].seconds.bound[i] >
                    metrics->traffic[0].seconds.bound[i - 1]);
    }
    metrics_free(metrics);
}

static void *count_away(void *metrics)
{
    for (int i = 0; i < ROUNDS; i++) {
        metrics_reply(metrics, &public_routes[1], 200);
        metrics_took(metrics, &public_routes[1], 1500000000);
        metrics_erasure(metrics, ERASED);
    }
    return NULL;
}

static void threads_lose_nothing(void **state)
{
    (void)state;
    struct metrics *metrics = all_routes();
    pthread_t thread[THREADS];
    uint64_t count[BUCKETS + 1];
    double sum;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, count_away, metrics);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    histogram_read(&metrics->traffic[1].seconds, count, &sum);
    assert_int_equal(metrics->traffic[1].replies[0], THREADS * ROUNDS);
    assert_int_equal(metrics->erasures[ERASED], THREADS * ROUNDS);
    assert_int_equal(count[BUCKETS], THREADS * ROUNDS);
    assert_float_equal(sum, 1.5 * THREADS * ROUNDS, 1e-6);
    metrics_free(metrics);
}

static void what_is_not_served_counts_nothing(void **state)
{
    (void)state;
    metrics_reply(NULL, NULL, 200);
    metrics_took(NULL, NULL, 1);
    metrics_images(NULL, 1);
    metrics_erasure(NULL, HELD);
    metrics_stage(NULL, STAGE_ENCODER, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_has_a_row_and_so_has_what_has_no_route),
        cmocka_unit_test(a_value_is_counted_in_every_bucket_that_it_fits_into),
        cmocka_unit_test(bounds_ascend),
        cmocka_unit_test(threads_lose_nothing),
        cmocka_unit_test(what_is_not_served_counts_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Counters and histograms: atomics that nobody waits for. */
#include "api/metrics.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "api/handler.h"

#define MS UINT64_C(1000000)

/* 0.5 ms to 60 s, which is what clients such as Fides wait for. */
static const uint64_t durations[BUCKETS] = {
    MS / 2,    MS,         5 * MS / 2, 5 * MS,    10 * MS,   25 * MS,
    50 * MS,   100 * MS,   250 * MS,   500 * MS,  1000 * MS, 2500 * MS,
    5000 * MS, 10000 * MS, 30000 * MS, 60000 * MS};
static const uint64_t batches[BUCKETS] = {
    1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 10000, 100000};

const char *const outcome_name[OUTCOMES] = {"erased", "not_held", "held", "refused",
                                            "failed"};
const char *const delivery_name[DELIVERIES] = {"delivered", "given_up"};
const char *const stage_name[STAGES] = {"encoder", "memory", "classifier"};

uint64_t metrics_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 * MS + (uint64_t)now.tv_nsec;
}

static size_t count_routes(const struct route *const *tables, size_t n)
{
    size_t routes = 0;
    for (size_t i = 0; i < n; i++)
        for (const struct route *route = tables[i]; route->path; route++)
            routes++;
    return routes;
}

struct metrics *metrics_new(const struct route *const *tables, size_t n)
{
    size_t rows = count_routes(tables, n) + 1;
    struct metrics *metrics = calloc(1, sizeof *metrics + rows * sizeof(struct traffic));
    if (!metrics)
        return NULL;
    metrics->started = time(NULL);
    metrics->started_mono = metrics_now();
    metrics->images = (struct histogram){.bound = batches, .unit = 1};
    for (size_t i = 0; i < n; i++)
        for (const struct route *route = tables[i]; route->path; route++)
            metrics->traffic[metrics->n++].route = route;
    metrics->n++;
    for (size_t i = 0; i < metrics->n; i++)
        metrics->traffic[i].seconds =
            (struct histogram){.bound = durations, .unit = 1e-9};
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    free(metrics);
}

static void add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static void observe(struct histogram *histogram, uint64_t value)
{
    size_t bucket = 0;
    while (bucket < BUCKETS && value > histogram->bound[bucket])
        bucket++;
    add(&histogram->count[bucket], 1);
    add(&histogram->sum, value);
}

static struct traffic *traffic_of(struct metrics *metrics, const struct route *route)
{
    size_t i = 0;
    while (metrics->traffic[i].route != route)
        i++; /* ends: every route of the tables is there, and NULL is last */
    assert(i < metrics->n);
    return &metrics->traffic[i];
}

void metrics_reply(struct metrics *metrics, const struct route *route, unsigned status)
{
    assert(status >= STATUS_MIN && status < STATUS_END);
    if (metrics)
        add(&traffic_of(metrics, route)->replies[status - STATUS_MIN], 1);
}

void metrics_took(struct metrics *metrics, const struct route *route,
                  uint64_t nanoseconds)
{
    if (metrics)
        observe(&traffic_of(metrics, route)->seconds, nanoseconds);
}

void metrics_images(struct metrics *metrics, size_t images)
{
    if (metrics)
        observe(&metrics->images, images);
}

void metrics_erasure(struct metrics *metrics, enum outcome outcome)
{
    if (metrics)
        add(&metrics->erasures[outcome], 1);
}

void metrics_callback(struct metrics *metrics, enum delivery delivery)
{
    if (metrics)
        add(&metrics->callbacks[delivery], 1);
}

void metrics_callbacks_waiting(struct metrics *metrics, uint64_t n)
{
    if (metrics)
        metrics->callbacks_waiting = n;
}

void metrics_stage(struct metrics *metrics, enum stage stage, uint64_t nanoseconds)
{
    if (metrics)
        add(&metrics->stage[stage], nanoseconds);
}

void histogram_read(const struct histogram *histogram,
                    uint64_t ret_count[static BUCKETS + 1], double *ret_sum)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= BUCKETS; i++)
        ret_count[i] = count +=
            atomic_load_explicit(&histogram->count[i], memory_order_relaxed);
    *ret_sum = (double)atomic_load_explicit(&histogram->sum, memory_order_relaxed) *
               histogram->unit;
}

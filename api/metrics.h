/* SPDX-License-Identifier: Apache-2.0 */
/* What the service has done since it started: counters and histograms, for GET /stats and GET
 * /metrics.
 *
 *     metrics = metrics_new(tables, 2);
 *     metrics_reply(metrics, route, 200);               from any thread, without a lock
 *     metrics_observe(&metrics->images, 32);
 *
 * No name or number in here comes from a caller: what there is to count is known at the start.  A
 * service that is not served has none: NULL counts nothing.
 */
#ifndef MUNKEY_API_METRICS_H
#define MUNKEY_API_METRICS_H

#include <stddef.h>
#include <stdint.h>

struct route; /* api/handler.h */

/* Method and path of a request for which no route was found: what was sent is the caller's. */
#define UNROUTED "unknown"

enum { BUCKETS = 16, STATUS_MIN = 200, STATUS_END = 600 };

/* How many values were at most each of some bounds.  Values are integers; unit says of what. */
struct histogram {
    const uint64_t *bound; /* (BUCKETS), ascending; the last bucket has none */
    double unit;           /* 1e-9: nanoseconds, shown as seconds */
    _Atomic uint64_t count[BUCKETS + 1], sum;
};

/* Of one route: replies by status, and the time from the request's last byte to the reply. */
struct traffic {
    const struct route *route; /* NULL: of requests for which no route was found */
    _Atomic uint64_t replies[STATUS_END - STATUS_MIN];
    struct histogram seconds;
};

/* What became of a request to forget somebody, each time that it was answered. */
enum outcome { ERASED, NOT_HELD, HELD, REFUSED, FAILED, OUTCOMES };
extern const char *const outcome_name[OUTCOMES];

/* What became of a callback. */
enum delivery { DELIVERED, GIVEN_UP, DELIVERIES };
extern const char *const delivery_name[DELIVERIES];

/* Where a prediction's time goes. */
enum stage { STAGE_ENCODER, STAGE_MEMORY, STAGE_CLASSIFIER, STAGES };
extern const char *const stage_name[STAGES];

struct metrics {
    int64_t started;                                    /* Unix seconds */
    uint64_t started_mono;                              /* metrics_now() */
    struct histogram images;                            /* in a request for predictions */
    _Atomic uint64_t erasures[OUTCOMES], stage[STAGES]; /* nanoseconds */
    _Atomic uint64_t callbacks[DELIVERIES], callbacks_waiting;
    size_t n;
    struct traffic traffic[]; /* (n): a route each, and last those that have none */
};

/* tables: of routes, each as in api/routes.h.  NULL: no memory. */
struct metrics *metrics_new(const struct route *const *tables, size_t n);
void metrics_free(struct metrics *metrics);

uint64_t metrics_now(void); /* nanoseconds of a clock that is never set */

/* route NULL: none was found.  The status is any of HTTP's. */
void metrics_reply(struct metrics *metrics, const struct route *route, unsigned status);
void metrics_took(struct metrics *metrics, const struct route *route,
                  uint64_t nanoseconds);
void metrics_images(struct metrics *metrics, size_t images);
void metrics_erasure(struct metrics *metrics, enum outcome outcome);
void metrics_callback(struct metrics *metrics, enum delivery delivery);
void metrics_callbacks_waiting(struct metrics *metrics, uint64_t n); /* now */
void metrics_stage(struct metrics *metrics, enum stage stage, uint64_t nanoseconds);

/* Cumulative, so that the last is the count; of one moment but for what is just being added. */
void histogram_read(const struct histogram *histogram,
                    uint64_t ret_count[static BUCKETS + 1], double *ret_sum);

#endif

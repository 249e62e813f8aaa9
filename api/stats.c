/* SPDX-License-Identifier: Apache-2.0 */
/* GET /stats: what the console shows an operator.  Counts, never identities. */
#include <stdio.h>
#include <time.h>

#include "api/lanes.h"
#include "api/metrics.h"
#include "api/parts.h"
#include "api/process.h"
#include "api/routes.h"
#include "storage/request.h"

enum { LISTED_MAX = 100 }; /* of labels, and of held requests */

/* ---- what the memory holds ---- */

/* Its index as POST /predict counts; null while it does not answer. */
static json_t *json_index(const struct label_list *labels, size_t place, const char *name)
{
    if (!labels->code)
        return json_integer((json_int_t)place);
    size_t index = label_list_find(labels, name);
    return index < labels->n ? json_integer((json_int_t)index) : json_null();
}

static json_t *json_label(const struct service *service, const struct label_list *labels,
                          size_t place)
{
    const struct class_counts *counts = &memory_census(service->bank)->at[place];
    const char *name = memory_label_name(service->bank, place);
    if (!name && place < labels->n)
        name = labels->name[place];
    return json_pack("{s:s?, s:o, s:I, s:I}", "label", name, "index",
                     json_index(labels, place, name), "exact", (json_int_t)counts->exact,
                     "trained", (json_int_t)counts->trained);
}

/* Under the bank's shared lock. */
static json_t *json_instances(const struct service *service)
{
    const struct census *census = memory_census(service->bank);
    const struct label_list labels = service_labels(service);
    size_t places[LISTED_MAX];
    size_t n = census_largest(census, LISTED_MAX, places);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_label(service, &labels, places[i]));
    return json_pack("{s:I, s:I, s:I, s:I, s:o, s:I}", "total",
                     (json_int_t)(census->all.exact + census->all.trained), "exact",
                     (json_int_t)census->all.exact, "trained",
                     (json_int_t)census->all.trained, "masked",
                     (json_int_t)census->masked, "labels", list, "labels_total",
                     (json_int_t)census->labels);
}

/* ---- erasures ---- */

static json_t *json_held_requests(const struct request_row *row, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:o, s:o, s:s}", "received",
                                              json_time(row[i].received), "due",
                                              json_time(row[i].due), "regulation",
                                              row[i].regulation));
    return list;
}

static int read_erasures(const struct service *service, json_t **ret_json)
{
    struct request_row row[LISTED_MAX];
    size_t n;
    uint64_t total;
    int rc = requests_held(service->state, LISTED_MAX, row, &n, &total);
    if (rc < 0)
        return rc;
    json_t *json = json_pack("{s:o, s:I}", "held", json_held_requests(row, n),
                             "held_total", (json_int_t)total);
    for (int i = 0; i < OUTCOMES; i++)
        json_object_set_new(json, i == HELD ? "held_answers" : outcome_name[i],
                            json_integer((json_int_t)service->metrics->erasures[i]));
    *ret_json = json;
    return 0;
}

/* ---- traffic ---- */

/* {"buckets": [{"le", "count"}], "sum", "count"}; the last bucket has no bound. */
static json_t *json_histogram(const struct histogram *histogram)
{
    uint64_t count[BUCKETS + 1];
    double sum;
    histogram_read(histogram, count, &sum);
    json_t *buckets = json_array();
    for (size_t i = 0; i < BUCKETS; i++)
        json_array_append_new(buckets,
                              json_pack("{s:f, s:I}", "le",
                                        (double)histogram->bound[i] * histogram->unit,
                                        "count", (json_int_t)count[i]));
    return json_pack("{s:o, s:f, s:I}", "buckets", buckets, "sum", sum, "count",
                     (json_int_t)count[BUCKETS]);
}

static json_t *json_codes(const struct traffic *traffic)
{
    json_t *codes = json_object();
    for (unsigned i = 0; i < STATUS_END - STATUS_MIN; i++)
        if (traffic->replies[i]) {
            char code[12];
            snprintf(code, sizeof code, "%u", STATUS_MIN + i);
            json_object_set_new(codes, code,
                                json_integer((json_int_t)traffic->replies[i]));
        }
    return codes;
}

/* Of routes that were used. */
static void add_traffic(json_t *json, const struct metrics *metrics)
{
    json_t *requests = json_array(), *durations = json_array();
    for (size_t i = 0; i < metrics->n; i++) {
        const struct traffic *traffic = &metrics->traffic[i];
        const char *method = traffic->route ? traffic->route->method : UNROUTED;
        const char *path = traffic->route ? traffic->route->path : UNROUTED;
        json_t *codes = json_codes(traffic);
        if (json_object_size(codes) == 0) {
            json_decref(codes);
            continue;
        }
        json_array_append_new(requests, json_pack("{s:s, s:s, s:o}", "method", method,
                                                  "route", path, "codes", codes));
        if (!traffic->route)
            continue;
        json_t *duration = json_histogram(&traffic->seconds);
        json_object_set_new(duration, "method", json_string(method));
        json_object_set_new(duration, "route", json_string(path));
        json_array_append_new(durations, duration);
    }
    json_object_set_new(json, "requests", requests);
    json_object_set_new(json, "durations", durations);
    json_object_set_new(json, "batch", json_histogram(&metrics->images));
}

static json_t *json_queues(struct lanes *lanes)
{
    json_t *list = json_array();
    for (enum lane lane = LANE_INLINE + 1; lane < LANES; lane++) {
        struct depth depth = lanes_depth(lanes, lane);
        json_array_append_new(list, json_pack("{s:s, s:i, s:i}", "lane", lane_name(lane),
                                              "waiting", (int)depth.waiting, "running",
                                              (int)depth.running));
    }
    return list;
}

/* ---- the process ---- */

static json_t *json_log_head(const struct service *service)
{
    struct log_head head = state_log_head(service->state);
    int64_t age = time(NULL) - head.signed_at;
    return json_pack("{s:I, s:I}", "size", (json_int_t)head.size,
                     "checkpoint_age_seconds", (json_int_t)(age > 0 ? age : 0));
}

static json_t *json_process(const struct service *service)
{
    uint64_t uptime = metrics_now() - service->metrics->started_mono;
    return json_pack("{s:I, s:b, s:I}", "resident_bytes",
                     (json_int_t)process_read().resident, "memory_locked",
                     (int)memory_is_locked(service->bank), "uptime_seconds",
                     (json_int_t)(uptime / 1000000000));
}

/* The names of labels that are open leave before an erasure of the last instance is answered, as
 * with predictions: the bank stays locked until the reply is on its way. */
int stats_get(struct request *request, struct reply *ret_reply)
{
    const struct service *service = request->service;
    json_t *erasures;
    int rc = read_erasures(service, &erasures);
    if (rc < 0)
        return rc;
    json_t *json =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "time", json_time(time(NULL)),
                  "started", json_time(service->metrics->started), "erasures", erasures,
                  "queues", json_queues(service->lanes), "log", json_log_head(service),
                  "process", json_process(service));
    add_traffic(json, service->metrics);
    memory_lock_shared(service->bank);
    ret_reply->locked = service->bank;
    json_object_set_new(json, "instances", json_instances(service));
    return reply_json(ret_reply, 200, json);
}

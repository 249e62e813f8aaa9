/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics, on a listener of its own: Prometheus's text format, version 0.0.4.
 *
 * It waits for no disk: whoever watches wants to know also then.  No label's values grow with what is
 * held or sent: they are those of our tables, and the model's name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/journal.h"
#include "api/lanes.h"
#include "api/metrics.h"
#include "api/process.h"
#include "api/routes.h"
#include "core/err.h"

static void family(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void gauge(FILE *out, const char *name, const char *help, double value)
{
    family(out, name, "gauge", help);
    fprintf(out, "%s %.17g\n", name, value);
}

static void counter(FILE *out, const char *name, const char *help, double value)
{
    family(out, name, "counter", help);
    fprintf(out, "%s %.17g\n", name, value);
}

/* labels: `method="GET"`, or empty. */
static void put_histogram(FILE *out, const char *name, const char *labels,
                          const struct histogram *histogram)
{
    const char *comma = *labels ? "," : "", *open = *labels ? "{" : "",
               *close = *labels ? "}" : "";
    uint64_t count[BUCKETS + 1];
    double sum;
    histogram_read(histogram, count, &sum);
    for (size_t i = 0; i < BUCKETS; i++)
        fprintf(out, "%s_bucket{%s%sle=\"%g\"} %llu\n", name, labels, comma,
                (double)histogram->bound[i] * histogram->unit,
                (unsigned long long)count[i]);
    fprintf(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, labels, comma,
            (unsigned long long)count[BUCKETS]);
    fprintf(out, "%s_sum%s%s%s %.17g\n", name, open, labels, close, sum);
    fprintf(out, "%s_count%s%s%s %llu\n", name, open, labels, close,
            (unsigned long long)count[BUCKETS]);
}

/* ---- traffic ---- */

static void put_labels(const struct route *route, size_t size, char *ret_labels)
{
    snprintf(ret_labels, size, "method=\"%s\",route=\"%s\"",
             route ? route->method : UNROUTED, route ? route->path : UNROUTED);
}

static void put_requests(FILE *out, const struct metrics *metrics)
{
    static const char name[] = "munkeyd_http_requests_total";
    char labels[256];
    family(out, name, "counter", "Replies, by route, method and status.");
    for (size_t i = 0; i < metrics->n; i++) {
        const struct traffic *traffic = &metrics->traffic[i];
        put_labels(traffic->route, sizeof labels, labels);
        for (unsigned j = 0; j < STATUS_END - STATUS_MIN; j++)
            if (traffic->replies[j])
                fprintf(out, "%s{%s,code=\"%u\"} %llu\n", name, labels, STATUS_MIN + j,
                        (unsigned long long)traffic->replies[j]);
    }
}

/* Of routes that were used: most of the table is not. */
static void put_durations(FILE *out, const struct metrics *metrics)
{
    static const char name[] = "munkeyd_http_request_duration_seconds";
    char labels[256];
    family(out, name, "histogram", "From the last byte of a request to its reply.");
    for (size_t i = 0; i < metrics->n; i++) {
        const struct traffic *traffic = &metrics->traffic[i];
        uint64_t count[BUCKETS + 1];
        double sum;
        histogram_read(&traffic->seconds, count, &sum);
        put_labels(traffic->route, sizeof labels, labels);
        if (count[BUCKETS] > 0)
            put_histogram(out, name, labels, &traffic->seconds);
    }
}

static void put_predictions(FILE *out, const struct metrics *metrics)
{
    family(out, "munkeyd_predict_images", "histogram",
           "Images in a request for predictions.");
    put_histogram(out, "munkeyd_predict_images", "", &metrics->images);
    family(out, "munkeyd_predict_stage_seconds_total", "counter",
           "Time that predictions took in the encoder, the memory and the classifier.");
    for (int i = 0; i < STAGES; i++)
        fprintf(out, "munkeyd_predict_stage_seconds_total{stage=\"%s\"} %.17g\n",
                stage_name[i], (double)metrics->stage[i] * 1e-9);
}

static void put_queues(FILE *out, struct lanes *lanes)
{
    struct depth depth[LANES];
    for (enum lane lane = LANE_INLINE + 1; lane < LANES; lane++)
        depth[lane] = lanes_depth(lanes, lane);
    family(out, "munkeyd_queue_waiting", "gauge", "Requests that wait, by lane.");
    for (enum lane lane = LANE_INLINE + 1; lane < LANES; lane++)
        fprintf(out, "munkeyd_queue_waiting{lane=\"%s\"} %u\n", lane_name(lane),
                depth[lane].waiting);
    family(out, "munkeyd_queue_running", "gauge",
           "Requests that are worked on, by lane.");
    for (enum lane lane = LANE_INLINE + 1; lane < LANES; lane++)
        fprintf(out, "munkeyd_queue_running{lane=\"%s\"} %u\n", lane_name(lane),
                depth[lane].running);
}

/* ---- memory and log ---- */

static void put_memory(FILE *out, struct memory *bank)
{
    memory_lock_shared(bank);
    const struct class_counts all = memory_census(bank)->all;
    const uint64_t masked = memory_census(bank)->masked;
    const size_t labels = memory_census(bank)->labels;
    memory_unlock_shared(bank);
    family(out, "munkeyd_instances", "gauge", "Instances in the memory, by class.");
    fprintf(out, "munkeyd_instances{class=\"exact\"} %llu\n",
            (unsigned long long)all.exact);
    fprintf(out, "munkeyd_instances{class=\"trained\"} %llu\n",
            (unsigned long long)all.trained);
    gauge(out, "munkeyd_instances_masked", "Those of restricted subjects.",
          (double)masked);
    gauge(out, "munkeyd_labels", "Labels that have an instance.", (double)labels);
    gauge(out, "munkeyd_memory_locked", "Whether the keys are locked into RAM.",
          memory_is_locked(bank));
}

static void put_erasures(FILE *out, const struct metrics *metrics)
{
    static const char name[] = "munkeyd_erasures_total";
    family(out, name, "counter", "Requests to forget, each time they were answered.");
    for (int i = 0; i < OUTCOMES; i++)
        fprintf(out, "%s{outcome=\"%s\"} %llu\n", name, outcome_name[i],
                (unsigned long long)metrics->erasures[i]);
}

static void put_callbacks(FILE *out, const struct metrics *metrics)
{
    static const char name[] = "munkeyd_callbacks_total";
    family(out, name, "counter", "Callbacks that wait no more.");
    for (int i = 0; i < DELIVERIES; i++)
        fprintf(out, "%s{outcome=\"%s\"} %llu\n", name, delivery_name[i],
                (unsigned long long)metrics->callbacks[i]);
    gauge(out, "munkeyd_callbacks_waiting", "Callbacks that wait to be taken.",
          (double)metrics->callbacks_waiting);
}

static void put_log(FILE *out, const struct state *state)
{
    struct log_head head = state_log_head(state);
    gauge(out, "munkeyd_log_entries", "Entries of the log, as last signed.",
          (double)head.size);
    gauge(out, "munkeyd_log_checkpoint_timestamp_seconds",
          "When the last checkpoint was signed, since the epoch.",
          (double)head.signed_at);
}

/* ---- the process ---- */

static void put_process(FILE *out, const struct metrics *metrics)
{
    struct process process = process_read();
    counter(out, "process_cpu_seconds_total", "User and system time.",
            process.cpu_seconds);
    gauge(out, "process_resident_memory_bytes", "Memory in RAM.",
          (double)process.resident);
    gauge(out, "process_virtual_memory_bytes", "Address space.", (double)process.virtual);
    gauge(out, "process_open_fds", "Open file descriptors.", (double)process.open_fds);
    gauge(out, "process_max_fds", "Most file descriptors.", (double)process.max_fds);
    gauge(out, "process_start_time_seconds", "Start, since the epoch.",
          (double)metrics->started);
}

/* A label's value: backslash, quote and newline are escaped. */
static void put_value(FILE *out, const char *value)
{
    for (; *value; value++)
        if (*value == '\n')
            fputs("\\n", out);
        else
            fprintf(out, *value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
}

static void put_build(FILE *out, const struct model *model)
{
    family(out, "munkeyd_build_info", "gauge", "Which program serves which model.");
    fputs("munkeyd_build_info{version=\"" PACKAGE_VERSION "\",model=\"", out);
    put_value(out, model_info(model)->name);
    fputs("\"} 1\n", out);
}

int metrics_get(struct request *request, struct reply *ret_reply)
{
    const struct service *service = request->service;
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return fail(MK_ENOMEM, "no memory for the metrics");
    put_requests(out, service->metrics);
    put_durations(out, service->metrics);
    put_predictions(out, service->metrics);
    put_queues(out, service->lanes);
    put_memory(out, service->bank);
    put_erasures(out, service->metrics);
    put_callbacks(out, service->metrics);
    put_log(out, service->state);
    counter(out, "munkeyd_journal_dropped_total",
            "Records of requests that nobody read in time.", (double)journal_dropped());
    put_build(out, service->model);
    put_process(out, service->metrics);
    int rc =
        fclose(out) == 0
            ? reply_text(ret_reply, 200, "text/plain; version=0.0.4; charset=utf-8", text)
            : fail(MK_ENOMEM, "no memory for the metrics");
    free(text);
    return rc;
}

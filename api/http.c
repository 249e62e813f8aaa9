/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server: three listeners and what stands behind them, started in order, stopped in
 * reverse. */
#include "api/http.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "api/journal.h"
#include "api/json.h"
#include "api/lanes.h"
#include "api/listen.h"
#include "api/listener.h"
#include "api/metrics.h"
#include "api/openapi.h"
#include "api/routes.h"
#include "core/err.h"

enum { FAREWELL_SECONDS = 2 }; /* for replies that are on their way */

struct http {
    struct service *service;
    struct listener public, admin, metrics;
    struct in_flight in_flight;
};

/* PostgreSQL's lesson: after a failed commit the only way to know is to start again. */
void http_die(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    journal_say(LOG_CRIT,
                "a commit's outcome is unknown; ending, to recover at the start");
    abort();
}

static int open_sockets(struct http *http, const struct http_options *options)
{
    int rc = 0;
    http->public.fd = options->listen_fd;
    if (options->listen_fd < 0)
        rc = listen_tcp(options->address, options->port, &http->public.fd);
    if (rc == 0 && options->admin_socket)
        rc = listen_unix(options->admin_socket, &http->admin.fd);
    if (rc == 0 && options->metrics_address)
        rc = listen_tcp(options->metrics_address, options->metrics_port,
                        &http->metrics.fd);
    return rc;
}

static struct http *http_new(struct service *service)
{
    struct http *http = calloc(1, sizeof *http);
    if (!http)
        return NULL;
    http->service = service;
    http->public = (struct listener){.server = {service, public_routes, false},
                                     .in_flight = &http->in_flight,
                                     .tls = service->tls,
                                     .fd = -1};
    http->admin = (struct listener){
        .server = {service, admin_routes, true}, .in_flight = &http->in_flight, .fd = -1};
    http->metrics = (struct listener){.server = {service, metrics_routes, false},
                                      .in_flight = &http->in_flight,
                                      .fd = -1};
    in_flight_init(&http->in_flight);
    return http;
}

static unsigned cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (unsigned)n : 1;
}

int http_start(const struct http_options *options, struct service *service,
               struct http **ret_http)
{
    unsigned threads = options->predict_threads ? options->predict_threads : cores();
    const struct route *const tables[] = {public_routes, admin_routes, metrics_routes};
    struct http *http = http_new(service);
    service->metrics = metrics_new(tables, sizeof tables / sizeof *tables);
    int rc = http && service->metrics ? open_sockets(http, options)
                                      : fail(MK_ENOMEM, "no memory for a server");
    json_setup();
    if (rc == 0)
        rc = openapi_make(public_routes, service->public_log, &service->openapi);
    if (rc == 0)
        rc = reaper_start(service->metrics, &http->in_flight.reaper);
    if (rc == 0)
        rc = lanes_start(service->model, threads, service->limits.queue, &service->lanes);
    if (rc == 0)
        rc = quotas_new(service->limits.rate, service->limits.rate_window,
                        &service->quotas);
    if (rc == 0)
        rc = listener_start(&http->public);
    if (rc == 0)
        rc = listener_start(&http->admin);
    if (rc == 0)
        rc = listener_start(&http->metrics);
    if (rc == 0)
        *ret_http = http;
    else
        http_stop(http);
    return rc;
}

uint16_t http_port(const struct http *http)
{
    return listen_port(http->public.fd);
}

uint16_t http_metrics_port(const struct http *http)
{
    return listen_port(http->metrics.fd);
}

void http_drain(struct http *http)
{
    http->service->draining = true;
    listener_quiesce(&http->public);
}

void http_wipe(void *context)
{
    struct service *service = context;
    if (service->lanes)
        lanes_wipe(service->lanes);
    model_scrub(service->model);
}

void http_stop(struct http *http)
{
    if (!http)
        return;
    http_drain(http);
    listener_quiesce(&http->admin);
    listener_quiesce(&http->metrics);
    if (http->service->lanes)
        lanes_drain(
            http->service->lanes); /* resumes every connection that is suspended */
    in_flight_wait(&http->in_flight, FAREWELL_SECONDS);
    listener_stop(&http->public);
    listener_stop(&http->admin);
    listener_stop(&http->metrics);
    lanes_free(http->service->lanes);
    http->service->lanes = NULL;
    quotas_free(http->service->quotas);
    http->service->quotas = NULL;
    free(http->service->openapi);
    http->service->openapi = NULL;
    reaper_stop(http->in_flight.reaper);
    metrics_free(http->service->metrics);
    http->service->metrics = NULL;
    free(http);
}

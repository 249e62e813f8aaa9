/* SPDX-License-Identifier: Apache-2.0 */
/* One request and its reply: what is checked before a handler runs, in the order in which
 * it is checked. */
#include "api/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/auth.h"
#include "api/journal.h"
#include "api/problem.h"
#include "api/routes.h"
#include "storage/state.h"

struct exchange *exchange_new(const struct server *server, const char *raw)
{
    struct exchange *x = calloc(1, sizeof *x);
    if (!x || !(x->raw = strdup(raw ? raw : ""))) {
        free(x);
        return NULL;
    }
    x->raw_len = strlen(x->raw);
    x->server = server;
    x->request.service = server->service;
    x->request.raw_path = x->raw;
    x->request.target = &x->target;
    request_make_id(x->request.id);
    return x;
}

void exchange_free(struct exchange *x)
{
    if (!x)
        return;
    reply_done(&x->reply);
    blob_free(x->body);
    target_done(&x->target);
    explicit_bzero(x->raw, x->raw_len);
    free(x->raw);
    free(x);
}

static void refuse_with(struct exchange *x, unsigned status)
{
    x->refused = true;
    problem(status, x->request.id, err_why(), &x->reply);
}

void exchange_fail(struct exchange *x, int err)
{
    x->refused = true;
    problem_of_error(err, x->request.id, &x->reply);
}

static bool admit_headers(struct exchange *x, const char *version, bool peer)
{
    unsigned status = headers_check(&x->headers, version);
    /* A client that expects 100 waits for us; one with a doubtful length is not to be
     * read. */
    x->at_once = status || x->headers.field[HEADER_EXPECT].count;
    if (!status && !peer)
        status =
            refuse(403, "this socket is for the user that munkeyd runs as, and for root");
    if (status)
        refuse_with(x, status);
    return !status;
}

static bool admit_route(struct exchange *x, const char *method)
{
    char allow[ALLOW_MAX];
    int rc = target_split(x->raw, &x->target);
    if (rc < 0) {
        exchange_fail(x, rc);
        return false;
    }
    x->raw[strcspn(x->raw, "?")] = '\0';
    x->request.route = route_find(x->server->routes, method, &x->target, allow);
    if (x->request.route)
        return true;
    if (*allow) {
        refuse_with(x, refuse(405, "this path knows the methods %s", allow));
        reply_header(&x->reply, "Allow", "%s", allow);
    } else {
        refuse_with(
            x,
            refuse(404, "there is nothing at this path; docs/API.md lists the routes"));
    }
    return false;
}

/* Failures are counted by address, but no valid token is refused for the failures of its neighbours
 * behind one proxy: guessing 256 bits needs no limit, the noise does. */
static bool admit_rate(struct exchange *x, enum policy policy, uint64_t caller)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    if (quota_take(x->server->service->quotas, policy, caller,
                   t.tv_sec * INT64_C(1000000000) + t.tv_nsec, &x->quota))
        return true;
    x->refused = true;
    problem_limited(&x->quota, x->request.id, &x->reply);
    return false;
}

static bool admit_token(struct exchange *x)
{
    const struct service *service = x->server->service;
    const struct route *route = x->request.route;
    enum scope scope = route_scope(route, service->public_log);
    uint64_t caller = x->address;
    unsigned status = auth_check(
        service->tokens, x->headers.field[HEADER_AUTHORIZATION].value, scope, &caller);
    if (scope == SCOPE_NONE)
        return !route->log || admit_rate(x, POLICY_ADDRESS, caller);
    if (!admit_rate(x, status == 401 ? POLICY_UNAUTHORIZED : policy_of(scope), caller))
        return false;
    if (!status)
        return true;
    refuse_with(x, status);
    reply_header(&x->reply, "WWW-Authenticate", "Bearer realm=\"munkeyd\"%s",
                 status == 403 ? ", error=\"insufficient_scope\"" : "");
    return false;
}

/* Whether word stands in a list that is separated by spaces. */
static bool listed(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (; *list; list += strcspn(list, " "), list += *list == ' ')
        if (strcspn(list, " ") == len && memcmp(list, word, len) == 0)
            return true;
    return false;
}

static int check_query(const struct exchange *x)
{
    const struct route *route = x->request.route;
    if (x->target.has_query && !route->query)
        return fail(MK_EINPUT,
                    "%s %s takes no query; a `?` inside an id has to be written %%3F",
                    route->method, route->path);
    for (size_t i = 0; i < x->target.pairs; i++)
        if (!listed(route->query, x->target.pair[i].name.data))
            return fail(MK_EINPUT, "query parameter %zu is not known here; known are: %s",
                        i + 1, route->query);
    return 0;
}

static int check_key(struct exchange *x)
{
    const char *key = x->headers.field[HEADER_IDEMPOTENCY_KEY].value;
    if (!key)
        return 0;
    size_t len = strlen(key);
    for (size_t i = 0; i < len; i++)
        if (key[i] < 0x21 || key[i] > 0x7e)
            return fail(MK_EINPUT,
                        "Idempotency-Key has to be visible ASCII; a UUID is best");
    if (len == 0 || len > REQUEST_MAX)
        return fail(MK_EINPUT,
                    "Idempotency-Key has to have 1 to %d bytes; a UUID is best",
                    REQUEST_MAX);
    x->request.idempotency_key = key;
    return 0;
}

static bool admit_target(struct exchange *x)
{
    int rc = target_decode(&x->target);
    if (rc == 0)
        rc = check_query(x);
    if (rc == 0)
        rc = check_key(x);
    if (rc < 0)
        exchange_fail(x, rc);
    return rc == 0;
}

static bool reads_media(const struct route *route, const char *media)
{
    return !route->media || (route->untyped && !*media) || listed(route->media, media);
}

/* One buffer of the final size: growing would leave copies of a person's image behind. */
static bool admit_body(struct exchange *x)
{
    const struct route *route = x->request.route;
    const struct limits *limits = &x->server->service->limits;
    x->request.media = x->headers.media;
    x->request.json_length = x->headers.field[HEADER_JSON_LENGTH].value;
    x->request.if_none_match = x->headers.field[HEADER_IF_NONE_MATCH].value;
    x->body_max = route->large ? limits->predict_body : limits->json_body;
    if (x->headers.content_length > x->body_max)
        exchange_fail(x, fail(MK_ETOOBIG, "the body has %zu bytes; %zu is the limit here",
                              x->headers.content_length, x->body_max));
    else if (!reads_media(route, x->headers.media))
        refuse_with(x, refuse(415, "Content-Type has to be one of: %s", route->media));
    else if (route->media &&
             !(x->body = blob_new(x->headers.chunked ? x->body_max
                                                     : x->headers.content_length)))
        exchange_fail(x, fail(MK_ENOMEM, "no memory for the body"));
    return !x->refused;
}

/* More than one traceparent is none (W3C Trace Context, 3.2: a header with a single value). */
static void begin_trace(struct exchange *x)
{
    const bool one = x->headers.field[HEADER_TRACEPARENT].count == 1;
    trace_begin(one ? x->headers.field[HEADER_TRACEPARENT].value : NULL,
                &x->request.trace);
}

void exchange_admit(struct exchange *x, const char *method, const char *version,
                    bool peer)
{
    x->admitted = true;
    begin_trace(x);
    if (!x->refused && admit_headers(x, version, peer) && admit_route(x, method) &&
        admit_token(x) && admit_target(x) && admit_body(x))
        x->at_once = false;
}

void exchange_receive(struct exchange *x, const char *bytes, size_t len)
{
    if (x->refused)
        return;
    if (len > x->body_max - x->received) {
        exchange_fail(x, fail(MK_ETOOBIG,
                              "the body is larger than %zu bytes, the limit here",
                              x->body_max));
        return;
    }
    if (x->body)
        memcpy(x->body->data + x->received, bytes, len);
    x->received += len;
}

void exchange_finish(struct exchange *x)
{
    quota_tell(&x->quota, &x->reply);
}

enum lane exchange_lane(const struct exchange *x)
{
    return x->refused ? LANE_INLINE : x->request.route->lane;
}

/* The operator's line: the route's template, never the path. */
static void report(const struct exchange *x)
{
    const struct route *route = x->request.route;
    journal_say(LOG_ERR, "%s %s: %u: %s (%s)", route->method, route->path,
                x->reply.status, err_why(), err_where());
}

void exchange_handle(struct exchange *x, struct scratch *scratch)
{
    if (x->refused)
        return;
    const struct route *route = x->request.route;
    x->request.scratch = scratch;
    x->request.body = x->body ? x->body->data : "";
    x->request.body_len = x->body ? x->received : 0;
    int rc = route->run(&x->request, &x->reply);
    if (rc < 0)
        problem_of_error(rc, x->request.id, &x->reply);
    if (rc < 0 && x->reply.status >= 500)
        report(x);
    /* so that libmicrohttpd's buffer, which held the id, is freed too */
    if (route->lane == LANE_ERASE || route->lane == LANE_BULK)
        x->reply.close = true;
}

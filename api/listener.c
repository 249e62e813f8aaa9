/* SPDX-License-Identifier: Apache-2.0 */
/* One listening socket and its connections; the only file that includes microhttpd.h.
 *
 * A connection's thread reads the request (api/exchange.c), is suspended while a lane
 * works on it (api/lanes.c), and sends the reply.  A lane queues its reply itself, which
 * libmicrohttpd allows for a suspended connection "at any moment": so a prediction is in the
 * outbox before the bank's lock is released, and none that used a key is sent after that
 * key's erasure was answered (api/outbox.c).
 */
#include "api/listener.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/account.h"
#include "api/http.h"
#include "api/listen.h"
#include "api/parts.h"
#include "core/err.h"

enum {
    IO_THREADS = 2,
    /* Over 32 KiB libmicrohttpd maps a connection's memory and unmaps it at its end, so
     * that a request line, which may name a person, is gone from the process.  Up to 32
     * KiB it comes from malloc, and an erased id was found in it afterwards. */
    CONNECTION_MEMORY = 64 << 10,
};

/* What a connection has as long as it lives; either may be NULL. */
struct peer {
    struct watch *watch;
    struct certificate *certificate;
};

/* ---- replies ---- */

static struct MHD_Response *make_response(struct exchange *x)
{
    exchange_finish(x);
    struct reply *reply = &x->reply;
    struct blob *body = reply->body;
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback_cls(
            body ? body->len : 0, body ? body->data : NULL, blob_free, body);
    if (!response)
        return NULL;
    reply->body = NULL; /* transferred */
    MHD_add_response_header(response, "X-Request-Id", x->request.id);
    MHD_add_response_header(response, "Cache-Control",
                            reply->cache ? reply->cache : "no-store");
    if (reply->media)
        MHD_add_response_header(response, "Content-Type", reply->media);
    if (reply->close)
        MHD_add_response_header(response, "Connection", "close");
    for (size_t i = 0; i < reply->headers; i++)
        MHD_add_response_header(response, reply->header[i].name, reply->header[i].value);
    return response;
}

static int fd_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
        ->connect_fd;
}

static struct outbox *outbox_of(const struct exchange *x)
{
    return &((const struct listener *)x->server)->in_flight->outbox;
}

static void account(const struct exchange *x)
{
    account_reply(x->server->service->metrics, x->request.route,
                  (struct request_record){
                      .status = x->reply.status,
                      .nanoseconds = x->complete ? metrics_now() - x->complete : 0,
                      .id = x->request.id,
                      .trace = &x->request.trace,
                      .log_index = x->reply.log_index,
                  });
}

/* A prediction is in the outbox before reply_done() gives the bank's lock back: an erasure, which
 * needs the lock, finds it there. */
static enum MHD_Result queue_reply(struct exchange *x)
{
    struct MHD_Response *response = make_response(x);
    enum MHD_Result queued = MHD_NO;
    if (x->reply.locked)
        outbox_enter(outbox_of(x), &x->outgoing, fd_of(x->connection));
    if (response)
        queued = MHD_queue_response(x->connection, x->reply.status, response);
    if (response)
        MHD_destroy_response(response);
    x->queued = true;
    if (queued == MHD_YES)
        account(x);
    reply_done(&x->reply);
    return queued;
}

/* In a lane's thread.  After the resume x is the connection's again. */
static void run_in_lane(struct job *job, struct scratch *scratch)
{
    struct exchange *x = (struct exchange *)job;
    /* Before it reads: an erasure that it does not know of yet finds it there. */
    if (x->request.route->personal)
        outbox_enter(outbox_of(x), &x->outgoing, fd_of(x->connection));
    exchange_handle(x, scratch);
    bool fatal = x->reply.fatal;
    if (x->request.route->forgets && x->reply.status == 200)
        outbox_flush(outbox_of(x));
    queue_reply(x);
    MHD_resume_connection(x->connection);
    if (fatal)
        http_die();
}

/* ---- requests ---- */

static const struct limits *limits_of(const struct listener *listener)
{
    return &listener->server.service->limits;
}

static struct watch *watch_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info && info->socket_context ? ((struct peer *)info->socket_context)->watch
                                        : NULL;
}

static uint64_t address_of(struct MHD_Connection *connection)
{
    return address_number(
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
            ->client_addr);
}

static void *on_request_line(void *cls, const char *uri,
                             struct MHD_Connection *connection)
{
    struct listener *listener = cls;
    struct exchange *x = exchange_new(&listener->server, uri);
    if (!x)
        return NULL;
    x->connection = connection;
    x->line = uri;
    x->address = address_of(connection);
    reaper_arm(watch_of(connection), limits_of(listener)->request_seconds);
    in_flight_begin(listener->in_flight);
    return x;
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    (void)kind;
    headers_add(cls, name, value);
    return MHD_YES;
}

/* libmicrohttpd hands the target over as C text, which a NUL byte ends: `alice\0x` would be
 * alice.  It reads in place, so that the version stands right behind a whole target. */
static bool is_cut(const struct exchange *x, const char *version)
{
    return version != x->line + x->raw_len + 1;
}

static enum MHD_Result on_headers(struct exchange *x, const char *method,
                                  const char *version)
{
    bool peer = !x->server->admin || peer_is_ours(fd_of(x->connection));
    if (is_cut(x, version))
        exchange_fail(x, fail(MK_EINPUT, "the request line is not METHOD TARGET VERSION, "
                                         "one space between them and no NUL byte"));
    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, on_header, &x->headers);
    exchange_admit(x, method, version, peer);
    return x->refused && x->at_once ? queue_reply(x) : MHD_YES;
}

/* The request is complete.  Suspended first: a lane may be faster than this thread. */
static enum MHD_Result on_complete(struct exchange *x)
{
    const struct service *service = x->server->service;
    enum lane lane = exchange_lane(x);
    reaper_disarm(watch_of(x->connection));
    x->complete = metrics_now();
    if (lane == LANE_INLINE) {
        exchange_handle(x, NULL);
        return queue_reply(x);
    }
    MHD_suspend_connection(x->connection);
    x->job.run = run_in_lane;
    int rc = service_ready(service); /* as /readyz and the others say */
    if (rc == 0)
        rc = lanes_submit(service->lanes, lane, &x->job);
    if (rc < 0) {
        exchange_fail(x, rc);
        queue_reply(x);
        MHD_resume_connection(x->connection);
    }
    return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection,
                                  const char *url, const char *method,
                                  const char *version, const char *bytes, size_t *len,
                                  void **state)
{
    struct exchange *x = *state;
    (void)cls;
    (void)connection;
    (void)url; /* decoded and cut by libmicrohttpd; on_request_line() has it as it was
                  sent */
    if (!x || x->queued)
        return MHD_NO; /* no memory for the exchange, or for its reply */
    if (!x->admitted)
        return on_headers(x, method, version);
    if (*len == 0)
        return on_complete(x);
    exchange_receive(x, bytes, *len);
    *len = 0;
    return MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct listener *listener = cls;
    const struct limits *limits = limits_of(listener);
    (void)code;
    if (!*state)
        return;
    outbox_leave(&listener->in_flight->outbox, &((struct exchange *)*state)->outgoing);
    exchange_free(*state);
    *state = NULL;
    reaper_arm(watch_of(connection), limits->idle_seconds + limits->request_seconds);
    in_flight_end(listener->in_flight);
}

static struct peer *peer_new(struct listener *listener, struct MHD_Connection *connection)
{
    struct peer *peer = calloc(1, sizeof *peer);
    if (!peer)
        return NULL;
    peer->watch = reaper_add(listener->in_flight->reaper, fd_of(connection),
                             !listener->tls, limits_of(listener)->request_seconds);
    if (listener->tls)
        peer->certificate = tls_attach(
            listener->tls,
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION)
                ->tls_session);
    return peer;
}

static void peer_free(struct peer *peer)
{
    if (!peer)
        return;
    reaper_remove(peer->watch);
    certificate_release(peer->certificate);
    free(peer);
}

static void on_connection(void *cls, struct MHD_Connection *connection,
                          void **socket_state, enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *socket_state = peer_new(cls, connection);
    else
        peer_free(*socket_state);
}

/* Nothing is decoded here: api/target.c does it, once. */
static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

/* libmicrohttpd answers by itself what it cannot read, and tells nobody but its log. */
static bool is_refusal(const char *format)
{
    static const char begin[] = "Error processing request (HTTP response code is %u";
    return strncmp(format, begin, sizeof begin - 1) == 0;
}

/* The format alone: what would be filled in came from a caller.  That a stranger fails to speak TLS
 * is no news, and could be said a thousand times a second. */
static void on_log(void *cls, const char *format, va_list arguments)
{
    struct listener *listener = cls;
    if (is_refusal(format))
        account_reply(listener->server.service->metrics, NULL,
                      (struct request_record){.status = va_arg(arguments, unsigned)});
    else if (!strstr(format, "handshake"))
        journal_say(LOG_WARNING, "libmicrohttpd: %.*s", (int)strcspn(format, "\n"),
                    format);
}

/* ---- start and stop ---- */

int listener_start(struct listener *listener)
{
    const struct limits *limits = limits_of(listener);
    if (listener->fd < 0)
        return 0;
    struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem encrypted[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)tls_priorities},
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, tls_none},
        {MHD_OPTION_END, 0, NULL}};
    listener->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
            MHD_USE_ERROR_LOG | (listener->tls ? MHD_USE_TLS : 0),
        0, NULL, NULL, on_request, listener, MHD_OPTION_EXTERNAL_LOGGER, on_log, listener,
        MHD_OPTION_LISTEN_SOCKET, listener->fd, MHD_OPTION_THREAD_POOL_SIZE,
        (unsigned)IO_THREADS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_LIMIT, limits->connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        listener->server.admin ? 0 : limits->connections_per_ip,
        MHD_OPTION_CONNECTION_TIMEOUT, limits->idle_seconds, MHD_OPTION_URI_LOG_CALLBACK,
        on_request_line, listener, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, listener, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, listener, MHD_OPTION_ARRAY, listener->tls ? encrypted : plain,
        MHD_OPTION_END);
    if (!listener->daemon)
        return fail(MK_EIO, "libmicrohttpd did not start; its message stands above");
    return 0;
}

void listener_quiesce(struct listener *listener)
{
    if (listener->daemon && !listener->quiet)
        MHD_quiesce_daemon(listener->daemon);
    listener->quiet = true;
}

/* Quiet first: then the socket is ours to close. */
void listener_stop(struct listener *listener)
{
    listener_quiesce(listener);
    if (listener->daemon)
        MHD_stop_daemon(listener->daemon);
    if (listener->fd >= 0)
        close(listener->fd);
}

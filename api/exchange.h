/* SPDX-License-Identifier: Apache-2.0 */
/* One request and its reply, from the request line to the last byte; no socket in sight.
 *
 *     x = exchange_new(server, "/subjects/a%2Fb");    the raw target, decoded by nobody
 *     headers_add(&x->headers, name, value);          each header
 *     exchange_admit(x, "DELETE", "HTTP/1.1");        may set x->refused
 *     exchange_receive(x, bytes, len);                the body, as it comes
 *     exchange_handle(x, scratch);                    fills x->reply, refused or not
 *     exchange_free(x);                               wipes
 */
#ifndef MUNKEY_API_EXCHANGE_H
#define MUNKEY_API_EXCHANGE_H

#include "api/handler.h"
#include "api/headers.h"
#include "api/lanes.h"
#include "api/outbox.h"

/* What a listener serves. */
struct server {
    struct service *service;
    const struct route *routes;
    bool admin; /* the peer's uid is checked, not its token */
};

struct exchange {
    struct job job; /* first: lanes hand it back */
    const struct server *server;
    void *connection; /* for listener.c, */
    const char *line; /* as is the request line from the target on */
    uint64_t address; /* what stands for the peer's, in rate limits */
    struct target target;
    char *raw; /* the target as sent; cut before the query once it is split */
    size_t raw_len;
    struct headers headers;
    struct request request;
    struct reply reply;
    struct quota quota;       /* what is left of the limit that the request fell under */
    struct outgoing outgoing; /* of a prediction's reply, until it has left */
    struct blob *body;
    size_t received, body_max;
    uint64_t complete; /* when the last byte came: metrics_now(); 0: not yet */
    bool admitted;     /* exchange_admit() has run */
    bool refused; /* the reply is a problem already; what still comes is thrown away */
    bool at_once; /* reply without waiting for the body, whose end is not certain */
    bool queued;  /* the reply is on its way */
};

/* NULL: no memory.  raw: of the request line, undecoded; NULL when there was none. */
struct exchange *exchange_new(const struct server *server, const char *raw);
void exchange_free(struct exchange *x);

/* Checks headers, route, token, target and size, in this order.  peer: whether an admin
 * listener's peer may be here. */
void exchange_admit(struct exchange *x, const char *method, const char *version,
                    bool peer);
void exchange_receive(struct exchange *x, const char *bytes, size_t len);
enum lane exchange_lane(const struct exchange *x);
void exchange_handle(struct exchange *x, struct scratch *scratch);

/* What every reply says, once it is known: what is left of a rate limit. */
void exchange_finish(struct exchange *x);

/* Refuses with err's problem from here on. */
void exchange_fail(struct exchange *x, int err);

#endif

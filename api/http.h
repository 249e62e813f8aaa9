/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server: routes, limits, lanes, replies.
 *
 *     struct http *http;
 *     rc = http_start(&options, &service, &http);     serving
 *     ... a signal ...
 *     http_drain(http);                               finish what runs, begin nothing
 *     http_stop(http);
 *
 * Handlers (api/handler.h) see a parsed request and return a reply; they never see a
 * socket.
 */
#ifndef MUNKEY_API_HTTP_H
#define MUNKEY_API_HTTP_H

#include "api/service.h"

struct http; /* opaque */

struct http_options {
    const char *address;      /* "127.0.0.1", "::1"; numeric */
    uint16_t port;            /* 0: any free one, see http_port() */
    int listen_fd;            /* an open listening socket (socket activation), or -1 */
    const char *admin_socket; /* path of control.sock, or NULL for none */
    const char
        *metrics_address;     /* numeric, of the listener of GET /metrics; NULL: none */
    uint16_t metrics_port;    /* 0: any free one, see http_metrics_port() */
    unsigned predict_threads; /* lanes that predict; 0: one per core */
};

int http_start(const struct http_options *options, struct service *service,
               struct http **ret_http);
uint16_t http_port(const struct http *http);
uint16_t http_metrics_port(const struct http *http); /* 0: it is not served */

/* Makes every thread that predicts wipe what it and OpenBLAS hold of earlier ones, and waits
 * for it: state_options.scrub, with a struct service as its context, served or not. */
void http_wipe(void *service);

/* Ends the process, because only the next start can tell what a commit has done.  Replies that are
 * queued get a moment. */
void http_die(void);

/* /readyz answers 503 from here on; connections that are open are answered. */
void http_drain(struct http *http);
void http_stop(struct http *http);

#endif

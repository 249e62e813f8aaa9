/* SPDX-License-Identifier: Apache-2.0 */
/* One listening socket and its connections, each of which carries exchanges.
 *
 *     struct listener listener = {.server = {service, routes, false}, .in_flight = &in_flight, .fd = fd};
 *     rc = listener_start(&listener);
 *     listener_quiesce(&listener);        accepts no more; connections that are open are served
 *     listener_stop(&listener);           ends them and closes the socket
 */
#ifndef MUNKEY_API_LISTENER_H
#define MUNKEY_API_LISTENER_H

#include "api/exchange.h"
#include "api/reaper.h"
#include "api/tls.h"
#include "api/in_flight.h"

struct listener {
    struct server server; /* first: an exchange knows it */
    struct in_flight *in_flight;
    struct tls *tls; /* NULL: without */
    struct MHD_Daemon *daemon;
    int fd; /* ours to close; -1: there is none, and nothing to start or stop */
    bool quiet;
};

int listener_start(struct listener *listener);
void listener_quiesce(struct listener *listener);
void listener_stop(struct listener *listener);

#endif

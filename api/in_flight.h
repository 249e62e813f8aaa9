/* SPDX-License-Identifier: Apache-2.0 */
/* What is under way on all listeners together.
 *
 *     in_flight_begin(&in_flight);            a request line
 *     in_flight_end(&in_flight);              the last byte of its reply, or its connection is gone
 *     in_flight_wait(&in_flight, 2);          until nothing is under way, or for two seconds
 */
#ifndef MUNKEY_API_IN_FLIGHT_H
#define MUNKEY_API_IN_FLIGHT_H

#include <pthread.h>

#include "api/outbox.h"

struct reaper;

struct in_flight {
    struct reaper *reaper;
    struct outbox outbox;
    pthread_mutex_t mutex;
    pthread_cond_t none;
    unsigned exchanges; /* requests that are not answered to the last byte */
};

void in_flight_init(struct in_flight *in_flight);
void in_flight_begin(struct in_flight *in_flight);
void in_flight_end(struct in_flight *in_flight);
void in_flight_wait(struct in_flight *in_flight, unsigned seconds);

#endif

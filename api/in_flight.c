/* SPDX-License-Identifier: Apache-2.0 */
/* What is under way on all listeners together. */
#include "api/in_flight.h"

#include <time.h>

void in_flight_init(struct in_flight *in_flight)
{
    outbox_init(&in_flight->outbox);
    pthread_mutex_init(&in_flight->mutex, NULL);
    pthread_cond_init(&in_flight->none, NULL);
}

void in_flight_begin(struct in_flight *in_flight)
{
    pthread_mutex_lock(&in_flight->mutex);
    in_flight->exchanges++;
    pthread_mutex_unlock(&in_flight->mutex);
}

void in_flight_end(struct in_flight *in_flight)
{
    pthread_mutex_lock(&in_flight->mutex);
    if (--in_flight->exchanges == 0)
        pthread_cond_broadcast(&in_flight->none);
    pthread_mutex_unlock(&in_flight->mutex);
}

void in_flight_wait(struct in_flight *in_flight, unsigned seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&in_flight->mutex);
    while (in_flight->exchanges > 0)
        if (pthread_cond_timedwait(&in_flight->none, &in_flight->mutex, &until) != 0)
            break;
    pthread_mutex_unlock(&in_flight->mutex);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox: a ring in the order of entering, under a mutex. */
#include "api/outbox.h"

#include <sys/socket.h>
#include <time.h>

enum { PATIENCE_SECONDS = 1 };

void outbox_init(struct outbox *outbox)
{
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&outbox->mutex, NULL);
    pthread_cond_init(&outbox->left, &clock);
    pthread_condattr_destroy(&clock);
    outbox->ends.previous = outbox->ends.next = &outbox->ends;
    outbox->ends.number = UINT64_MAX;
    outbox->entered = 0;
}

void outbox_enter(struct outbox *outbox, struct outgoing *outgoing, int fd)
{
    pthread_mutex_lock(&outbox->mutex);
    *outgoing = (struct outgoing){.previous = outbox->ends.previous,
                                  .next = &outbox->ends,
                                  .number = ++outbox->entered,
                                  .fd = fd};
    outgoing->previous->next = outgoing;
    outbox->ends.previous = outgoing;
    pthread_mutex_unlock(&outbox->mutex);
}

static void take_out(struct outgoing *outgoing)
{
    outgoing->previous->next = outgoing->next;
    outgoing->next->previous = outgoing->previous;
    *outgoing = (struct outgoing){0};
}

/* libmicrohttpd, which owns it, finds the end of the connection and closes it; and with it goes what
 * the kernel has not sent. */
static void cut_off(struct outbox *outbox, struct outgoing *outgoing)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(outgoing->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    shutdown(outgoing->fd, SHUT_RDWR);
    take_out(outgoing);
    pthread_cond_broadcast(&outbox->left);
}

void outbox_leave(struct outbox *outbox, struct outgoing *outgoing)
{
    pthread_mutex_lock(&outbox->mutex);
    if (outgoing->next) {
        take_out(outgoing);
        pthread_cond_broadcast(&outbox->left);
    }
    pthread_mutex_unlock(&outbox->mutex);
}

void outbox_flush(struct outbox *outbox)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PATIENCE_SECONDS;
    pthread_mutex_lock(&outbox->mutex);
    const uint64_t last = outbox->entered;
    while (outbox->ends.next->number <= last)
        if (pthread_cond_timedwait(&outbox->left, &outbox->mutex, &until) != 0)
            break;
    while (outbox->ends.next->number <= last)
        cut_off(outbox, outbox->ends.next);
    pthread_mutex_unlock(&outbox->mutex);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Replies that know of people and have not left, those of predictions and of access: an erasure's reply
 * goes after them.
 *
 *     outbox_enter(&outbox, &x->outgoing, fd);  before the reply is queued
 *     outbox_leave(&outbox, &x->outgoing);      the kernel has it, or its connection is gone
 *     outbox_flush(&outbox);                    waits for all that are in it now
 */
#ifndef MUNKEY_API_OUTBOX_H
#define MUNKEY_API_OUTBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* One reply's place; zeros: it is not in the outbox. */
struct outgoing {
    struct outgoing *previous, *next;
    uint64_t number; /* from 1, in the order of entering */
    int fd;          /* of its connection, which is open as long as it is in the outbox */
};

struct outbox {
    pthread_mutex_t mutex;
    pthread_cond_t left;
    struct outgoing ends; /* of the ring: next is the oldest */
    uint64_t entered;
};

void outbox_init(struct outbox *outbox);
void outbox_enter(struct outbox *outbox, struct outgoing *outgoing, int fd);
void outbox_leave(struct outbox *outbox, struct outgoing *outgoing); /* if it is in it */

/* Returns when nothing that entered before the call is left.  Whoever has not read what they asked for
 * after a second loses the connection, and what the kernel has not sent of it: it holds up no
 * erasure, and no part of it is handed over afterwards. */
void outbox_flush(struct outbox *outbox);

#endif

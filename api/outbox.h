/* SPDX-License-Identifier: Apache-2.0 */
/* Predictions' replies that are queued and have not left: an erasure's reply goes after them.
 *
 *     outbox_enter(&outbox, &x->outgoing);      before the reply is queued
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
};

struct outbox {
    pthread_mutex_t mutex;
    pthread_cond_t left;
    struct outgoing ends; /* of the ring: next is the oldest */
    uint64_t entered;
};

void outbox_init(struct outbox *outbox);
void outbox_enter(struct outbox *outbox, struct outgoing *outgoing);
void outbox_leave(struct outbox *outbox, struct outgoing *outgoing); /* if it is in it */

/* Returns when nothing that entered before the call is left, or after a second: a caller who does
 * not read what it asked for cannot hold up an erasure. */
void outbox_flush(struct outbox *outbox);

#endif

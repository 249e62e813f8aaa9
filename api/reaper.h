/* SPDX-License-Identifier: Apache-2.0 */
/* The reaper: ends connections that take too long to send a request.
 *
 *     watch = reaper_add(reaper, fd, 10);      connected: 10 seconds from now
 *     reaper_arm(watch, 10);                   a request has begun
 *     reaper_disarm(watch);                    it is complete: now it is our turn
 *     reaper_remove(watch);                    before the fd is closed
 *
 * libmicrohttpd's own timeout sees silence only: one byte a second stays alive for ever.
 */
#ifndef MUNKEY_API_REAPER_H
#define MUNKEY_API_REAPER_H

#include <stdbool.h>

struct reaper; /* opaque; a thread of its own */
struct watch;  /* one connection */
struct metrics;

/* metrics: where it counts its replies; borrowed. */
int reaper_start(struct metrics *metrics, struct reaper **ret_reaper);
void reaper_stop(struct reaper *reaper); /* after the last reaper_remove() */

/* NULL when there is no memory: the connection is then not watched.  plain: what is too slow is
 * told so; one that is encrypted just ends, because the keys are another thread's. */
struct watch *reaper_add(struct reaper *reaper, int fd, bool plain, unsigned seconds);
void reaper_arm(struct watch *watch, unsigned seconds);
void reaper_disarm(struct watch *watch);
void reaper_remove(struct watch *watch);

#endif

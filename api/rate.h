/* SPDX-License-Identifier: Apache-2.0 */
/* One limit: how many requests each caller may send in a window of seconds.
 *
 *     struct rate *rate = rate_new(100, 60);
 *     if (!rate_take(rate, caller, now, &left))
 *         ... in left.seconds there is one more
 *
 * A token bucket: full at first, so that all of them may come at once, and filled evenly.
 * The number of buckets is fixed.  A bucket that is full says nothing; so a new caller takes
 * the place of the one that is nearest to it, and no flood of callers costs memory.
 */
#ifndef MUNKEY_API_RATE_H
#define MUNKEY_API_RATE_H

#include <stdbool.h>
#include <stdint.h>

enum { RATE_CALLERS = 1024 };

struct rate; /* opaque; safe for many threads */

struct rate_left {
    unsigned requests; /* that may come now */
    unsigned seconds;  /* until there is one more, rounded up; 0: the bucket is full */
};

/* quota, window: at least 1.  NULL: no memory. */
struct rate *rate_new(unsigned quota, unsigned window);
void rate_free(struct rate *rate);

/* Takes one request out of the caller's bucket, or returns false when it is empty.  now:
 * nanoseconds of a clock that never goes back. */
bool rate_take(struct rate *rate, uint64_t caller, int64_t now,
               struct rate_left *ret_left);

#endif

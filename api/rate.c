/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets, each kept as one number: when it will be full again. */
#include "api/rate.h"

#include <pthread.h>
#include <stdlib.h>

static const int64_t second = 1000000000;

struct bucket {
    uint64_t caller;
    int64_t full; /* when, if nothing is taken until then */
};

struct rate {
    unsigned quota;
    int64_t each; /* nanoseconds in which one request comes back */
    pthread_mutex_t mutex;
    unsigned n;
    struct bucket bucket[RATE_CALLERS];
};

struct rate *rate_new(unsigned quota, unsigned window)
{
    struct rate *rate = calloc(1, sizeof *rate);
    if (!rate)
        return NULL;
    rate->quota = quota;
    rate->each = window * second / quota;
    pthread_mutex_init(&rate->mutex, NULL);
    return rate;
}

void rate_free(struct rate *rate)
{
    free(rate);
}

/* The caller's, or a full one in the place of the bucket that is full first.  A walk over 16 KiB
 * at most: no hash that strangers could aim at. */
static struct bucket *bucket_of(struct rate *rate, uint64_t caller, int64_t now)
{
    struct bucket *first = rate->bucket;
    for (unsigned i = 0; i < rate->n; i++) {
        struct bucket *bucket = &rate->bucket[i];
        if (bucket->caller == caller)
            return bucket;
        if (bucket->full < first->full)
            first = bucket;
    }
    if (rate->n < RATE_CALLERS)
        first = &rate->bucket[rate->n++];
    *first = (struct bucket){caller, now};
    return first;
}

static struct rate_left left_in(const struct rate *rate, int64_t missing)
{
    unsigned requests = (unsigned)(rate->quota - (missing + rate->each - 1) / rate->each);
    int64_t next = missing - rate->each * (rate->quota - requests - 1);
    unsigned seconds = missing ? (unsigned)((next + second - 1) / second) : 0;
    return (struct rate_left){requests, seconds};
}

bool rate_take(struct rate *rate, uint64_t caller, int64_t now,
               struct rate_left *ret_left)
{
    pthread_mutex_lock(&rate->mutex);
    struct bucket *bucket = bucket_of(rate, caller, now);
    int64_t missing = bucket->full > now ? bucket->full - now : 0;
    bool some = missing + rate->each <= rate->each * rate->quota;
    if (some) {
        missing += rate->each;
        bucket->full = now + missing;
    }
    pthread_mutex_unlock(&rate->mutex);
    *ret_left = left_in(rate, missing);
    return some;
}

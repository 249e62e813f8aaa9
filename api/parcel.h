/* SPDX-License-Identifier: Apache-2.0 */
/* Parcels: what the courier remembers of callbacks that wait.  In RAM only: after a start all of them
 * are due at once, and none of it says where they go.
 *
 *     rc = parcels_add(&parcels, row, &parcel);
 *     parcel = parcels_at(&parcels, row);                  NULL: not known
 *     if (!parcel_delay(parcel, wait, moment))
 *         ... give it up ...
 *     parcels_drop(&parcels, row);
 */
#ifndef MUNKEY_API_PARCEL_H
#define MUNKEY_API_PARCEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two clocks: seconds since some start, which nobody sets, and Unix seconds. */
struct moment {
    int64_t ticks, date;
};
struct moment moment_now(void);

struct parcel {
    bool known;
    bool away;         /* on its way, or delivered and not yet overwritten */
    size_t receiver;   /* RECEIVERS_NONE: the operator does not list it any more */
    uint64_t n;        /* the log entry that it is about: what a log line may name */
    unsigned attempts; /* that failed, since the start */
    int64_t due;       /* ticks */
    int64_t deadline;  /* Unix: the last attempt is not before */
};

struct parcels {
    struct parcel *parcel; /* (room), of row i + 1 */
    uint64_t room, known;
};

int parcels_add(struct parcels *parcels, uint64_t row, const struct parcel *parcel);
struct parcel *parcels_at(const struct parcels *parcels, uint64_t row);
void parcels_drop(struct parcels *parcels, uint64_t row);
void parcels_done(struct parcels *parcels);

/* Seconds until the next attempt: exponential, with jitter, 6 hours at most. */
int64_t parcel_backoff(unsigned attempts);

/* After a failure: when it is due again, not before `wait` seconds, and at its deadline for the last
 * time.  false: that was the last time. */
bool parcel_delay(struct parcel *parcel, int64_t wait, struct moment now);

#endif

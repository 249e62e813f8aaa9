/* SPDX-License-Identifier: Apache-2.0 */
/* When what has to be tried again. */
#include "api/parcel.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "storage/crypto.h"

enum { FIRST_SECONDS = 5, FACTOR = 3, LONGEST_SECONDS = 6 * 3600 };

struct moment moment_now(void)
{
    struct timespec ticks;
    clock_gettime(CLOCK_MONOTONIC, &ticks);
    return (struct moment){ticks.tv_sec, time(NULL)};
}

int parcels_add(struct parcels *parcels, uint64_t row, const struct parcel *parcel)
{
    if (row > parcels->room) {
        uint64_t room = row > 2 * parcels->room ? row : 2 * parcels->room;
        struct parcel *grown = realloc(parcels->parcel, room * sizeof *grown);
        if (!grown)
            return fail(MK_ENOMEM, "no memory for a list of callbacks");
        memset(grown + parcels->room, 0, (room - parcels->room) * sizeof *grown);
        parcels->parcel = grown;
        parcels->room = room;
    }
    parcels->known += !parcels->parcel[row - 1].known;
    parcels->parcel[row - 1] = *parcel;
    parcels->parcel[row - 1].known = true;
    return 0;
}

struct parcel *parcels_at(const struct parcels *parcels, uint64_t row)
{
    return row <= parcels->room && parcels->parcel[row - 1].known
               ? &parcels->parcel[row - 1]
               : NULL;
}

void parcels_drop(struct parcels *parcels, uint64_t row)
{
    parcels->known -= parcels->parcel[row - 1].known;
    parcels->parcel[row - 1] = (struct parcel){0};
}

void parcels_done(struct parcels *parcels)
{
    free(parcels->parcel);
}

/* Half of it is chance, so that those who failed together do not come back together. */
int64_t parcel_backoff(unsigned attempts)
{
    int64_t seconds = FIRST_SECONDS;
    uint32_t chance;
    while (attempts-- > 1 && seconds < LONGEST_SECONDS)
        seconds *= FACTOR;
    seconds = seconds < LONGEST_SECONDS ? seconds : LONGEST_SECONDS;
    crypto_random(&chance, sizeof chance);
    return seconds - chance % (seconds / 2 + 1);
}

bool parcel_delay(struct parcel *parcel, int64_t wait, struct moment now)
{
    int64_t left = parcel->deadline - now.date;
    int64_t seconds = parcel_backoff(++parcel->attempts);
    if (left <= 0)
        return false;
    /* The clock's seconds are whole: one that has begun does not count. */
    seconds = wait > 0 && seconds < wait + 1 ? wait + 1 : seconds;
    parcel->due = now.ticks + (seconds < left ? seconds : left);
    return true;
}

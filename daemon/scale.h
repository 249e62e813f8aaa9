/* SPDX-License-Identifier: Apache-2.0 */
/* Scales: from values to places on paper, and where to put the ticks.
 *
 *     struct scale x = {.low = 1, .high = 3600, .log = true, .from = 40, .to = 380};
 *     scale_widen(&x, seconds);                    for every value that has to fit
 *     n = scale_ticks(&x, 6, ticks);
 *     place = scale_at(&x, ticks[0].value);
 */
#ifndef MUNKEY_DAEMON_SCALE_H
#define MUNKEY_DAEMON_SCALE_H

#include <stdbool.h>
#include <stddef.h>

/* How values are written beside an axis. */
enum measure { MEASURE_PLAIN, MEASURE_PERCENT, MEASURE_SECONDS };

struct scale {
    double low, high; /* values; low < high once it is round, and low > 0 if log */
    bool log;
    enum measure measure;
    double from, to; /* places of low and high */
};

enum { TICKS_MAX = 24 };
struct tick {
    double value;
    char text[16]; /* empty: a small tick without a text */
};

void scale_widen(struct scale *scale, double value);

/* Moves low and high outward to round values. */
void scale_round(struct scale *scale);

/* Values beyond the ends stand at the ends. */
double scale_at(const struct scale *scale, double value);

/* About so many ticks with texts; returns how many there are in all. */
size_t scale_ticks(const struct scale *scale, size_t wanted,
                   struct tick ret_ticks[static TICKS_MAX]);

#endif

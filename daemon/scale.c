/* SPDX-License-Identifier: Apache-2.0 */
/* Scales, linear and logarithmic, and their ticks. */
#include "daemon/scale.h"

#include <math.h>
#include <stdio.h>

#include "daemon/markup.h"

void scale_widen(struct scale *scale, double value)
{
    scale->low = fmin(scale->low, value);
    scale->high = fmax(scale->high, value);
}

/* 1, 2 or 5 times a power of ten, the smallest that cuts the range into at most n. */
static double step_of(const struct scale *scale, size_t n)
{
    double rough = (scale->high - scale->low) / (double)n;
    double power = pow(10, floor(log10(rough)));
    double part = rough / power - 1e-9;
    return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

void scale_round(struct scale *scale)
{
    if (scale->log) {
        scale->low = pow(10, floor(log10(scale->low) + 1e-9));
        scale->high = pow(10, ceil(log10(scale->high) - 1e-9));
        if (scale->high <= scale->low)
            scale->high = 10 * scale->low;
        return;
    }
    if (scale->high <= scale->low)
        scale->high = scale->low + 1;
    double step = step_of(scale, 5);
    scale->low = step * floor(scale->low / step + 1e-9);
    scale->high = step * ceil(scale->high / step - 1e-9);
    if (scale->measure == MEASURE_PERCENT && scale->low < 100 && scale->high > 0) {
        scale->low = fmax(scale->low, 0); /* intervals may reach beyond what can be */
        scale->high = fmin(scale->high, 100);
    }
}

double scale_at(const struct scale *scale, double value)
{
    double low = scale->low, high = scale->high;
    value = fmin(fmax(value, low), high);
    double part =
        scale->log ? log(value / low) / log(high / low) : (value - low) / (high - low);
    return scale->from + part * (scale->to - scale->from);
}

static int decimals_of(double step)
{
    int decimals = (int)-floor(log10(step) + 1e-9);
    return decimals < 0 ? 0 : decimals > 9 ? 9 : decimals;
}

static void seconds_text(double value, struct tick *tick)
{
    static const struct {
        double seconds;
        const char *name;
    } units[] = {{1, "s"}, {1e-3, "ms"}, {1e-6, "\xC2\xB5s"}, {1e-9, "ns"}};
    size_t i = 0;
    while (i < 3 && value < units[i].seconds * (1 - 1e-9))
        i++;
    struct number number = number_significant(value / units[i].seconds, 1);
    snprintf(tick->text, sizeof tick->text, "%.10s\xC2\xA0%s", number.text,
             units[i].name);
}

static struct tick tick_of(const struct scale *scale, double value, double step)
{
    struct tick tick = {.value = value};
    if (scale->measure == MEASURE_SECONDS) {
        seconds_text(value, &tick);
        return tick;
    }
    struct number number = number_fixed(value, decimals_of(step));
    snprintf(tick.text, sizeof tick.text, "%.12s%s", number.text,
             scale->measure == MEASURE_PERCENT ? "\xC2\xA0%" : "");
    return tick;
}

/* Decades, and their halves (2 and 5) where there is room for more. */
static size_t log_ticks(const struct scale *scale, size_t wanted, struct tick *ret_ticks)
{
    int first = (int)round(log10(scale->low)), last = (int)round(log10(scale->high));
    int every = 1 + (last - first) / (int)(wanted + 1);
    bool halves = last - first <= 1;
    size_t n = 0;
    for (int e = first; e <= last && n + 3 <= TICKS_MAX; e++) {
        double decade = pow(10, e);
        ret_ticks[n] = tick_of(scale, decade, decade);
        if ((e - first) % every != 0)
            ret_ticks[n].text[0] = '\0';
        n++;
        for (int half = 2; halves && half <= 5 && e < last; half += 3)
            ret_ticks[n++] = tick_of(scale, half * decade, decade);
    }
    return n;
}

size_t scale_ticks(const struct scale *scale, size_t wanted,
                   struct tick ret_ticks[static TICKS_MAX])
{
    if (scale->log)
        return log_ticks(scale, wanted, ret_ticks);
    double step = step_of(scale, wanted);
    double first = ceil(scale->low / step - 1e-9);
    size_t n = 0;
    for (; n < TICKS_MAX && (first + (double)n) * step <= scale->high + 1e-9 * step; n++)
        ret_ticks[n] = tick_of(scale, (first + (double)n) * step, step);
    return n;
}

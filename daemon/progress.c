/* SPDX-License-Identifier: Apache-2.0 */
/* How far long work has come. */
#include "daemon/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH = 24 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct progress progress_start(const char *what, const char *unit, size_t total)
{
    return (struct progress){
        .what = what,
        .unit = unit,
        .total = total,
        .first = (size_t)-1,
        .shown = -1e9,
        .terminal = isatty(STDERR_FILENO),
    };
}

static void format_time(double seconds, char *text, size_t size)
{
    unsigned long s = (unsigned long)(seconds + .5);
    if (s < 3600)
        snprintf(text, size, "%lu:%02lu", s / 60, s % 60);
    else
        snprintf(text, size, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
}

static void show(const struct progress *p, const char *note)
{
    double passed = now() - p->began, rate = 0;
    char bar[WIDTH + 1], time_left[32] = "?";
    size_t filled = p->total ? p->done * WIDTH / p->total : WIDTH;
    memset(bar, '.', WIDTH);
    memset(bar, '#', filled < WIDTH ? filled : WIDTH);
    bar[WIDTH] = 0;
    if (passed > 0)
        rate = (double)(p->done - p->first) / passed;
    if (rate > 0)
        format_time((double)(p->total - p->done) / rate, time_left, sizeof time_left);
    if (p->terminal)
        fprintf(stderr, "\r%s [%s] ", p->what, bar);
    else
        fprintf(stderr, "%s ", p->what);
    fprintf(stderr, "%zu/%zu %s, %.1f/s, %s left%s%s", p->done, p->total, p->unit, rate,
            time_left, note && *note ? ", " : "", note ? note : "");
    fprintf(stderr, p->terminal ? "\033[K" : "\n");
}

void progress_at(struct progress *p, size_t done, const char *note)
{
    double at = now(), pause = p->terminal ? .1 : 10;
    if (p->first == (size_t)-1) {
        p->first = done;
        p->began = at;
    }
    p->done = done;
    if (at - p->shown < pause && done < p->total)
        return;
    p->shown = at;
    show(p, note);
}

void progress_end(struct progress *p)
{
    if (p->terminal && p->first != (size_t)-1)
        fputc('\n', stderr);
}

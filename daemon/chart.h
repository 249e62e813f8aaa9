/* SPDX-License-Identifier: Apache-2.0 */
/* Charts as inline SVG: lines, points with intervals, and rows of points.
 *
 *     struct chart chart = {.id = "price", .title = "Price of exactness",
 *                           .about = "Test accuracy rises from 84 to 89 %.",
 *                           .x = {"share seen", {.low = 0, .high = 1}},
 *                           .y = {"accuracy", {.low = .8, .high = .9}},
 *                           .series = series, .n = 2};
 *     chart_draw(out, &chart);
 *
 * Colours stand in the style sheet (report.css, classes s0 to s5); a shape of the marks
 * belongs to each colour, so that none is needed to tell series apart.  Names stand at the
 * ends of lines or beside points.
 */
#ifndef MUNKEY_DAEMON_CHART_H
#define MUNKEY_DAEMON_CHART_H

#include <stdbool.h>
#include <stdio.h>

#include "daemon/scale.h"

enum { STYLES = 6, LABELS_MAX = 64 };

struct point {
    double x, y;
    double low, high; /* an interval of y (of x in rows); both 0: none */
    const char *text; /* beside it, NULL for none */
};

struct series {
    const char *name; /* NULL: none */
    unsigned style;
    bool line, dashed, marks;
    const struct point *point;
    size_t n;
};

struct axis {
    const char *title;
    struct scale scale; /* where its ends stand is the chart's matter */
};

/* What values are compared with: a line across, with a band on both its sides. */
struct guide {
    const char *text; /* NULL: there is no guide */
    double at, band;
};

struct chart {
    const char *id, *title;
    const char *about; /* for those who cannot see it */
    struct axis x, y;
    const struct series *series;
    size_t n;
    struct guide guide; /* of y; of x in rows */
    bool diagonal;      /* x = y, which is chance in a ROC */
    bool spread;        /* of rows: series stand a little below each other */
    enum { CHART_MIDDLE, CHART_SMALL, CHART_LARGE } size; /* small: a panel of many */
};

/* Scales are widened and rounded by the caller: what is outside stands at the edge. */
void chart_draw(FILE *out, const struct chart *chart);

/* One row per text of the first series, from the top, which is y = 0, 1, 2...; further
 * series put points into the same rows.  The y axis is not used. */
void chart_rows(FILE *out, const struct chart *chart, const char *const *row, size_t n);

/* The sign of a style, where a text of the page explains it. */
void chart_mark(FILE *out, unsigned style, double x, double y);

#endif

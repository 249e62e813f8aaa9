/* SPDX-License-Identifier: Apache-2.0 */
/* What every chart is made of: its frame, its axes, its signs.
 *
 *     chart_open(out, &chart, 460, 320);
 *     chart_x_axis(out, &chart.x, &frame, 6);
 *     chart_interval(out, style, true, x, low, high);
 *     chart_mark(out, style, x, y);
 *     chart_close(out);
 */
#ifndef MUNKEY_DAEMON_CHART_FRAME_H
#define MUNKEY_DAEMON_CHART_FRAME_H

#include "daemon/chart.h"
#include "daemon/chart_label.h"

void chart_open(FILE *out, const struct chart *chart, double width, double height);
void chart_close(FILE *out);

/* Title, lines of the grid, and about so many ticks. */
void chart_x_axis(FILE *out, const struct axis *axis, const struct frame *frame,
                  size_t ticks);
void chart_y_axis(FILE *out, const struct axis *axis, const struct frame *frame,
                  size_t ticks);

/* A bar with ends: upright at x = across from low to high, or lying at y = across. */
void chart_interval(FILE *out, unsigned style, bool upright, double across, double low,
                    double high);

#endif

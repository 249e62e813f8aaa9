/* SPDX-License-Identifier: Apache-2.0 */
/* Charts of named rows: what is compared stands below each other, on one scale. */
#include <math.h>

#include "daemon/chart.h"
#include "daemon/chart_frame.h"
#include "daemon/chart_label.h"
#include "daemon/markup.h"

enum { ROW_HEIGHT = 26 };

static double row_at(const struct frame *frame, double row)
{
    return frame->top + ROW_HEIGHT * (row + .5);
}

static void draw_rows(FILE *out, const struct frame *frame, const char *const *row,
                      size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double y = row_at(frame, (double)i);
        markup(out,
               "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n"
               "<text class=\"name end\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
               frame->left, y, frame->right, y, frame->left - 9, y + 4, row[i]);
    }
}

static void draw_guide(FILE *out, const struct guide *guide, const struct scale *x,
                       const struct frame *frame)
{
    double low = scale_at(x, guide->at - guide->band);
    double high = scale_at(x, guide->at + guide->band), at = scale_at(x, guide->at);
    if (guide->band > 0)
        markup(out,
               "<rect class=\"band\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
               "height=\"%.1f\"/>\n",
               low, frame->top, high - low, frame->bottom - frame->top);
    markup(out,
           "<line class=\"guide\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n"
           "<text class=\"tick mid\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
           at, frame->top, at, frame->bottom, at, frame->top - 5, guide->text);
}

/* below: how far from the middle of their rows, so that series do not hide each other. */
static void draw_points(FILE *out, const struct series *series, const struct scale *x,
                        const struct frame *frame, double below)
{
    for (size_t i = 0; i < series->n; i++) {
        const struct point *p = &series->point[i];
        double y = row_at(frame, p->y) + below;
        if (p->low < p->high)
            chart_interval(out, series->style, false, y, scale_at(x, p->low),
                           scale_at(x, p->high));
        chart_mark(out, series->style, scale_at(x, p->x), y);
    }
}

void chart_rows(FILE *out, const struct chart *chart, const char *const *row, size_t n)
{
    double left = 40, width = 460;
    for (size_t i = 0; i < n; i++)
        left = fmax(left, 14 + label_width(row[i]));
    const struct frame frame = {fmin(left, width / 2), 20, width - 22,
                                20 + ROW_HEIGHT * (double)n};
    struct axis x = chart->x;
    x.scale.from = frame.left;
    x.scale.to = frame.right;
    chart_open(out, chart, width, frame.bottom + 46);
    chart_x_axis(out, &x, &frame, 5);
    draw_rows(out, &frame, row, n);
    if (chart->guide.text)
        draw_guide(out, &chart->guide, &x.scale, &frame);
    for (size_t i = 0; i < chart->n; i++)
        draw_points(out, &chart->series[i], &x.scale, &frame,
                    chart->spread ? 8 * ((double)i - ((double)chart->n - 1) / 2) : 0);
    chart_close(out);
}

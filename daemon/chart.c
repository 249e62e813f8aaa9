/* SPDX-License-Identifier: Apache-2.0 */
/* Charts of lines and points. */
#include "daemon/chart.h"

#include <math.h>
#include <string.h>

#include "daemon/chart_frame.h"
#include "daemon/chart_label.h"
#include "daemon/markup.h"

static void draw_path(FILE *out, const struct chart *chart, const struct series *series)
{
    markup(out, "<polyline class=\"line s%d%s\" points=\"", (int)series->style,
           series->dashed ? " dashed" : "");
    for (size_t i = 0; i < series->n; i++)
        markup(out, "%s%.1f,%.1f", i ? " " : "",
               scale_at(&chart->x.scale, series->point[i].x),
               scale_at(&chart->y.scale, series->point[i].y));
    markup(out, "\"/>\n");
}

static void draw_point(FILE *out, const struct chart *chart, const struct series *series,
                       const struct point *point)
{
    double x = scale_at(&chart->x.scale, point->x);
    if (point->low < point->high)
        chart_interval(out, series->style, true, x, scale_at(&chart->y.scale, point->low),
                       scale_at(&chart->y.scale, point->high));
    chart_mark(out, series->style, x, scale_at(&chart->y.scale, point->y));
}

static void draw_series(FILE *out, const struct chart *chart, const struct series *series)
{
    if (series->line && series->n > 1)
        draw_path(out, chart, series);
    for (size_t i = 0; series->marks && i < series->n; i++)
        draw_point(out, chart, series, &series->point[i]);
}

static struct label label_of(const struct chart *chart, const struct series *series,
                             size_t i, const char *text)
{
    const struct point *p = &series->point[i];
    const struct scale *y = &chart->y.scale;
    struct label label = {.text = text,
                          .x = scale_at(&chart->x.scale, p->x),
                          .y = scale_at(y, p->y),
                          .style = series->style};
    label.top = p->low < p->high ? scale_at(y, p->high) : label.y;
    label.bottom = p->low < p->high ? scale_at(y, p->low) : label.y;
    return label;
}

/* The names of lines at their ends. */
static void name_lines(FILE *out, const struct chart *chart, const struct frame *frame)
{
    struct label label[LABELS_MAX];
    size_t n = 0;
    for (size_t s = 0; s < chart->n && n < LABELS_MAX; s++) {
        const struct series *series = &chart->series[s];
        if (series->line && series->name && series->n > 0)
            label[n++] = label_of(chart, series, series->n - 1, series->name);
    }
    labels_stack(label, n, frame);
    labels_draw(out, label, n);
}

static void name_points(FILE *out, const struct chart *chart, const struct frame *frame)
{
    struct label label[LABELS_MAX];
    size_t n = 0;
    for (size_t s = 0; s < chart->n; s++)
        for (size_t i = 0; i < chart->series[s].n && n < LABELS_MAX; i++)
            if (chart->series[s].point[i].text)
                label[n++] =
                    label_of(chart, &chart->series[s], i, chart->series[s].point[i].text);
    labels_beside(label, n, frame);
    labels_draw(out, label, n);
}

/* Room at the right for the longest name of a line, or half of a tick's text. */
static double room_right(const struct chart *chart)
{
    double room = 20;
    for (size_t s = 0; s < chart->n; s++)
        if (chart->series[s].line && chart->series[s].name)
            room = fmax(room, 14 + label_width(chart->series[s].name));
    return room;
}

/* Room at the left for the texts of ticks, and the axis' title. */
static double room_left(const struct chart *chart, size_t ticks)
{
    struct tick tick[TICKS_MAX];
    size_t n = scale_ticks(&chart->y.scale, ticks, tick);
    double room = 0;
    for (size_t i = 0; i < n; i++)
        room = fmax(room, label_width(tick[i].text));
    return room + 28;
}

static struct frame frame_of(const struct chart *chart, size_t ticks)
{
    static const double widths[] = {460, 210, 700}, heights[] = {320, 200, 460};
    return (struct frame){room_left(chart, ticks), 12,
                          widths[chart->size] - room_right(chart),
                          heights[chart->size] - 46};
}

static void draw_diagonal(FILE *out, const struct chart *chart)
{
    const struct scale *x = &chart->x.scale, *y = &chart->y.scale;
    double low = fmax(x->low, y->low), high = fmin(x->high, y->high);
    markup(out,
           "<line class=\"guide\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
           scale_at(x, low), scale_at(y, low), scale_at(x, high), scale_at(y, high));
}

static void draw_guide(FILE *out, const struct chart *chart, const struct frame *frame)
{
    const struct guide *guide = &chart->guide;
    const struct scale *y = &chart->y.scale;
    double at = scale_at(y, guide->at), top = scale_at(y, guide->at + guide->band);
    double bottom = scale_at(y, guide->at - guide->band);
    if (guide->band > 0)
        markup(out,
               "<rect class=\"band\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
               "height=\"%.1f\"/>\n",
               frame->left, top, frame->right - frame->left, bottom - top);
    markup(out,
           "<line class=\"guide\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n"
           "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
           frame->left, at, frame->right, at, frame->left + 4, at - 4, guide->text);
}

void chart_draw(FILE *out, const struct chart *chart)
{
    struct chart c = *chart;
    const size_t ticks = c.size == CHART_SMALL ? 3 : 6;
    const struct frame frame = frame_of(chart, ticks);
    c.x.scale.from = frame.left;
    c.x.scale.to = frame.right;
    c.y.scale.from = frame.bottom;
    c.y.scale.to = frame.top;
    chart_open(out, chart, frame.right + room_right(chart), frame.bottom + 46);
    chart_x_axis(out, &c.x, &frame, ticks);
    chart_y_axis(out, &c.y, &frame, ticks);
    if (c.diagonal)
        draw_diagonal(out, &c);
    if (c.guide.text)
        draw_guide(out, &c, &frame);
    for (size_t i = 0; i < c.n; i++)
        draw_series(out, &c, &c.series[i]);
    name_lines(out, &c, &frame);
    name_points(out, &c, &frame);
    chart_close(out);
}

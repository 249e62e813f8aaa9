/* SPDX-License-Identifier: Apache-2.0 */
/* Charts of means: gap against time, the price of exactness, the share that is forgotten. */
#include <math.h>
#include <string.h>

#include "daemon/chart.h"
#include "daemon/markup.h"
#include "daemon/report_method.h"
#include "daemon/report_parts.h"

enum { SERIES_MAX = 24, POINTS_MAX = 24 };

/* Series with room for their points. */
struct sheet {
    struct series series[SERIES_MAX];
    struct point point[SERIES_MAX][POINTS_MAX];
    char name[SERIES_MAX][48];
    size_t n;
};

static struct point point_of(double x, const struct estimate *e, const char *text)
{
    struct point point = {.x = x, .y = e->mean, .text = text};
    if (e->n > 1) {
        point.low = e->mean - e->half;
        point.high = e->mean + e->half;
    }
    return point;
}

static void sort(double *value, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t j = i; j > 0 && value[j] < value[j - 1]; j--) {
            double lower = value[j];
            value[j] = value[j - 1];
            value[j - 1] = lower;
        }
}

/* The means of y for each value of x. */
static void add_series(struct sheet *sheet, const struct results *results,
                       const struct which *which, const char *x, const char *y,
                       const char *name, unsigned style)
{
    struct which at = *which;
    double value[POINTS_MAX];
    size_t n = results_numbers(results, which, x, value, POINTS_MAX);
    struct point *point = sheet->point[sheet->n];
    if (n == 0 || sheet->n == SERIES_MAX)
        return;
    sort(value, n);
    at.number = x;
    for (size_t i = 0; i < n; i++) {
        at.equals = value[i];
        struct estimate e = results_estimate(results, &at, y);
        point[i] = point_of(value[i], &e, NULL);
    }
    snprintf(sheet->name[sheet->n], sizeof sheet->name[0], "%.40s", name);
    sheet->series[sheet->n] = (struct series){.name = sheet->name[sheet->n],
                                              .style = style,
                                              .line = true,
                                              .dashed = style == GROUP_ORACLE,
                                              .marks = true,
                                              .point = point,
                                              .n = n};
    sheet->n++;
}

/* A logarithm has no place for zero: such points stand at the edge. */
static void widen(struct scale *scale, double value)
{
    if (!scale->log || value > 1e-6)
        scale_widen(scale, value);
}

static void settle(struct scale *scale)
{
    if (scale->low > scale->high)
        scale->low = scale->high = 1;
    scale_round(scale);
}

/* Scales that all points fit into; on linear ones, their intervals too. */
static void fit(const struct sheet *sheet, struct scale *x, struct scale *y)
{
    x->low = y->low = HUGE_VAL;
    x->high = y->high = -HUGE_VAL;
    for (size_t s = 0; s < sheet->n; s++)
        for (size_t i = 0; i < sheet->series[s].n; i++) {
            const struct point *p = &sheet->point[s][i];
            widen(x, p->x);
            widen(y, p->y);
            if (p->low < p->high && !y->log)
                widen(y, p->low);
            if (p->low < p->high)
                widen(y, p->high);
        }
    settle(x);
    settle(y);
}

static struct figure figure_of(const struct point *point)
{
    bool interval = point->low < point->high;
    const struct estimate e = {point->y, (point->high - point->low) / 2,
                               interval ? 2 : 1};
    return report_figure(&e, 2);
}

/* For those who cannot see the chart, or want to compute with it. */
static void write_numbers(FILE *out, const struct sheet *sheet, const struct chart *chart)
{
    markup(
        out,
        "<details><summary>Numbers</summary><table><thead><tr><th scope=\"col\">Line</th>"
        "<th scope=\"col\">%s</th><th scope=\"col\">%s</th></tr></thead>\n<tbody>\n",
        chart->x.title, chart->y.title);
    for (size_t s = 0; s < sheet->n; s++)
        for (size_t i = 0; i < sheet->series[s].n; i++) {
            const struct point *p = &sheet->point[s][i];
            markup(out, "<tr><th scope=\"row\">%s</th><td>%s</td><td>%s</td></tr>\n",
                   sheet->series[s].name, number_significant(p->x, 1).text,
                   figure_of(p).text);
        }
    markup(out, "</tbody></table></details>\n");
}

static void draw_sheet(FILE *out, const struct sheet *sheet, struct chart *chart)
{
    fit(sheet, &chart->x.scale, &chart->y.scale);
    chart->series = sheet->series;
    chart->n = sheet->n;
    markup(out, "<figure><figcaption>%s</figcaption>\n", chart->title);
    chart_draw(out, chart);
    if (sheet->series[0].line)
        write_numbers(out, sheet, chart);
    markup(out, "</figure>\n");
}

/* One point a method, in the style of its group. */
static void add_methods(struct sheet *sheet, const struct results *results,
                        const char *forget, const struct method *method, size_t n)
{
    for (size_t i = 0; i < n && sheet->n < SERIES_MAX; i++) {
        const struct which which = {
            .kind = "forgetting", .is = {{"forget", forget}, {"method", method[i].name}}};
        struct estimate gap = results_estimate(results, &which, "gap");
        struct estimate seconds = results_estimate(results, &which, "seconds");
        if (gap.n == 0 || seconds.n == 0 || method[i].group == GROUP_BEFORE)
            continue;
        struct point *point = sheet->point[sheet->n];
        point[0] = point_of(seconds.mean, &gap, method[i].title);
        sheet->series[sheet->n++] = (struct series){
            .style = method[i].group, .marks = true, .point = point, .n = 1};
    }
}

static void write_groups(FILE *out, const struct method *method, size_t n)
{
    markup(out, "<ul class=\"legend\">\n");
    for (size_t i = 0; i < n; i++)
        if ((i == 0 || method[i].group != method[i - 1].group) &&
            method[i].group != GROUP_BEFORE) {
            markup(out, "<li>");
            report_sign(out, method[i].group);
            markup(out, "%s</li>\n", group_title(method[i].group));
        }
    markup(out, "</ul>\n");
}

void report_time(FILE *out, const struct results *results)
{
    const char *forget = report_forget(results);
    struct method method[METHODS_MAX];
    struct sheet sheet = {.n = 0};
    size_t n = forget ? methods_of(results, forget, method) : 0;
    add_methods(&sheet, results, forget, method, n);
    report_section(out, "time", "Gap against time");
    if (sheet.n == 0) {
        report_missing(out, "gaps and times of methods.");
        return;
    }
    struct chart chart = {
        .id = "gap-time",
        .title = "Average Gap against the time to forget",
        .about =
            "Each method is a point: the further left the faster, the lower the nearer "
            "to its oracle. The table has the numbers.",
        .x = {"time to forget", {.log = true, .measure = MEASURE_SECONDS}},
        .y = {"Average Gap, points", {.log = true}},
        .size = CHART_LARGE};
    markup(
        out,
        "<p>Forget set %s. Down and left is better; bars are 95 %% intervals. Both axes "
        "are logarithmic: a gap or a time of zero stands at the edge.</p>\n",
        forget_title(forget).text);
    write_groups(out, method, n);
    markup(out, "<div class=\"wide\">\n");
    draw_sheet(out, &sheet, &chart);
    markup(out, "</div>\n");
}

/* The memory holds B2 and what the weights did not see: the fewer, the more they see. */
static struct figure held_text(const struct results *results)
{
    const struct which which = {.kind = "price"};
    double held[POINTS_MAX];
    struct figure figure = {""};
    size_t n = results_numbers(results, &which, "held", held, POINTS_MAX);
    sort(held, n);
    if (n > 0)
        snprintf(figure.text, sizeof figure.text,
                 " The memory held %.0f rows, and %.0f where the weights saw most.",
                 held[n - 1], held[0]);
    return figure;
}

void report_price(FILE *out, const struct results *results)
{
    const struct which which = {.kind = "price"};
    struct sheet sheet = {.n = 0};
    add_series(&sheet, results, &which, "share", "ta", "full answer", GROUP_OURS);
    add_series(&sheet, results, &which, "share", "null", "image alone", GROUP_DESIGN);
    report_section(out, "price", "The price of exactness");
    if (sheet.n == 0) {
        report_missing(out, "accuracy by the share of the rows that the weights see.");
        return;
    }
    struct chart chart = {
        .id = "price-share",
        .title = "Test accuracy by the share of rows that the weights see",
        .about = "Rows that the weights do not see are enrolled, and can be forgotten "
                 "exactly.",
        .x = {"rows that the weights see", {.measure = MEASURE_PERCENT}},
        .y = {"test accuracy", {.measure = MEASURE_PERCENT}}};
    markup(
        out,
        "<p>Rows that the weights never saw are forgotten exactly, and teach the "
        "weights nothing: this is what that costs. With the rows go steps of training: "
        "epochs stay the same.%s</p>\n<div class=\"charts\">\n",
        held_text(results).text);
    draw_sheet(out, &sheet, &chart);
    markup(out, "</div>\n");
}

/* Methods that were measured at several shares. */
static void add_shares(struct sheet *sheet, const struct results *results,
                       const char *member)
{
    static const char *const names[] = {"munkey", "munkey-oracle", "plain-oracle"};
    static const char *const titles[] = {"MUNKEY", "MUNKEY oracle", "ViT oracle"};
    static const unsigned styles[] = {GROUP_OURS, GROUP_ORACLE, GROUP_OTHER};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct which which = {
            .kind = "forgetting", .is = {{"method", names[i]}}, .begins = "random-"};
        add_series(sheet, results, &which, "share", member, titles[i], styles[i]);
    }
}

void report_shares(FILE *out, const struct results *results)
{
    struct sheet accuracy = {.n = 0}, gap = {.n = 0};
    add_shares(&accuracy, results, "ta");
    add_shares(&gap, results, "gap");
    report_section(out, "shares", "The share that is forgotten");
    if (accuracy.n == 0 || accuracy.series[0].n < 2) {
        report_missing(out,
                       "accuracy as a function of the share that is forgotten: random "
                       "forget sets of at least two sizes.");
        return;
    }
    const struct axis x = {"rows forgotten", {.log = true, .measure = MEASURE_PERCENT}};
    struct chart charts[] = {
        {.id = "share-accuracy",
         .title = "Test accuracy by the share forgotten",
         .about = "Random forget sets; oracles were trained without them.",
         .x = x,
         .y = {"test accuracy", {.measure = MEASURE_PERCENT}}},
        {.id = "share-gap",
         .title = "Average Gap by the share forgotten",
         .about = "Random forget sets; the line of the oracles is the floor.",
         .x = x,
         .y = {"Average Gap, points", {.log = false}}}};
    markup(out, "<div class=\"charts\">\n");
    draw_sheet(out, &accuracy, &charts[0]);
    draw_sheet(out, &gap, &charts[1]);
    markup(out, "</div>\n");
}

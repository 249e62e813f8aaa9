/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks on each view of the answers, before and after deletion, and on their difference. */
#include <string.h>

#include "daemon/chart.h"
#include "daemon/markup.h"
#include "daemon/report_method.h"
#include "daemon/report_parts.h"

static const struct view {
    const char *view, *when, *title;
} views[] = {
    {"full", "before", "Full answer, before"},
    {"memory", "before", "Memory pass, before"},
    {"null", "before", "Null pass, before"},
    {"full", "after", "Full answer, after"},
    {"memory", "after", "Memory pass, after"},
    {"null", "after", "Null pass, after"},
    {"full", "difference", "Full answer, both"},
    {"memory", "difference", "Memory pass, both"},
    {"null", "difference", "Null pass, both"},
};
static const char *const methods[] = {"munkey", "munkey-oracle"};
enum { VIEWS = sizeof views / sizeof *views, METHODS = 2 };

static struct which which_of(const char *forget, const struct view *view,
                             const char *method)
{
    return (struct which){.kind = "attack",
                          .is = {{"forget", forget},
                                 {"method", method},
                                 {"view", view->view},
                                 {"when", view->when}}};
}

/* Those that were attacked, of either model. */
static size_t measured(const struct results *results, const char *forget,
                       struct view ret_views[static VIEWS])
{
    size_t n = 0;
    for (size_t i = 0; i < VIEWS; i++) {
        const struct which which = which_of(forget, &views[i], NULL);
        if (results_estimate(results, &which, "rmia").n > 0)
            ret_views[n++] = views[i];
    }
    return n;
}

/* The views of a chart: those after deletion, or all others, which need a wider scale. */
static size_t of_chart(const struct view *view, size_t n, bool after,
                       struct view *ret_views)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++)
        if ((strcmp(view[i].when, "after") == 0) == after)
            ret_views[m++] = view[i];
    return m;
}

static size_t points_of(const struct results *results, const char *forget,
                        const char *method, const struct view *view, size_t n,
                        struct scale *x, struct point *ret_points)
{
    size_t points = 0;
    for (size_t i = 0; i < n; i++) {
        const struct which which = which_of(forget, &view[i], method);
        struct estimate e = results_estimate(results, &which, "rmia");
        if (e.n == 0)
            continue;
        ret_points[points++] =
            (struct point){e.mean, (double)i, e.mean - e.half, e.mean + e.half, NULL};
        scale_widen(x, e.mean - e.half);
        scale_widen(x, e.mean + e.half);
    }
    return points;
}

static void draw_attacks(FILE *out, const struct results *results, const char *forget,
                         const struct view *view, size_t n, struct chart *chart)
{
    const struct which any = {.kind = "attack", .is = {{"forget", forget}}};
    const char *row[VIEWS];
    struct point point[METHODS][VIEWS];
    struct series series[METHODS];
    chart->guide =
        (struct guide){"chance", 50, results_estimate(results, &any, "null_sd").mean};
    chart->x = (struct axis){"AUROC of RMIA",
                             {.low = 48, .high = 52, .measure = MEASURE_PERCENT}};
    for (size_t m = 0; m < METHODS; m++)
        series[m] = (struct series){.style = (unsigned)m,
                                    .point = point[m],
                                    .n = points_of(results, forget, methods[m], view, n,
                                                   &chart->x.scale, point[m])};
    for (size_t i = 0; i < n; i++)
        row[i] = view[i].title;
    scale_round(&chart->x.scale);
    chart->about = "One row a view; the band around 50 % is one null standard deviation. "
                   "The table below has the numbers.";
    chart->series = series;
    chart->n = METHODS;
    chart->spread = true;
    markup(out, "<figure><figcaption>%s</figcaption>\n", chart->title);
    chart_rows(out, chart, row, n);
    markup(out, "</figure>\n");
}

static void draw_charts(FILE *out, const struct results *results, const char *forget,
                        const struct view *view, size_t n)
{
    struct chart charts[] = {
        {.id = "attacks-after", .title = "RMIA after deletion"},
        {.id = "attacks-before",
         .title = "RMIA before deletion, and with answers of both"},
    };
    struct view some[VIEWS];
    markup(out, "<ul class=\"legend\"><li>");
    report_sign(out, 0);
    markup(out, "MUNKEY</li><li>");
    report_sign(out, 1);
    markup(out,
           "its oracle, which never saw the rows</li></ul>\n<div class=\"charts\">\n");
    for (size_t i = 0; i < 2; i++) {
        size_t rows = of_chart(view, n, i == 0, some);
        if (rows > 0)
            draw_attacks(out, results, forget, some, rows, &charts[i]);
    }
    markup(out, "</div>\n");
}

static void write_row(FILE *out, const struct results *results, const char *forget,
                      const struct view *view)
{
    static const char *const members[] = {"auroc", "rmia", "tpr"};
    markup(out, "<tr><th scope=\"row\">%s</th>", view->title);
    for (size_t i = 0; i < 6; i++) {
        const struct which which = which_of(forget, view, methods[i % 2]);
        struct estimate e = results_estimate(results, &which, members[i / 2]);
        if (e.n > 0)
            markup(out, "<td>%s</td>", report_figure(&e, 2).text);
        else
            markup(out, "<td class=\"none\">\xE2\x80\x93</td>");
    }
    markup(out, "</tr>\n");
}

static void write_table(FILE *out, const struct results *results, const char *forget,
                        const struct view *view, size_t n)
{
    static const char *const titles[] = {"Confidence", "RMIA", "TPR at 1 % FPR"};
    const struct title title = forget_title(forget);
    const struct which any = {.kind = "attack", .is = {{"forget", forget}}};
    struct estimate sd = results_estimate(results, &any, "null_sd");
    markup(out,
           "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Attacks: "
           "%s\">\n"
           "<table><caption>%s: AUROC in %%, null SD %s. A retrained oracle has no before"
           "</caption>\n<thead>"
           "<tr><td></td>",
           title.text, title.text, number_fixed(sd.mean, 2).text);
    for (size_t i = 0; i < 3; i++)
        markup(out, "<th scope=\"colgroup\" colspan=\"2\">%s</th>", titles[i]);
    markup(out, "</tr>\n<tr><th scope=\"col\">View</th>");
    for (size_t i = 0; i < 3; i++)
        markup(out, "<th scope=\"col\">MUNKEY</th><th scope=\"col\">oracle</th>");
    markup(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < n; i++)
        write_row(out, results, forget, &view[i]);
    markup(out, "</tbody></table></div>\n");
}

void report_attacks(FILE *out, const struct results *results)
{
    const char *forget[FORGETS_MAX], *main = report_forget(results);
    size_t n = report_forgets(results, "attack", forget);
    report_section(out, "attacks", "Attacks on every view");
    if (n == 0) {
        report_missing(out,
                       "attacks on the full answer, the null pass, the memory pass, and "
                       "on the difference of answers.");
        return;
    }
    markup(
        out,
        "<p>Before deletion members meet themselves in the memory: an AUROC above chance "
        "there is no fault, and is what deletion has to take away. "
        "\xE2\x80\x9C"
        "Both\xE2\x80\x9D is differencing: an adversary who kept answers from "
        "before compares them with those after, and sees that something was deleted "
        "nearby. No deletion hides that from those who kept answers.</p>\n");
    for (size_t i = 0; i < n; i++) {
        struct view view[VIEWS];
        size_t rows = measured(results, forget[i], view);
        if (main && strcmp(main, forget[i]) == 0)
            draw_charts(out, results, forget[i], view, rows);
        write_table(out, results, forget[i], view, rows);
    }
}

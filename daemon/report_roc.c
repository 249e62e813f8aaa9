/* SPDX-License-Identifier: Apache-2.0 */
/* ROC curves on logarithmic axes: what an attacker gains who may be wrong only rarely. */
#include <stdlib.h>
#include <string.h>

#include "daemon/chart.h"
#include "daemon/markup.h"
#include "daemon/report_method.h"
#include "daemon/report_parts.h"

enum { CURVES_MAX = 16, CURVE_MAX = 256 };

struct curves {
    struct series series[CURVES_MAX];
    struct point point[CURVES_MAX][CURVE_MAX];
    size_t n;
};

static size_t read_curve(const json_t *roc, struct point *ret_points)
{
    size_t n = json_array_size(roc);
    n = n < CURVE_MAX ? n : CURVE_MAX;
    for (size_t i = 0; i < n; i++) {
        const json_t *pair = json_array_get(roc, i);
        ret_points[i] = (struct point){.x = json_number_value(json_array_get(pair, 0)),
                                       .y = json_number_value(json_array_get(pair, 1))};
    }
    return n;
}

/* A line for each seed. */
static void add_curves(struct curves *curves, const struct results *results,
                       const char *forget, const char *method, unsigned style)
{
    const struct which which = {.kind = "forgetting",
                                .is = {{"forget", forget}, {"method", method}}};
    const json_t *line;
    size_t at = 0;
    while (curves->n < CURVES_MAX && (line = results_next(results, &which, &at))) {
        struct point *point = curves->point[curves->n];
        size_t n = read_curve(json_object_get(line, "roc"), point);
        if (n > 0)
            curves->series[curves->n++] = (struct series){.style = style,
                                                          .line = true,
                                                          .dashed = style == GROUP_ORACLE,
                                                          .point = point,
                                                          .n = n};
    }
}

static void draw_panel(FILE *out, const struct method *method,
                       const struct curves *curves, const struct estimate *rmia)
{
    char id[64], about[160];
    struct figure figure = report_figure(rmia, 2);
    snprintf(id, sizeof id, "roc-%.50s", method->name);
    id[strcspn(id, " \t\r\n")] = '\0'; /* no id has a space */
    snprintf(about, sizeof about, "AUROC %s %%; dashed: its oracle; dotted: chance.",
             figure.text);
    const struct scale percent = {
        .low = .1, .high = 100, .log = true, .measure = MEASURE_PERCENT};
    const struct chart chart = {.id = id,
                                .title = method->title,
                                .about = about,
                                .x = {"false positives", percent},
                                .y = {"true positives", percent},
                                .series = curves->series,
                                .n = curves->n,
                                .diagonal = true,
                                .size = CHART_SMALL};
    markup(out, "<figure><figcaption>");
    report_sign(out, method->group);
    markup(out, "%s<small>AUROC %s %%</small></figcaption>\n", method->title,
           figure.text);
    chart_draw(out, &chart);
    markup(out, "</figure>\n");
}

/* Returns whether the method has a curve. */
static bool write_panel(FILE *out, const struct results *results, const char *forget,
                        const struct method *method, struct curves *curves)
{
    const struct which which = {.kind = "forgetting",
                                .is = {{"forget", forget}, {"method", method->name}}};
    struct estimate rmia = results_estimate(results, &which, "rmia");
    curves->n = 0;
    if (method->oracle)
        add_curves(curves, results, forget, method->oracle, GROUP_ORACLE);
    size_t oracle = curves->n;
    add_curves(curves, results, forget, method->name, method->group);
    if (curves->n == oracle)
        return false;
    draw_panel(out, method, curves, &rmia);
    return true;
}

void report_roc(FILE *out, const struct results *results)
{
    const char *forget = report_forget(results);
    struct method method[METHODS_MAX];
    struct curves *curves = calloc(1, sizeof *curves);
    size_t n = forget ? methods_of(results, forget, method) : 0, drawn = 0;
    report_section(out, "roc", "ROC curves of RMIA");
    if (forget)
        markup(
            out,
            "<p>Forget set %s, one line a seed. A curve on the dotted diagonal is "
            "chance; "
            "dashed lines are the method\xE2\x80\x99s oracle. Both axes are logarithmic: "
            "what "
            "matters is how many members are found where few others are accused.</p>\n",
            forget_title(forget).text);
    markup(out, "<div class=\"panels\">\n");
    for (size_t i = 0; curves && i < n; i++)
        drawn += method[i].group != GROUP_ORACLE &&
                 write_panel(out, results, forget, &method[i], curves);
    markup(out, "</div>\n");
    if (drawn == 0)
        report_missing(out, "ROC curves.");
    free(curves);
}

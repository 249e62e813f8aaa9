/* SPDX-License-Identifier: Apache-2.0 */
/* Ablations: one choice changed, everything else as it was. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/chart.h"
#include "daemon/markup.h"
#include "daemon/report_parts.h"

enum { NAMES_MAX = 16, VALUES_MAX = 16, ROWS_MAX = 64 };

struct row {
    const char *name, *value;
    char text[80];
    struct estimate ta, null, before;
    bool trained;
};

static struct row row_of(const struct results *results, const char *name,
                         const char *value)
{
    const struct which which = {.kind = "ablation",
                                .is = {{"name", name}, {"value", value}}};
    const json_t *first = results_next(results, &which, &(size_t){0});
    struct row row = {.name = name,
                      .value = value,
                      .ta = results_estimate(results, &which, "ta"),
                      .null = results_estimate(results, &which, "null"),
                      .before = results_estimate(results, &which, "before"),
                      .trained = json_is_true(json_object_get(first, "trained"))};
    snprintf(row.text, sizeof row.text, "%.40s: %.30s", name, value);
    return row;
}

static size_t read_rows(const struct results *results, struct row *ret_rows)
{
    const struct which all = {.kind = "ablation"};
    const char *name[NAMES_MAX], *value[VALUES_MAX];
    size_t n = 0, names = results_values(results, &all, "name", name, NAMES_MAX);
    for (size_t i = 0; i < names; i++) {
        const struct which which = {.kind = "ablation", .is = {{"name", name[i]}}};
        size_t values = results_values(results, &which, "value", value, VALUES_MAX);
        for (size_t j = 0; j < values && n < ROWS_MAX; j++)
            ret_rows[n++] = row_of(results, name[i], value[j]);
    }
    return n;
}

static void draw_rows(FILE *out, const struct row *row, size_t n)
{
    struct point full[ROWS_MAX], null[ROWS_MAX];
    const char *text[ROWS_MAX];
    struct scale x = {.low = 100, .high = 0, .measure = MEASURE_PERCENT};
    for (size_t i = 0; i < n; i++) {
        const struct estimate *ta = &row[i].ta, *alone = &row[i].null;
        text[i] = row[i].text;
        full[i] = (struct point){ta->mean, (double)i, ta->mean - ta->half,
                                 ta->mean + ta->half, NULL};
        null[i] = (struct point){alone->mean, (double)i, 0, 0, NULL};
        scale_widen(&x, full[i].low);
        scale_widen(&x, full[i].high);
        scale_widen(&x, null[i].x);
    }
    scale_round(&x);
    const struct series series[] = {{.style = 3, .point = null, .n = n},
                                    {.style = 0, .point = full, .n = n}};
    const struct chart chart = {.id = "ablation-accuracy",
                                .title = "Test accuracy under each choice",
                                .about = "One row a choice. The table has the numbers.",
                                .x = {"test accuracy", x},
                                .series = series,
                                .n = 2};
    markup(out,
           "<div class=\"beside\"><figure><figcaption>%s</figcaption>\n"
           "<ul class=\"legend\"><li>",
           chart.title);
    report_sign(out, 0);
    markup(out, "full answer</li><li>");
    report_sign(out, 3);
    markup(out, "null pass: the image alone</li></ul>\n");
    chart_rows(out, &chart, text, n);
    markup(out, "</figure>\n");
}

/* The rows of one name have one heading. */
static size_t span_of(const struct row *row, size_t n)
{
    size_t span = 1;
    while (span < n && strcmp(row[span].name, row[0].name) == 0)
        span++;
    return span;
}

static void write_row(FILE *out, const struct row *row)
{
    markup(out,
           "<td class=\"text\">%s</td><td>%s</td><td>%s</td><td>%s</td>"
           "<td class=\"text\">%s</td></tr>\n",
           row->value, report_figure(&row->ta, 2).text, report_figure(&row->null, 2).text,
           report_figure(&row->before, 2).text,
           row->trained ? "trained for it" : "the same");
}

static void write_rows(FILE *out, const struct row *row, size_t n)
{
    for (size_t i = 0, end = 0; i < n; i++) {
        markup(out, "<tr>");
        if (i == end) {
            end += span_of(&row[i], n - i);
            markup(out, "<th scope=\"rowgroup\" rowspan=\"%zu\">%s</th>", end - i,
                   row[i].name);
        }
        write_row(out, &row[i]);
    }
}

void report_ablations(FILE *out, const struct results *results)
{
    struct row row[ROWS_MAX];
    size_t n = read_rows(results, row);
    report_section(out, "ablations", "Ablations");
    if (n == 0) {
        report_missing(out, "ablations.");
        return;
    }
    markup(
        out,
        "<p>One choice is changed, everything else stays, but that the key encoder is "
        "trained with the attention of its model. Membership is the AUROC of confidence "
        "before anything is forgotten: how much a memory of nearest neighbours says "
        "about who is in it.</p>\n");
    draw_rows(out, row, n);
    markup(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Ablations\">\n"
        "<table><thead><tr><th scope=\"col\">Choice</th><th scope=\"col\" "
        "class=\"text\">Value</th>"
        "<th scope=\"col\">TA<small>%%</small></th><th scope=\"col\">Null pass"
        "<small>%%</small></th><th scope=\"col\">Membership"
        "<small>before deletion, %%</small></th><th scope=\"col\" "
        "class=\"text\">Weights</th></tr>"
        "</thead>\n<tbody>\n");
    write_rows(out, row, n);
    markup(out, "</tbody></table></div></div>\n");
}

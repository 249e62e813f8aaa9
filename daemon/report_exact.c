/* SPDX-License-Identifier: Apache-2.0 */
/* The exact class, bit for bit; and what answers cost. */
#include "daemon/markup.h"
#include "daemon/report_method.h"
#include "daemon/report_parts.h"

static void write_exact(FILE *out, const struct results *results, const char *forget)
{
    const struct which which = {.kind = "exact", .is = {{"forget", forget}}};
    struct estimate gap = results_estimate(results, &which, "gap");
    double different = results_sum(results, &which, "different");
    markup(
        out,
        "<tr><th scope=\"row\">%s</th><td>%zu</td><td>%.0f</td><td>%.0f</td><td>%s</td>"
        "<td>%s</td></tr>\n",
        forget_title(forget).text, gap.n, results_sum(results, &which, "queries"),
        different, report_figure(&gap, 2).text,
        different == 0 ? "yes, every bit of every answer" : "no");
}

void report_exact(FILE *out, const struct results *results)
{
    static const char *const columns[] = {"Forget set", "Seeds",       "Answers compared",
                                          "Differing",  "Average Gap", "Equal"};
    const char *forget[FORGETS_MAX];
    size_t n = report_forgets(results, "exact", forget);
    report_section(out, "exact", "Exact class");
    if (n == 0) {
        report_missing(out,
                       "bit-equality of a service that forgot with one that never held.");
        return;
    }
    markup(out,
           "<p>One service enrolled all rows and forgot some; another enrolled only the "
           "rest, in reverse order. The weights saw none of them.</p>\n"
           "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Exact\">\n"
           "<table><thead><tr>");
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        markup(out, "<th scope=\"col\">%s</th>", columns[i]);
    markup(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < n; i++)
        write_exact(out, results, forget[i]);
    markup(out, "</tbody></table></div>\n");
}

void report_cost(FILE *out, const struct results *results)
{
    static const struct {
        const char *member, *title, *unit;
        double factor;
        int decimals;
    } rows[] = {
        {"passes", "K = 4 and the null pass", "passes of the classifier alone", 1, 2},
        {"classifier", "The classifier alone", "ms an image", 1000, 3},
        {"with_memory", "K = 4 and the null pass", "ms an image", 1000, 3},
        {"encoder", "The key encoder", "ms an image", 1000, 3},
        {"search", "The search", "ms an image", 1000, 3},
        {"prediction", "A whole prediction, with the search", "ms an image", 1000, 3},
        {"searched", "Keys that were searched", "keys", 1, 0},
        {"record_bytes", "An instance in the memory", "bytes", 1, 0},
        {"paper_bytes", "An instance in the paper\xE2\x80\x99s layout", "bytes", 1, 0},
    };
    const struct which all = {.kind = "cost"};
    report_section(out, "cost", "What answers cost");
    if (results_estimate(results, &all, "passes").n == 0) {
        report_missing(out, "seconds and bytes of predictions.");
        return;
    }
    markup(out, "<div class=\"scroll\"><table><caption>On one thread, medians</caption>\n"
                "<thead><tr><th scope=\"col\">What</th><th scope=\"col\">Cost</th>"
                "<th scope=\"col\" class=\"text\">Unit</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct estimate e = results_estimate(results, &all, rows[i].member);
        e.mean *= rows[i].factor;
        e.half *= rows[i].factor;
        markup(
            out,
            "<tr><th scope=\"row\">%s</th><td>%s</td><td class=\"text\">%s</td></tr>\n",
            rows[i].title,
            e.n > 0 ? report_figure(&e, rows[i].decimals).text : "not measured",
            rows[i].unit);
    }
    markup(out, "</tbody></table></div>\n");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the memory contributes: every pass on every kind of rows, before and after. */
#include "daemon/markup.h"
#include "daemon/report_method.h"
#include "daemon/report_parts.h"

static void write_head(FILE *out)
{
    static const char *const titles[] = {"Full answer", "Null pass", "Memory-only",
                                         "Contribution"};
    static const char *const small[] = {"%", "image alone, %", "without the image, %",
                                        "full less null, points"};
    markup(out, "<thead><tr><th scope=\"col\">Rows</th><th scope=\"col\">When</th>");
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        markup(out, "<th scope=\"col\">%s<small>%s</small></th>", titles[i], small[i]);
    markup(out, "</tr></thead>\n");
}

static void write_row(FILE *out, const struct results *results, const struct which *which,
                      const char *rows)
{
    static const char *const passes[] = {"full", "null", "memory"};
    struct estimate adds = results_difference(results, which, "full", which, "null");
    if (adds.n == 0)
        return;
    markup(out, "<tr><th scope=\"row\">%s</th><td>%s</td>", rows, which->is[2].value);
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
        struct estimate e = results_estimate(results, which, passes[i]);
        markup(out, "<td>%s</td>", report_figure(&e, 2).text);
    }
    markup(out, "<td>%s</td></tr>\n", report_figure(&adds, 2).text);
}

static void write_set(FILE *out, const struct results *results, const char *forget)
{
    static const char *const rows[] = {"test", "retain", "forget"};
    static const char *const titles[] = {"test", "retained", "forgotten"};
    static const char *const when[] = {"before", "after"};
    const struct title title = forget_title(forget);
    const struct which all = {.kind = "passes", .is = {{"forget", forget}}};
    markup(out,
           "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Passes: "
           "%s\">\n"
           "<table><caption>%s: accuracy%s</caption>\n",
           title.text, title.text,
           results_estimate(results, &all, "full").n > 1 ? " with 95 % intervals" : "");
    write_head(out);
    markup(out, "<tbody>\n");
    for (size_t i = 0; i < 6; i++) {
        const struct which which = {
            .kind = "passes",
            .is = {{"forget", forget}, {"rows", rows[i / 2]}, {"when", when[i % 2]}}};
        write_row(out, results, &which, titles[i / 2]);
    }
    markup(out, "</tbody></table></div>\n");
}

void report_passes(FILE *out, const struct results *results)
{
    const char *forget[FORGETS_MAX];
    size_t n = report_forgets(results, "passes", forget);
    report_section(out, "memory", "What the memory contributes");
    if (n == 0)
        report_missing(out, "accuracy of the full, null and memory-only passes.");
    else
        markup(out, "<p>Where the memory adds little over the image alone, deleting it "
                    "proves little. Members meet themselves in the memory until they are "
                    "forgotten: that is why forgotten rows fall after deletion.</p>\n");
    for (size_t i = 0; i < n; i++)
        write_set(out, results, forget[i]);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The tables: every method on every forget set, by every measure. */
#include <math.h>
#include <string.h>

#include "daemon/markup.h"
#include "daemon/report_method.h"
#include "daemon/report_parts.h"

enum best { HIGHEST, LOWEST, NEAREST /* to the oracle of its own form */ };

static const struct metric {
    const char *member, *title, *small;
    int decimals; /* -1: two significant digits */
    enum best best;
} metrics[] = {
    {"ta", "TA", "test, %", 2, HIGHEST},
    {"ra", "RA", "retained, %", 2, NEAREST},
    {"fa", "FA", "forgotten, %", 2, NEAREST},
    {"auroc", "Confidence", "AUROC, %", 2, NEAREST},
    {"rmia", "RMIA", "AUROC, %", 2, NEAREST},
    {"tpr", "TPR at 1\xC2\xA0%", "FPR, %", 2, NEAREST},
    {"gap", "Average Gap", "points", 2, LOWEST},
    {"agreement", "Agreement", "with oracle, %", 2, HIGHEST},
    {"kl", "KL", "to oracle", 4, LOWEST},
    {"seconds", "Time", "s", -1, LOWEST},
    {"bytes", "Memory", "bytes/record", 0, LOWEST},
};
enum { METRICS = sizeof metrics / sizeof *metrics };

struct table {
    const struct results *results;
    const char *forget;
    struct method method[METHODS_MAX];
    size_t n, seeds; /* seeds: of any method */
    struct estimate cell[METHODS_MAX][METRICS];
};

static struct estimate estimate(const struct table *table, const char *method,
                                const char *member)
{
    const struct which which = {.kind = "forgetting",
                                .is = {{"forget", table->forget}, {"method", method}}};
    return results_estimate(table->results, &which, member);
}

static void fill(struct table *table)
{
    table->n = methods_of(table->results, table->forget, table->method);
    table->seeds = estimate(table, NULL, "ta").n;
    for (size_t i = 0; i < table->n; i++)
        for (size_t m = 0; m < METRICS; m++)
            table->cell[i][m] = estimate(table, table->method[i].name, metrics[m].member);
}

static size_t row_of(const struct table *table, const char *name)
{
    size_t i = 0;
    while (name && i < table->n && strcmp(table->method[i].name, name) != 0)
        i++;
    return name ? i : table->n;
}

/* What is better is lower; infinite where there is nothing to compare. */
static double score(const struct table *table, size_t i, size_t m)
{
    const struct estimate *cell = &table->cell[i][m];
    size_t oracle = row_of(table, table->method[i].oracle);
    if (cell->n == 0)
        return HUGE_VAL;
    switch (metrics[m].best) {
    case HIGHEST:
        return -cell->mean;
    case LOWEST:
        return cell->mean;
    default:
        return oracle < table->n && table->cell[oracle][m].n > 0
                   ? fabs(cell->mean - table->cell[oracle][m].mean)
                   : HUGE_VAL;
    }
}

/* Oracles, and what has forgotten nothing, do not compete. */
static bool competes(const struct method *method)
{
    return method->group != GROUP_ORACLE && method->group != GROUP_BEFORE;
}

/* As precise as the measure, or as two digits of the mean. */
static struct number number_of(const struct metric *metric, double mean, double value)
{
    int decimals = metric->decimals < 0 ? number_decimals(mean, 2) : metric->decimals;
    return number_fixed(value, decimals);
}

/* Also those that are as good in print. */
static bool is_best(const struct table *table, size_t i, size_t m)
{
    double least = HUGE_VAL, mine = score(table, i, m);
    for (size_t j = 0; j < table->n; j++)
        if (competes(&table->method[j]))
            least = fmin(least, score(table, j, m));
    if (!competes(&table->method[i]) || !isfinite(mine))
        return false;
    return strcmp(number_of(&metrics[m], mine, mine).text,
                  number_of(&metrics[m], least, least).text) == 0;
}

static void write_cell(FILE *out, const struct table *table, size_t i, size_t m)
{
    const struct estimate *cell = &table->cell[i][m];
    if (cell->n == 0) {
        markup(out, "<td class=\"none\">not measured</td>");
        return;
    }
    markup(out, "<td class=\"%s\"><span>%s</span>", is_best(table, i, m) ? "best" : "",
           number_of(&metrics[m], cell->mean, cell->mean).text);
    if (cell->n > 1)
        markup(out, "<small>\xC2\xB1 %s</small>",
               number_of(&metrics[m], cell->mean, cell->half).text);
    markup(out, "</td>\n");
}

static void write_row(FILE *out, const struct table *table, size_t i)
{
    const struct method *method = &table->method[i];
    markup(out, "<tr class=\"%s\"><th scope=\"row\">",
           method->group == GROUP_OURS ? "ours" : "");
    report_sign(out, method->group);
    markup(out, "%s", method->title);
    if (table->cell[i][0].n < table->seeds)
        markup(out, "<small>%zu of %zu seeds</small>", table->cell[i][0].n, table->seeds);
    markup(out, "</th>\n");
    for (size_t m = 0; m < METRICS; m++)
        write_cell(out, table, i, m);
    markup(out, "</tr>\n");
}

static void write_group(FILE *out, enum group group)
{
    markup(
        out,
        "<tbody><tr class=\"group\"><th scope=\"rowgroup\" colspan=\"%d\">%s</th></tr>\n",
        METRICS + 1, group_title(group));
}

static void write_head(FILE *out, const struct table *table)
{
    struct estimate sd = estimate(table, NULL, "null_sd");
    markup(out, "<thead><tr><th scope=\"col\">Method</th>\n");
    for (size_t m = 0; m < METRICS; m++) {
        markup(out, "<th scope=\"col\">%s<small>%s</small>", metrics[m].title,
               metrics[m].small);
        if (strstr(metrics[m].small, "AUROC") && sd.n > 0)
            markup(out, "<small>null SD %s</small>", number_fixed(sd.mean, 2).text);
        markup(out, "</th>\n");
    }
    markup(out, "</tr></thead>\n");
}

static void write_table(FILE *out, const struct table *table)
{
    struct title title = forget_title(table->forget);
    markup(out,
           "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">\n"
           "<table class=\"methods\"><caption>%s: ",
           title.text, title.text);
    if (table->seeds > 1)
        markup(out,
               "means over %zu seeds, and half of the 95 %% interval "
               "(Student\xE2\x80\x99s t) below",
               table->seeds);
    else
        markup(out, "one seed, and so no interval");
    markup(out, "</caption>\n");
    write_head(out, table);
    for (size_t i = 0; i < table->n; i++) {
        if (i > 0 && table->method[i].group != table->method[i - 1].group)
            markup(out, "</tbody>\n");
        if (i == 0 || table->method[i].group != table->method[i - 1].group)
            write_group(out, table->method[i].group);
        write_row(out, table, i);
    }
    markup(out, "</tbody></table></div>\n");
}

/* "If memory adds little over the null pass, deleting it proves little." */
static void write_contribution(FILE *out, const struct results *results,
                               const char *forget)
{
    const struct which which = {
        .kind = "passes",
        .is = {{"forget", forget}, {"rows", "test"}, {"when", "after"}}};
    struct estimate adds = results_difference(results, &which, "full", &which, "null");
    struct estimate full = results_estimate(results, &which, "full");
    struct estimate null = results_estimate(results, &which, "null");
    struct estimate memory = results_estimate(results, &which, "memory");
    if (adds.n == 0) {
        report_missing(out, "what the memory contributes beside these figures.");
        return;
    }
    markup(out,
           "<p>Read with it: what is left of the memory contributes %s points to MUNKEY"
           "\xE2\x80\x99s accuracy on test rows (full answer %s %%, image alone %s %%, "
           "memory "
           "alone %s %%).</p>\n",
           report_figure(&adds, 2).text, report_figure(&full, 2).text,
           report_figure(&null, 2).text, report_figure(&memory, 2).text);
}

/* What post-hoc methods were run with. */
static void write_knobs(FILE *out, const struct table *table)
{
    size_t written = 0;
    for (size_t i = 0; i < table->n; i++) {
        const struct which which = {
            .kind = "forgetting",
            .is = {{"forget", table->forget}, {"method", table->method[i].name}}};
        const char *knobs[1];
        size_t n = results_values(table->results, &which, "knobs", knobs, 1);
        if (n == 0 || !*knobs[0])
            continue;
        if (written++ == 0)
            markup(out, "<details><summary>Knobs of post-hoc methods</summary><dl>\n");
        markup(out, "<dt>%s</dt><dd>%s</dd>\n", table->method[i].title, knobs[0]);
    }
    if (written > 0)
        markup(out, "</dl></details>\n");
}

static void write_legend(FILE *out)
{
    markup(out,
           "<p>Accuracy on test (TA), retained (RA) and forgotten rows (FA); membership "
           "attacks on the forgotten rows; Average Gap, the mean absolute difference of "
           "TA, RA, FA and RMIA to an oracle. An oracle\xE2\x80\x99s own gap is the "
           "floor: how far two oracles are apart that differ in their seed alone. A "
           "difference of two AUROCs below the null SD is noise.</p>\n");
    markup(out,
           "<p><b>\xE2\x98\x85</b> marks the best mean of a column: highest TA and "
           "agreement, lowest gap, KL, time and bytes, and elsewhere nearest to its own "
           "oracle; oracles, and what has forgotten nothing, do not compete. Whether a "
           "difference means anything, the intervals say; a row of fewer seeds than the "
           "others says so, and its mean is of other models.</p>\n");
}

static void write_set(FILE *out, const struct results *results, const char *forget)
{
    struct table table = {.results = results, .forget = forget};
    fill(&table);
    markup(out, "<h3>%s</h3>\n", forget_title(forget).text);
    write_table(out, &table);
    write_contribution(out, results, forget);
    write_knobs(out, &table);
}

void report_tables(FILE *out, const struct results *results)
{
    const char *forget[FORGETS_MAX];
    size_t n = report_forgets(results, "forgetting", forget);
    report_section(out, "table", "The table");
    if (n == 0)
        report_missing(out, "the table: no method was measured on any forget set.");
    else
        write_legend(out);
    for (size_t i = 0; i < n; i++)
        write_set(out, results, forget[i]);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What was studied: data, sizes, seeds, machine, command. */
#include <math.h>

#include "daemon/markup.h"
#include "daemon/report_method.h"
#include "daemon/report_parts.h"

static const char *text_of(const json_t *study, const char *member)
{
    return json_string_value(json_object_get(study, member));
}

static double number_of(const json_t *study, const char *member)
{
    return json_number_value(json_object_get(study, member));
}

static void write_pair(FILE *out, const char *name, const char *value)
{
    markup(out, "<dt>%s</dt><dd>%s</dd>\n", name, value);
}

static void write_seeds(FILE *out, const json_t *study)
{
    const json_t *seeds = json_object_get(study, "seeds");
    markup(out, "<dt>Seeds</dt><dd>");
    for (size_t i = 0; i < json_array_size(seeds); i++)
        markup(out, "%s%.0f", i ? ", " : "", json_number_value(json_array_get(seeds, i)));
    markup(out, "; %.0f oracles of each form for every seed</dd>\n",
           number_of(study, "oracles"));
}

static struct number size_text(double size)
{
    return size == floor(size) ? number_fixed(size, 0) : number_significant(size, 2);
}

static void write_sizes(FILE *out, const json_t *study)
{
    json_t *sizes = json_object_get(study, "sizes");
    const char *name, *profile = text_of(study, "profile");
    const json_t *value;
    markup(out, "<dt>Model</dt><dd>profile %s, %.0f epochs",
           profile ? profile : "not named", number_of(study, "epochs"));
    json_object_foreach(sizes, name, value)
    {
        if (json_is_number(value) && fabs(json_number_value(value)) < 1e15)
            markup(out, ", %s %s", name, size_text(json_number_value(value)).text);
    }
    markup(out, "</dd>\n");
}

static void write_study(FILE *out, const json_t *study)
{
    markup(out, "<dl>\n");
    write_pair(out, "Study", text_of(study, "study"));
    markup(out,
           "<dt>Data</dt><dd>%s: %.0f images of %.0f classes, and %.0f that are asked "
           "about</dd>\n<dt>Shared out</dt><dd>%.0f public (the key "
           "encoder\xE2\x80\x99s), %.0f "
           "members of the memory that the weights saw, %.0f held out for "
           "calibration</dd>\n",
           text_of(study, "dataset"), number_of(study, "images"),
           number_of(study, "classes"), number_of(study, "tests"),
           number_of(study, "public"), number_of(study, "members"),
           number_of(study, "held_out"));
    write_sizes(out, study);
    write_seeds(out, study);
    double threads = number_of(study, "threads");
    markup(out, "<dt>Machine</dt><dd>%s; %.0f thread%s</dd>\n", text_of(study, "machine"),
           threads, threads == 1 ? "" : "s");
    markup(out, "<dt>Date</dt><dd>%s, munkeyd %s</dd>\n", text_of(study, "date"),
           text_of(study, "version"));
    markup(out, "<dt>Command</dt><dd><code>%s</code></dd>\n</dl>\n",
           text_of(study, "command"));
}

/* Of the trained class, if there is one: the exact class has other rows. */
static struct estimate rows_of(const struct results *results, const char *forget)
{
    const struct which any = {.kind = "forgetting", .is = {{"forget", forget}}},
                       trained = {.kind = "forgetting",
                                  .is = {{"forget", forget}, {"method", "munkey"}}};
    struct estimate rows = results_estimate(results, &trained, "forgotten");
    return rows.n > 0 ? rows : results_estimate(results, &any, "forgotten");
}

static void write_forgets(FILE *out, const struct results *results)
{
    const char *forget[FORGETS_MAX];
    size_t n = report_forgets(results, "forgetting", forget);
    if (n > 0)
        markup(out, "<p>Forget sets: ");
    for (size_t i = 0; i < n; i++) {
        struct estimate rows = rows_of(results, forget[i]);
        markup(out, "%s%s (%.0f rows, %zu seed%s)", i ? "; " : "",
               forget_title(forget[i]).text, rows.mean, rows.n, rows.n == 1 ? "" : "s");
    }
    if (n > 0)
        markup(out, ".</p>\n");
}

static void write_training(FILE *out, const struct results *results)
{
    const struct which all = {.kind = "training"};
    size_t n = 0, at = 0;
    while (results_next(results, &all, &at))
        n++;
    if (n > 0)
        markup(out, "<p>Trained for it: %zu models, in %s hours.</p>\n", n,
               number_significant(results_sum(results, &all, "seconds") / 3600, 2).text);
}

static void write_contents(FILE *out)
{
    static const struct {
        const char *id, *title;
    } parts[] = {{"verdict", "Verdict"},     {"table", "Table"},
                 {"memory", "Memory"},       {"attacks", "Attacks"},
                 {"roc", "ROC curves"},      {"time", "Gap and time"},
                 {"price", "Price"},         {"shares", "Share forgotten"},
                 {"ablations", "Ablations"}, {"exact", "Exact class"},
                 {"cost", "Cost"},           {"limits", "What this does not show"}};
    markup(out, "<nav aria-label=\"Contents\"><ol>\n");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        markup(out, "<li><a href=\"#%s\">%s</a></li>\n", parts[i].id, parts[i].title);
    markup(out, "</ol></nav>\n");
}

void report_studied(FILE *out, const struct results *results)
{
    const struct which studies = {.kind = "study"};
    const json_t *study;
    size_t at = 0;
    markup(out,
           "<h1>What a MUNKEY model forgets</h1>\n"
           "<p class=\"lead-in\">Deletion of keys, measured against training again and "
           "against other ways of forgetting</p>\n");
    write_contents(out);
    report_section(out, "studied", "What was studied");
    while ((study = results_next(results, &studies, &at)))
        write_study(out, study);
    if (!results_next(results, &studies, &(size_t){0}))
        report_missing(out,
                       "data, sizes, machine and command: the results have no line of "
                       "kind \xE2\x80\x9Cstudy\xE2\x80\x9D.");
    write_forgets(out, results);
    write_training(out, results);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A study's report: its page, and what its parts share. */
#include "daemon/report.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "daemon/chart.h"
#include "daemon/files.h"
#include "daemon/markup.h"
#include "daemon/report_css.h"
#include "daemon/report_method.h"
#include "daemon/report_parts.h"

void report_section(FILE *out, const char *id, const char *title)
{
    markup(out, "<h2 id=\"%s\">%s</h2>\n", id, title);
}

void report_missing(FILE *out, const char *what)
{
    markup(out, "<p class=\"missing\"><b>Not part of this study:</b> %s</p>\n", what);
}

void report_sign(FILE *out, unsigned style)
{
    markup(out, "<svg class=\"sign\" viewBox=\"-7 -7 14 14\" aria-hidden=\"true\">");
    chart_mark(out, style, 0, 0);
    markup(out, "</svg>");
}

struct figure report_figure(const struct estimate *estimate, int decimals)
{
    struct figure figure;
    struct number mean = number_fixed(estimate->mean, decimals);
    struct number half = number_fixed(estimate->half, decimals);
    if (estimate->n > 1)
        snprintf(figure.text, sizeof figure.text, "%s\xC2\xA0\xC2\xB1\xC2\xA0%s",
                 mean.text, half.text);
    else
        snprintf(figure.text, sizeof figure.text, "%s", mean.text);
    return figure;
}

const char *report_forget(const struct results *results)
{
    const struct which all = {.kind = "forgetting"};
    const char *forget[FORGETS_MAX], *most = NULL;
    struct method method[METHODS_MAX];
    size_t n = results_values(results, &all, "forget", forget, FORGETS_MAX), best = 0;
    for (size_t i = 0; i < n; i++) {
        size_t methods = methods_of(results, forget[i], method);
        if (methods > best) {
            best = methods;
            most = forget[i];
        }
    }
    return most;
}

size_t report_forgets(const struct results *results, const char *kind,
                      const char *ret_forgets[static FORGETS_MAX])
{
    const struct which all = {.kind = kind};
    const char *first = report_forget(results);
    size_t n = results_values(results, &all, "forget", ret_forgets, FORGETS_MAX), i = 0;
    while (first && i < n && strcmp(ret_forgets[i], first) != 0)
        i++;
    if (first && i < n) {
        memmove(ret_forgets + 1, ret_forgets, i * sizeof *ret_forgets);
        ret_forgets[0] = first;
    }
    return n;
}

static void write_page(FILE *out, const struct results *results)
{
    static void (*const parts[])(FILE *, const struct results *) = {
        report_studied, report_verdict, report_tables, report_passes, report_attacks,
        report_roc,     report_time,    report_price,  report_shares, report_ablations,
        report_exact,   report_cost,    report_limits,
    };
    markup(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                "<meta name=\"viewport\" content=\"width=device-width\"/>\n"
                "<title>What a MUNKEY model forgets</title>\n<style>\n");
    fputs(report_css, out);
    markup(out, "</style>\n</head>\n<body>\n<main>\n");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        parts[i](out, results);
    markup(out, "</main>\n</body>\n</html>\n");
}

static int write_report(const struct results *results, const char *path)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return fail(MK_ENOMEM, "no memory for a report");
    write_page(out, results);
    int rc = ferror(out) ? fail(MK_ENOMEM, "no memory for a report") : 0;
    if (fclose(out) == EOF && rc == 0)
        rc = fail(MK_ENOMEM, "no memory for a report");
    if (rc == 0)
        rc = file_write(path, text, len);
    free(text);
    return rc;
}

int report_write(const char *lines, const char *out)
{
    struct results *results;
    int rc = results_read(lines, &results);
    if (rc < 0)
        return rc;
    rc = write_report(results, out);
    results_free(results);
    return rc;
}

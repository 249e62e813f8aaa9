/* SPDX-License-Identifier: Apache-2.0 */
/* munkey-eval: measures how well a model forgets, in a study of many or as an operator's own. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/err.h"
#include "core/train_parallel.h"
#include "daemon/report.h"
#include "daemon/study_run.h"

const char *argp_program_version = "munkey-eval " PACKAGE_VERSION;

enum { INTERRUPTED = 75 /* EX_TEMPFAIL */ };

struct wishes {
    const char *path;
    struct study_options study;
    const char *report;
};

static const struct argp_option study_options[] = {
    {"out", 'o', "FOLDER", 0,
     "results.jsonl and models/; what is there is not done again", 0},
    {"list", 'l', NULL, 0, "only say what is there and what would be done", 0},
    {"minutes", 'm', "N", 0, "end after so long; the same command goes on", 0},
    {"threads", 't', "N", 0, "default: one for each processor", 0},
    {0}};

static double number(const char *text, double least, double most,
                     struct argp_state *state)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= least && value <= most))
        argp_error(state, "\"%s\" is not a number from %g to %g", text, least, most);
    return value;
}

static error_t take_study(int key, char *text, struct argp_state *state)
{
    struct wishes *w = state->input;
    switch (key) {
    case 'o':
        w->study.folder = text;
        return 0;
    case 'l':
        w->study.list = true;
        return 0;
    case 'm':
        w->study.minutes = number(text, 1e-6, 1e6, state);
        return 0;
    case 't':
        w->study.threads = (size_t)number(text, 1, THREADS_MAX, state);
        return 0;
    case ARGP_KEY_ARG:
        if (w->path)
            argp_error(state, "one study at a time");
        w->path = text;
        return 0;
    case ARGP_KEY_END:
        if (!w->path || !w->study.folder)
            argp_error(state, "name a study and --out FOLDER");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int failed(int rc)
{
    fprintf(stderr, "munkey-eval: %s\n", err_why());
    return rc == MK_EBUSY ? INTERRUPTED : rc == MK_EINPUT ? EX_DATAERR : EXIT_FAILURE;
}

static size_t processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (size_t)n;
}

static int run_study(int argc, char **argv)
{
    const struct argp argp = {
        .options = study_options,
        .parser = take_study,
        .args_doc = "STUDY.json",
        .doc =
            "Trains and measures what a study asks for, and goes on from what is there.\v"
            "munkey-eval report FOLDER --out FILE.html makes a page of the results; "
            "docs/EVALUATION.md explains them."};
    struct wishes wishes = {.study.threads = processors()};

    argp_parse(&argp, argc, argv, 0, NULL, &wishes);
    int rc = study_run(wishes.path, &wishes.study);
    return rc < 0 ? failed(rc) : EXIT_SUCCESS;
}

static const struct argp_option report_options[] = {
    {"out", 'o', "FILE", 0, "the page (default: FOLDER/report.html)", 0}, {0}};

static error_t take_report(int key, char *text, struct argp_state *state)
{
    struct wishes *w = state->input;
    if (key == 'o')
        w->report = text;
    else if (key == ARGP_KEY_ARG && !w->path)
        w->path = text;
    else if (key == ARGP_KEY_ARG)
        argp_error(state, "one folder at a time");
    else if (key == ARGP_KEY_END && !w->path)
        argp_error(state, "name a study's folder");
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static int write_report(int argc, char **argv)
{
    const struct argp argp = {.options = report_options,
                              .parser = take_report,
                              .args_doc = "FOLDER",
                              .doc = "Makes one HTML page of a study's results."};
    struct wishes wishes = {0};
    char lines[4096], page[4096];

    argp_parse(&argp, argc, argv, 0, NULL, &wishes);
    snprintf(lines, sizeof lines, "%s/results.jsonl", wishes.path);
    snprintf(page, sizeof page, "%s/report.html", wishes.path);
    int rc = report_write(lines, wishes.report ? wishes.report : page);
    return rc < 0 ? failed(rc) : EXIT_SUCCESS;
}

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {{"report", write_report}};

int main(int argc, char **argv)
{
    char name[64];

    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        snprintf(name, sizeof name, "munkey-eval %s", commands[i].name);
        argv[1] = name;
        return commands[i].run(argc - 1, argv + 1);
    }
    return run_study(argc, argv);
}

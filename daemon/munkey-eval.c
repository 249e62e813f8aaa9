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
#include "daemon/files.h"
#include "daemon/model_file.h"
#include "daemon/report.h"
#include "daemon/residual.h"
#include "daemon/study_run.h"
#include "storage/state.h"

const char *argp_program_version = "munkey-eval " PACKAGE_VERSION;

enum { INTERRUPTED = 75 /* EX_TEMPFAIL */, AUDIT_CAPACITY = 1 << 26 };

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
            "munkey-eval report FOLDER makes a page of the results; munkey-eval audit "
            "MODEL STATE measures an operator's own model; "
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

struct audit {
    const char *model, *state;
    struct train_source source;
};

static error_t take_audit(int key, char *text, struct argp_state *state)
{
    struct audit *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->source;
        return 0;
    case ARGP_KEY_ARG:
        if (a->state)
            argp_error(state, "name a model and a state folder");
        *(a->model ? &a->state : &a->model) = text;
        return 0;
    case ARGP_KEY_END:
        if (!a->state)
            argp_error(state, "name a model and a state folder");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The daemon's own memory; it does not run meanwhile. */
static int open_memory(const struct audit *a, const struct model *model,
                       const uint8_t sha256[static 32], struct memory **ret_bank)
{
    const struct state_options options = {.folder = a->state};
    struct state *state = NULL;
    if (!(*ret_bank = memory_new(model_info(model)->key_dim, AUDIT_CAPACITY)))
        return fail(MK_ENOMEM, "no memory for a bank");
    int rc = state_open(&options, model_info(model), sha256, *ret_bank, false, &state);
    state_close(state);
    return rc;
}

/* To standard output for people, and beside the model for the daemon. */
static int tell(const struct audit *a, const struct residual *residual,
                const uint8_t sha256[static 32])
{
    char path[RESIDUAL_PATH];
    size_t i;
    json_t *sentence;
    json_auto_t *json = residual_json(residual, sha256);
    char *text = json ? json_dumps(json, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) : NULL;
    if (!text)
        return fail(MK_ENOMEM, "no memory for a verdict");
    json_array_foreach(json_object_get(json, "verdict"), i, sentence)
        puts(json_string_value(sentence));
    residual_path(a->model, path);
    int rc = file_write(path, text, strlen(text));
    free(text);
    return rc;
}

static int audit(const struct audit *a)
{
    struct model *model = NULL;
    struct memory *bank = NULL;
    struct known_data known = {0};
    struct residual residual;
    uint8_t sha256[32];
    int rc = model_file_load(a->model, &model, sha256);
    if (rc == 0)
        rc = known_data_open(model, &a->source, processors(), &known);
    if (rc == 0)
        rc = open_memory(a, model, sha256, &bank);
    if (rc == 0)
        rc = residual_measure(model, bank, &known, processors(), &residual);
    if (rc == 0)
        rc = tell(a, &residual, sha256);
    memory_free(bank);
    model_free(model);
    known_data_done(&known);
    return rc;
}

static int run_audit(int argc, char **argv)
{
    const struct argp_child children[] = {{&train_source_argp, 0, "Images:", 2}, {0}};
    const struct argp argp = {
        .parser = take_audit,
        .args_doc = "MODEL STATE",
        .doc = "Says how much the memory of a stopped munkeyd contributes and what the "
               "weights keep of what they saw, and writes MODEL.residual.json, which GET "
               "/version serves.  Images are those that the model was trained on.",
        .children = children};
    struct audit a = {0};

    argp_parse(&argp, argc, argv, 0, NULL, &a);
    int rc = audit(&a);
    return rc < 0 ? failed(rc) : EXIT_SUCCESS;
}

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {{"audit", run_audit}, {"report", write_report}};

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

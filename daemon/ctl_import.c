/* SPDX-License-Identifier: Apache-2.0 */
/* munkeyctl import: enrols images that somebody owns, from a manifest or from IDX files. */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "core/train_parallel.h"
#include "daemon/ctl.h"
#include "daemon/intake.h"
#include "daemon/keymaker.h"
#include "daemon/model_file.h"
#include "daemon/progress.h"
#include "storage/crypto.h"
#include "storage/enroll.h"

enum { KEY_SEED = 0x80, KEY_MANIFEST, KEY_UNSEEN };

struct wishes {
    struct config_source source;
    bool seeded, unseen;
    uint8_t seed[32];
    const char *manifest; /* or: */
    const char *images, *labels, *rows;
};

/* What is imported, and into what.  Destructors take the zeros that are not reached. */
struct job {
    struct config config;
    struct model *model;
    uint8_t model_sha256[32];
    struct dataset data;
    struct intake intake;
    struct import import;
    struct memory *bank;
    struct state *state;
    double keys, storage; /* seconds: images and their keys; the database */
};

static const struct argp_option options[] = {
    {"manifest", KEY_MANIFEST, "FILE", 0,
     "CSV file with the columns path,label,subject and, if known, "
     "split,source,collected_at,"
     "lawful_basis,consent_ref; rows of split test are left out",
     0},
    {"unseen", KEY_UNSEEN, NULL, 0,
     "the model's weights saw none of the rows that say neither base nor enrol: they are "
     "of "
     "class exact",
     0},
    {"seed", KEY_SEED, "HEX", 0,
     "32 bytes that fix ids and nonces, so that equal imports have equal digests; for "
     "tests and demonstrations alone: whoever knows the seed can test guesses",
     0},
    {0}};

static bool parse_seed(const char *hex, uint8_t ret_seed[static 32])
{
    if (strlen(hex) != 64 || strspn(hex, "0123456789abcdefABCDEF") != 64)
        return false;
    for (int i = 0; i < 32; i++)
        sscanf(hex + 2 * i, "%2hhx", &ret_seed[i]);
    return true;
}

static void check(const struct wishes *wishes, unsigned arguments,
                  struct argp_state *state)
{
    if (arguments != (wishes->manifest ? 0 : 3))
        argp_error(state, "name a manifest, or three files: images, labels and rows");
}

static error_t take(int key, char *argument, struct argp_state *state)
{
    struct wishes *wishes = state->input;
    const char **const positional[] = {&wishes->images, &wishes->labels, &wishes->rows};

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &wishes->source;
        return 0;
    case KEY_SEED:
        if (!(wishes->seeded = parse_seed(argument, wishes->seed)))
            argp_error(state, "--seed takes 64 hexadecimal digits");
        return 0;
    case KEY_MANIFEST:
        wishes->manifest = argument;
        return 0;
    case KEY_UNSEEN:
        wishes->unseen = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 2)
            argp_usage(state);
        *positional[state->arg_num] = argument;
        return 0;
    case ARGP_KEY_END:
        check(wishes, state->arg_num, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* With a seed the id of an instance comes from the row of its image. */
static int check_unique(const struct intake *intake)
{
    for (size_t i = 1; i < intake->n; i++)
        if (intake->item[i - 1].sample->row == intake->item[i].sample->row)
            return fail(
                MK_EINPUT,
                "with --seed an image can stand in one row; image %ju stands in two",
                (uintmax_t)intake->item[i].sample->row);
    return 0;
}

static size_t threads_here(void)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (size_t)cores;
}

/* A position in it means the same rows as long as all that was read is the same, and the model
 * puts it into the same order. */
static void name_import(struct job *job)
{
    uint8_t *sha256 = job->import.input_sha256;

    memcpy(sha256, job->data.input_sha256, sizeof job->data.input_sha256);
    for (size_t i = 0; i < job->intake.n; i++) {
        const uint64_t item[] = {htole64(job->intake.item[i].sample->row),
                                 htole64(job->intake.item[i].class)};
        crypto_sha256_parts((struct bytes[]){{sha256, SHA256_SIZE}, {item, sizeof item}},
                            2, sha256);
    }
}

/* Every image is looked at before the first is enrolled. */
static int read_inputs(const struct wishes *wishes, struct job *job)
{
    struct frame frame;
    const struct model_info *info;
    int rc;

    if ((rc = model_file_load(job->config.model, &job->model, job->model_sha256)) < 0)
        return rc;
    info = model_info(job->model);
    frame = (struct frame){info->height, info->width, info->channels};
    rc = wishes->manifest
             ? dataset_open_manifest(wishes->manifest, &job->data)
             : dataset_open_idx(wishes->images, wishes->labels, wishes->rows, &job->data);
    if (rc == 0 && (rc = dataset_use_labels(&job->data, info)) == 0 &&
        (rc = dataset_read_all(&job->data, &frame, threads_here())) == 0)
        rc = intake_choose(&job->data, info, wishes->unseen, &job->intake);
    if (rc < 0)
        return rc;
    name_import(job);
    if (!wishes->seeded)
        return 0;
    job->import.seed = wishes->seed;
    return check_unique(&job->intake);
}

static int open_state(struct job *job)
{
    const struct state_options options = config_state(&job->config);
    const struct model_info *info = model_info(job->model);

    if (!(job->bank = memory_new(info->key_dim, job->config.capacity)))
        return fail(MK_ENOMEM, "no memory for %ld instances", job->config.capacity);
    return state_open(&options, info, job->model_sha256, job->bank, false, &job->state);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* n items, all of one class. */
static int import_batch(struct job *job, struct keymaker *keymaker, uint64_t from,
                        size_t n)
{
    const struct item *item = &job->intake.item[from];
    const double began = now();
    const struct import_row *rows;
    int rc = keymaker_run(keymaker, item, n, &rows);
    const double computed = now();

    if (rc == 0)
        rc = import_rows(job->state, &job->import, item->class, rows, n, from + n);
    job->keys += computed - began;
    job->storage += now() - computed;
    return rc;
}

/* How many items from here on share a class and fit into one transaction. */
static size_t run_length(const struct intake *intake, uint64_t from)
{
    size_t n = 1;

    while (n < ENROLL_MAX && from + n < intake->n &&
           intake->item[from + n].class == intake->item[from].class)
        n++;
    return n;
}

static int import_from(struct job *job, uint64_t at)
{
    struct progress progress = progress_start("import", "images", job->intake.n);
    struct keymaker *keymaker;
    int rc = keymaker_new(job->model, &job->data, threads_here(), &keymaker);

    if (rc < 0)
        return rc;
    progress_at(&progress, at, NULL);
    while (at < job->intake.n && rc == 0) {
        const size_t n = run_length(&job->intake, at);
        if ((rc = import_batch(job, keymaker, at, n)) == 0)
            progress_at(&progress, at += n, NULL);
    }
    progress_end(&progress);
    keymaker_free(keymaker);
    return rc;
}

static void tell_speed(const struct job *job, size_t n)
{
    const double seconds = job->keys + job->storage;

    if (n > 0 && seconds > 0)
        printf("%.0f images a second: %.0f %% of the time for images and keys, %.0f %% "
               "for the "
               "database\n",
               (double)n / seconds, 100 * job->keys / seconds,
               100 * job->storage / seconds);
}

/* What would only fail in the middle. */
static int check_room(const struct job *job)
{
    for (size_t i = 0; i < job->intake.n; i++) {
        const struct sample *sample = job->intake.item[i].sample;
        int rc = enroll_fits(job->state, &sample->provenance, sample->name);
        if (rc < 0)
            return dataset_fail(&job->data, sample, MK_EINPUT, err_why());
    }
    return 0;
}

/* Says so about the first row whose label does not fit beside those of the rows before. */
static int refuse_names(const struct job *job)
{
    const struct dataset *data = &job->data;
    size_t fits = 0, n = data->classes;
    int rc;

    while (n - fits > 1) {
        const size_t middle = (fits + n) / 2;
        if (enroll_names_fit(job->state, data->label, middle) == 0)
            fits = middle;
        else
            n = middle;
    }
    rc = enroll_names_fit(job->state, data->label, n);
    for (size_t i = 0; i < data->n; i++)
        if (data->sample[i].label == n - 1)
            return dataset_fail(data, &data->sample[i], MK_EINPUT, err_why());
    return rc;
}

/* Of an IDX file all labels are built in. */
static int check_names(const struct job *job)
{
    const struct dataset *data = &job->data;

    if (!model_info(job->model)->open_labels || !data->label)
        return 0;
    return enroll_names_fit(job->state, data->label, data->classes) < 0
               ? refuse_names(job)
               : 0;
}

static int import_all(struct job *job)
{
    struct state_status status;
    uint64_t at;
    int rc;

    if ((rc = check_room(job)) == 0 && (rc = check_names(job)) == 0 &&
        (rc = import_position(job->state, &job->import, &at)) == 0)
        rc = import_from(job, at);
    if (rc < 0)
        return rc;
    state_status(job->state, &status);
    printf("%ju of %zu rows were there already; the memory holds %ju instances of %ju "
           "subjects\n",
           (uintmax_t)at, job->intake.n, (uintmax_t)status.instances,
           (uintmax_t)status.subjects);
    tell_speed(job, job->intake.n - at);
    return 0;
}

static void job_done(struct job *job)
{
    state_close(job->state);
    memory_free(job->bank);
    intake_done(&job->intake);
    dataset_done(&job->data);
    model_free(job->model);
    config_done(&job->config);
}

int ctl_import(int argc, char **argv)
{
    const struct argp argp = {
        .options = options,
        .parser = take,
        .args_doc = "--manifest FILE\nIMAGES LABELS ROWS",
        .doc =
            "Enrols images: PNG and JPEG files that a manifest names, or those of a pair "
            "of "
            "IDX files, plain or gzip.  ROWS is a CSV file whose first line names its "
            "columns: index (of the image, from 0), subject (who owns it), and, if "
            "known, "
            "split, source, collected_at, lawful_basis, consent_ref.\vThe daemon must "
            "not "
            "run.  An import that was interrupted goes on where it stopped when the same "
            "command is given again.",
        .children = ctl_settings,
    };
    struct wishes wishes = {0};
    struct job job = {0};
    int rc;

    argp_parse(&argp, argc, argv, 0, NULL, &wishes);
    if ((rc = ctl_config(&wishes.source, &job.config)) == 0 &&
        (rc = read_inputs(&wishes, &job)) == 0 && (rc = open_state(&job)) == 0)
        rc = import_all(&job);
    job_done(&job);
    return rc < 0 ? ctl_failed(rc) : EXIT_SUCCESS;
}

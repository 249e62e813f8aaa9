/* SPDX-License-Identifier: Apache-2.0 */
/* munkeyctl import: enrols images that somebody owns, from IDX files and a CSV file. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "daemon/ctl.h"
#include "daemon/files.h"
#include "daemon/idx.h"
#include "daemon/model_file.h"
#include "daemon/progress.h"
#include "daemon/rows.h"
#include "storage/crypto.h"
#include "storage/enroll.h"

enum { KEY_SEED = 0x80, FILE_MAX = 1 << 30, THREADS_MAX = 64 };

struct wishes {
    struct config_source source;
    bool seeded;
    uint8_t seed[32];
    const char *images, *labels, *csv;
};

/* What is imported, and into what.  Destructors take the zeros that are not reached. */
struct job {
    struct config config;
    struct model *model;
    uint8_t model_sha256[32];
    struct idx images, labels; /* (n, height, width) and (n) */
    uint8_t *csv;
    size_t csv_len;
    struct rows rows;
    struct import import;
    struct memory *bank;
    struct state *state;
};

static const struct argp_option options[] = {
    {"seed", KEY_SEED, "HEX", 0,
     "32 bytes that fix ids and nonces, so that equal imports have equal digests; for "
     "tests and "
     "demonstrations alone: whoever knows the seed can test guesses",
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

static error_t take(int key, char *argument, struct argp_state *state)
{
    struct wishes *wishes = state->input;
    const char **const positional[] = {&wishes->images, &wishes->labels, &wishes->csv};

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &wishes->source;
        return 0;
    case KEY_SEED:
        if (!(wishes->seeded = parse_seed(argument, wishes->seed)))
            argp_error(state, "--seed takes 64 hexadecimal digits");
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 2)
            argp_usage(state);
        *positional[state->arg_num] = argument;
        return 0;
    case ARGP_KEY_END:
        if (state->arg_num < 3)
            argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int check_images(const struct job *job)
{
    const struct model_info *info = model_info(job->model);

    if (job->images.n != job->labels.n)
        return fail(MK_EINPUT, "%zu images, but %zu labels", job->images.n,
                    job->labels.n);
    if (job->images.height != info->height || job->images.width != info->width ||
        info->channels != 1)
        return fail(MK_EINPUT, "the images are %zu x %zu, the model wants %u x %u",
                    job->images.height, job->images.width, info->height, info->width);
    for (size_t i = 0; i < job->labels.n; i++)
        if (job->labels.data[i] >= info->classes)
            return fail(MK_EINPUT, "label %u of image %zu: the model knows 0 to %u",
                        job->labels.data[i], i, info->classes - 1);
    return 0;
}

/* With a seed the id of an instance comes from the index of its image. */
static int check_unique(const struct rows *rows, size_t images)
{
    uint8_t *seen = calloc(images, 1);
    int rc = 0;

    if (!seen)
        return fail(MK_ENOMEM, "no memory for %zu images", images);
    for (size_t i = 0; i < rows->n && rc == 0; i++)
        if (seen[rows->row[i].index]++)
            rc = fail(MK_EINPUT,
                      "with --seed an image can stand in one row; image %ju stands "
                      "in two",
                      (uintmax_t)rows->row[i].index);
    free(seen);
    return rc;
}

static int read_inputs(const struct wishes *wishes, struct job *job)
{
    uint8_t part[3][32]; /* of images, labels, rows */
    int rc;

    if ((rc = model_file_load(job->config.model, &job->model, job->model_sha256)) < 0 ||
        (rc = idx_read(wishes->images, 3, &job->images)) < 0 ||
        (rc = idx_read(wishes->labels, 1, &job->labels)) < 0 ||
        (rc = check_images(job)) < 0 ||
        (rc = file_read(wishes->csv, FILE_MAX, &job->csv, &job->csv_len)) < 0)
        return rc;
    memcpy(part[0], job->images.sha256, 32);
    memcpy(part[1], job->labels.sha256, 32);
    crypto_sha256(job->csv, job->csv_len, part[2]);
    crypto_sha256(part, sizeof part, job->import.input_sha256);
    rc = rows_parse((char *)job->csv, job->csv_len, job->images.n, &job->rows);
    if (rc < 0)
        return fail(rc, "%s: %s", wishes->csv, err_why());
    if (!wishes->seeded)
        return 0;
    job->import.seed = wishes->seed;
    return check_unique(&job->rows, job->images.n);
}

static int open_state(struct job *job)
{
    const struct state_options options = config_state(&job->config);
    const struct model_info *info = model_info(job->model);

    if (!(job->bank = memory_new(info->key_dim, job->config.capacity)))
        return fail(MK_ENOMEM, "no memory for %ld instances", job->config.capacity);
    return state_open(&options, info, job->model_sha256, job->bank, false, &job->state);
}

/* Rows of the training file in the ranges that the weights saw are trained, all others
 * exact: the operator answers for not importing under another name what the weights saw.
 */
static enum instance_class class_of(const struct job *job, const struct row *row)
{
    const struct model_info *info = model_info(job->model);

    if (memcmp(job->images.sha256, info->data_sha256, 32) != 0)
        return CLASS_EXACT;
    for (size_t i = 0; i < info->n_seen; i++)
        if (row->index >= info->seen[i].begin && row->index < info->seen[i].end)
            return CLASS_TRAINED;
    return CLASS_EXACT;
}

/* One thread's share of a batch: rows first, first + step, ... */
struct share {
    const struct job *job;
    struct import_row *out;
    uint64_t from;
    size_t first, step, n;
    pthread_t thread;
    bool failed;
};

static void *compute_share(void *argument)
{
    struct share *share = argument;
    const struct job *job = share->job;
    const size_t pixels = job->images.height * job->images.width;
    struct scratch *scratch = scratch_new(job->model);

    if ((share->failed = !scratch))
        return NULL;
    for (size_t i = share->first; i < share->n; i += share->step) {
        const struct row *row = &job->rows.row[share->from + i];
        struct import_row *out = &share->out[i];
        *out = (struct import_row){
            row->index,
            row->subject,
            {.label = job->labels.data[row->index], .provenance = row->provenance}};
        model_key(job->model, scratch, job->images.data + row->index * pixels,
                  &out->instance.key);
    }
    scratch_free(scratch);
    return NULL;
}

/* Keys do not depend on which thread computes them (docs/MODEL.md). */
static int compute(const struct job *job, uint64_t from, size_t n, struct import_row *out)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t threads = cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : cores;
    struct share share[THREADS_MAX];
    size_t started = 0;
    bool failed = false;

    for (; started < threads; started++) {
        share[started] = (struct share){job, out, from, started, threads, n, 0, false};
        if (pthread_create(&share[started].thread, NULL, compute_share, &share[started]))
            break;
    }
    for (size_t i = 0; i < started; i++) {
        pthread_join(share[i].thread, NULL);
        failed |= share[i].failed;
    }
    return started < threads || failed ? fail(MK_ENOMEM, "no memory to compute keys") : 0;
}

/* How many rows from here on share a class and fit into one transaction. */
static size_t run_length(const struct job *job, uint64_t from)
{
    const enum instance_class class = class_of(job, &job->rows.row[from]);
    size_t n = 1;

    while (n < ENROLL_MAX && from + n < job->rows.n &&
           class_of(job, &job->rows.row[from + n]) == class)
        n++;
    return n;
}

static int import_from(struct job *job, uint64_t at, struct import_row *out)
{
    struct progress progress = progress_start("import", "images", job->rows.n);
    int rc = 0;

    progress_at(&progress, at, NULL);
    while (at < job->rows.n && rc == 0) {
        const size_t n = run_length(job, at);
        if ((rc = compute(job, at, n, out)) == 0)
            rc = import_rows(job->state, &job->import, class_of(job, &job->rows.row[at]),
                             out, n, at + n);
        if (rc == 0)
            progress_at(&progress, at += n, NULL);
    }
    progress_end(&progress);
    return rc;
}

static int import_all(struct job *job)
{
    struct import_row *out = calloc(ENROLL_MAX, sizeof *out);
    struct state_status status;
    uint64_t at;
    int rc;

    if (!out)
        return fail(MK_ENOMEM, "no memory for %d rows", ENROLL_MAX);
    if ((rc = import_position(job->state, &job->import, &at)) == 0)
        rc = import_from(job, at, out);
    crypto_wipe(out, ENROLL_MAX * sizeof *out);
    free(out);
    if (rc < 0)
        return rc;
    state_status(job->state, &status);
    printf("%ju of %zu rows were there already; the memory holds %ju instances of %ju "
           "subjects\n",
           (uintmax_t)at, job->rows.n, (uintmax_t)status.instances,
           (uintmax_t)status.subjects);
    return 0;
}

static void job_done(struct job *job)
{
    state_close(job->state);
    memory_free(job->bank);
    rows_done(&job->rows);
    if (job->csv)
        crypto_wipe(job->csv, job->csv_len);
    free(job->csv);
    idx_free(&job->images);
    idx_free(&job->labels);
    model_free(job->model);
    config_done(&job->config);
}

int ctl_import(int argc, char **argv)
{
    const struct argp_child children[] = {{&config_argp, 0, "Settings:", 0}, {0}};
    const struct argp argp = {
        .options = options,
        .parser = take,
        .args_doc = "IMAGES LABELS ROWS",
        .doc = "Enrols images from a pair of IDX files, plain or gzip.  ROWS is a CSV "
               "file whose "
               "first line names its columns: index (of the image, from 0), subject (who "
               "owns "
               "it), and, if known, source, collected_at, lawful_basis, "
               "consent_ref.\vThe daemon "
               "must not run.  An import that was interrupted goes on where it stopped "
               "when the "
               "same command is given again.",
        .children = children,
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

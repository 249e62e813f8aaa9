/* SPDX-License-Identifier: Apache-2.0 */
/* munkeyctl import: enrols images that somebody owns, from a manifest or from IDX files. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "core/train_parallel.h"
#include "daemon/ctl.h"
#include "daemon/intake.h"
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
    struct frame frame;
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

/* Every image is looked at before the first is enrolled. */
static int read_inputs(const struct wishes *wishes, struct job *job)
{
    struct reading reading = {.threads = threads_here()};
    const struct model_info *info;
    int rc;

    if ((rc = model_file_load(job->config.model, &job->model, job->model_sha256)) < 0)
        return rc;
    info = model_info(job->model);
    reading.frame = job->frame =
        (struct frame){info->height, info->width, info->channels};
    rc = wishes->manifest
             ? dataset_open_manifest(wishes->manifest, &job->data)
             : dataset_open_idx(wishes->images, wishes->labels, wishes->rows, &job->data);
    if (rc == 0 &&
        (rc = dataset_use_labels(&job->data, info->labels, info->classes)) == 0 &&
        (rc = dataset_read(&job->data, &reading)) == 0)
        rc = intake_choose(&job->data, info, wishes->unseen, &job->intake);
    if (rc < 0)
        return rc;
    memcpy(job->import.input_sha256, job->data.input_sha256,
           sizeof job->data.input_sha256);
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

/* The keys of items from, from + 1, ... on several threads. */
struct batch_keys {
    struct job *job;
    uint64_t from;
    struct import_row *out; /* (n) */
    struct scratch *scratch[THREADS_MAX];
    uint8_t *pixels; /* (threads, height, width, channels) */
    size_t threads;
    pthread_mutex_t mutex;
    int rc; /* of one that failed */
    char why[512];
};

static void compute_one(void *context, size_t worker, size_t number)
{
    struct batch_keys *keys = context;
    const struct job *job = keys->job;
    const struct sample *sample = job->intake.item[keys->from + number].sample;
    const struct frame *frame = &job->frame;
    uint8_t *pixels =
        keys->pixels + worker * frame->height * frame->width * frame->channels;
    struct import_row *out = &keys->out[number];
    const int rc = dataset_pixels(&job->data, frame, sample, pixels);

    if (rc < 0) {
        pthread_mutex_lock(&keys->mutex);
        keys->rc = rc;
        snprintf(keys->why, sizeof keys->why, "%s", err_why());
        pthread_mutex_unlock(&keys->mutex);
        return;
    }
    *out =
        (struct import_row){sample->row,
                            sample->subject,
                            {.label = sample->label, .provenance = sample->provenance}};
    model_key(job->model, keys->scratch[worker], pixels, &out->instance.key);
}

static int open_keys(struct job *job, struct batch_keys *keys)
{
    const struct frame *frame = &job->frame;
    const size_t size = (size_t)frame->height * frame->width * frame->channels;

    *keys = (struct batch_keys){
        .job = job, .threads = threads_here(), .mutex = PTHREAD_MUTEX_INITIALIZER};
    keys->out = calloc(ENROLL_MAX, sizeof *keys->out);
    keys->pixels = calloc(keys->threads, size);
    for (size_t i = 0; i < keys->threads; i++)
        if (!(keys->scratch[i] = scratch_new(job->model)))
            return fail(MK_ENOMEM, "no memory to compute keys");
    return keys->out && keys->pixels ? 0 : fail(MK_ENOMEM, "no memory to compute keys");
}

static void close_keys(struct batch_keys *keys)
{
    const struct frame *frame = &keys->job->frame;

    for (size_t i = 0; i < keys->threads; i++)
        scratch_free(keys->scratch[i]);
    if (keys->out)
        crypto_wipe(keys->out, ENROLL_MAX * sizeof *keys->out);
    if (keys->pixels)
        crypto_wipe(keys->pixels,
                    keys->threads * frame->height * frame->width * frame->channels);
    free(keys->out);
    free(keys->pixels);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* n items, all of one class, from the first on. */
static int import_batch(struct job *job, struct batch_keys *keys, size_t n)
{
    const double began = now();
    int rc;

    parallel_for(keys->threads, n, compute_one, keys);
    if (keys->rc < 0)
        return fail(keys->rc, "%s", keys->why);
    const double computed = now();
    rc = import_rows(job->state, &job->import, job->intake.item[keys->from].class,
                     keys->out, n, keys->from + n);
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
    struct batch_keys keys;
    int rc = open_keys(job, &keys);

    progress_at(&progress, at, NULL);
    while (at < job->intake.n && rc == 0) {
        const size_t n = run_length(&job->intake, at);
        keys.from = at;
        if ((rc = import_batch(job, &keys, n)) == 0)
            progress_at(&progress, at += n, NULL);
    }
    progress_end(&progress);
    close_keys(&keys);
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

static int import_all(struct job *job)
{
    struct state_status status;
    uint64_t at;
    int rc;

    if ((rc = import_position(job->state, &job->import, &at)) == 0)
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
    const struct argp_child children[] = {{&config_argp, 0, "Settings:", 0}, {0}};
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

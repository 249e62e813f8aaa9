/* SPDX-License-Identifier: Apache-2.0 */
/* munkey-train: makes a model from labelled images, or measures one. */
#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "core/model_format.h"
#include "core/train.h"
#include "core/train_parallel.h"
#include "daemon/evaluate.h"
#include "daemon/files.h"
#include "daemon/idx.h"
#include "daemon/progress.h"
#include "storage/crypto.h"

#define DATASET "/usr/share/datasets/fashion-mnist/"

enum { FILE_MAX = 1 << 30, SAVE_EVERY = 120 /* seconds */, CLASSES = 10 };

static const char *const fashion_mnist[CLASSES] = {
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot",
};

struct options {
    const char *profile, *out, *checkpoint, *evaluate;
    const char *images, *labels, *test_images, *test_labels;
    const char *name;
    unsigned long b1, b2, val;
    unsigned long seed, threads, steps_encoder, steps_fusion, batch;
};

static const struct argp_option known[] = {
    {"profile", 'p', "NAME", 0, "F, the default, or T: small, for tests", 0},
    {"out", 'o', "FILE", 0, "write the model here", 0},
    {"checkpoint", 'c', "FILE", 0,
     "save the state of training here, every two minutes and when interrupted; go on "
     "from it "
     "if it exists",
     0},
    {"seed", 's', "N", 0, "the same seed gives the same bits (default 1)", 0},
    {"threads", 't', "N", 0, "default: one for each processor", 0},
    {"steps-encoder", 'E', "N", 0, "default 3500", 0},
    {"steps-fusion", 'F', "N", 0, "default 4500", 0},
    {"batch", 'b', "N", 0, "images a step, a multiple of 8 (default 128)", 0},
    {"split", 'r', "B1,B2,VAL", 0,
     "rows for the encoder, the classifier and calibration, from the first row on "
     "(default "
     "12000,15000,3000)",
     0},
    {"name", 'n', "NAME", 0,
     "what the model calls itself (default fashion-mnist-PROFILE)", 0},
    {"images", 'i', "FILE", 0,
     "IDX, plain or gzip (default: Debian's dataset-fashion-mnist)", 1},
    {"labels", 'l', "FILE", 0, "IDX, plain or gzip", 1},
    {"evaluate", 'e', "MODEL", 0,
     "train nothing: enrol the rows that MODEL's weights never saw, and print its "
     "accuracy "
     "on the test images",
     2},
    {"test-images", 'I', "FILE", 0, "IDX, plain or gzip", 2},
    {"test-labels", 'L', "FILE", 0, "IDX, plain or gzip", 2},
    {0},
};

static unsigned long number(const char *text, struct argp_state *state)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n > INT32_MAX)
        argp_error(state, "\"%s\" is not a number", text);
    return n;
}

static void split(struct options *o, const char *text, struct argp_state *state)
{
    int len = -1;
    if (sscanf(text, "%9lu,%9lu,%9lu%n", &o->b1, &o->b2, &o->val, &len) != 3 || text[len])
        argp_error(state, "a split is three numbers of rows, such as 12000,15000,3000");
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
#define TEXT(letter, name)                                                               \
    case letter:                                                                         \
        o->name = text;                                                                  \
        return 0
#define NUMBER(letter, name)                                                             \
    case letter:                                                                         \
        o->name = number(text, state);                                                   \
        return 0
        TEXT('p', profile);
        TEXT('o', out);
        TEXT('c', checkpoint);
        TEXT('n', name);
        TEXT('i', images);
        TEXT('l', labels);
        TEXT('e', evaluate);
        TEXT('I', test_images);
        TEXT('L', test_labels);
        NUMBER('s', seed);
        NUMBER('t', threads);
        NUMBER('E', steps_encoder);
        NUMBER('F', steps_fusion);
        NUMBER('b', batch);
#undef TEXT
#undef NUMBER
    case 'r':
        split(o, text, state);
        return 0;
    case ARGP_KEY_END:
        if (!o->out == !o->evaluate)
            argp_error(state, "say --out FILE to train, or --evaluate MODEL to measure");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

/* An image file and its labels. */
struct dataset {
    struct idx images, labels;
    uint32_t *label; /* (n) */
    struct images view;
};

static int widen_labels(struct dataset *d)
{
    if (!(d->label = calloc(d->labels.n, sizeof *d->label)))
        return fail(MK_ENOMEM, "no memory for %zu labels", d->labels.n);
    for (size_t i = 0; i < d->labels.n; i++)
        d->label[i] = d->labels.data[i];
    return 0;
}

static int read_dataset(const char *images, const char *labels, struct dataset *d)
{
    int rc = idx_read(images, 3, &d->images);
    if (rc == 0)
        rc = idx_read(labels, 1, &d->labels);
    if (rc == 0 && d->images.n != d->labels.n)
        rc = fail(MK_EINPUT, "%s and %s are not of the same number of images", images,
                  labels);
    if (rc == 0)
        rc = widen_labels(d);
    d->view = (struct images){
        .n = d->images.n,
        .height = (uint32_t)d->images.height,
        .width = (uint32_t)d->images.width,
        .channels = 1,
        .pixels = d->images.data,
        .labels = d->label,
    };
    return rc;
}

static void free_dataset(struct dataset *d)
{
    idx_free(&d->images);
    idx_free(&d->labels);
    free(d->label);
}

/* A reader of path sees the old bytes or the new ones, never half of them. */
static int write_file(const char *path, const void *bytes, size_t len)
{
    char temporary[4096];
    snprintf(temporary, sizeof temporary, "%s.new", path);
    FILE *file = fopen(temporary, "wb");
    if (!file)
        return fail(MK_EIO, "cannot create %s: %m", temporary);
    bool written = fwrite(bytes, 1, len, file) == len && fflush(file) == 0 &&
                   fsync(fileno(file)) == 0;
    if (fclose(file) != 0 || !written || rename(temporary, path) < 0)
        return fail(MK_EIO, "cannot write %s: %m", path);
    return 0;
}

/* One training run, and how to show it. */
struct session {
    const struct options *options;
    struct trainer *trainer;
    struct progress progress;
    enum train_stage shown;
    time_t saved;
    int rc; /* of saving */
};

static int save(const struct session *s)
{
    void *bytes;
    size_t len;
    int rc = trainer_save(s->trainer, &bytes, &len);
    if (rc < 0)
        return rc;
    rc = write_file(s->options->checkpoint, bytes, len);
    free(bytes);
    return rc;
}

static void show(struct session *s, const struct train_news *news)
{
    static const char *const names[] = {"encoder", "keys", "classifier", "calibration"};
    bool steps = news->stage == STAGE_ENCODER || news->stage == STAGE_FUSION;
    char note[32] = "";
    if (news->stage != s->shown || news->total != s->progress.total) {
        progress_end(&s->progress);
        s->progress =
            progress_start(names[news->stage], steps ? "steps" : "images", news->total);
        s->shown = news->stage;
    }
    if (steps)
        snprintf(note, sizeof note, "loss %.4f", news->loss);
    progress_at(&s->progress, news->done, note);
}

static bool tell(void *context, const struct train_news *news)
{
    struct session *s = context;
    show(s, news);
    if (s->options->checkpoint && (interrupted || time(NULL) - s->saved >= SAVE_EVERY)) {
        s->rc = save(s);
        s->saved = time(NULL);
    }
    return !interrupted && s->rc == 0;
}

static int resume(struct session *s)
{
    uint8_t *bytes;
    size_t len;
    if (!s->options->checkpoint || access(s->options->checkpoint, F_OK) < 0)
        return 0;
    int rc = file_read(s->options->checkpoint, FILE_MAX, &bytes, &len);
    if (rc < 0)
        return rc;
    rc = trainer_resume(s->trainer, bytes, len);
    free(bytes);
    return rc < 0 ? fail(rc, "%s: %s", s->options->checkpoint, err_why()) : 0;
}

/* The command that makes this model again, whatever the machine: no paths, no threads. */
static void command_line(const struct options *o, char *line, size_t size)
{
    snprintf(line, size,
             "munkey-train --profile %s --seed %lu --batch %lu --steps-encoder %lu "
             "--steps-fusion %lu --split %lu,%lu,%lu",
             o->profile, o->seed, o->batch, o->steps_encoder, o->steps_fusion, o->b1,
             o->b2, o->val);
}

/* What the trainer does not know: labels, name, and the hashes. */
static int label_model(const struct options *o, const struct dataset *data,
                       struct model *model)
{
    void *bytes;
    size_t len;
    int rc = model_set_labels(model, fashion_mnist);
    if (rc == 0)
        rc = model_encoder_bytes(model, &bytes, &len);
    if (rc < 0)
        return rc;
    crypto_sha256(bytes, len, model->info.encoder_sha256);
    free(bytes);
    memcpy(model->info.data_sha256, data->images.sha256, sizeof model->info.data_sha256);
    if (o->name)
        snprintf(model->name, sizeof model->name, "%s", o->name);
    else
        snprintf(model->name, sizeof model->name, "fashion-mnist-%s", o->profile);
    return 0;
}

static int write_model(const struct options *o, const struct train_plan *plan,
                       const struct dataset *data, struct model *model)
{
    char command[256];
    void *bytes;
    size_t len;
    struct model_origin origin = {plan->seed, command, plan->b1, plan->b2, plan->val};
    command_line(o, command, sizeof command);
    int rc = label_model(o, data, model);
    if (rc == 0)
        rc = model_format(model, &origin, &bytes, &len);
    if (rc < 0)
        return rc;
    rc = write_file(o->out, bytes, len);
    free(bytes);
    return rc;
}

static void print_findings(struct trainer *trainer)
{
    struct train_findings f = trainer_findings(trainer);
    const struct model_info *info = model_info(trainer_model(trainer));
    printf("neighbour agreement: %.2f %% on B2, %.2f %% on val\n", 100 * f.agreement_b2,
           100 * f.agreement_val);
    printf("calibration: K %u, lambda %.2f, tau_mix %.2f\n", info->k, info->lambda,
           info->tau_mix);
    printf("on val: %.2f %%, null pass %.2f %%, loss %.4f\n", 100 * f.val_accuracy,
           100 * f.val_null, f.val_loss);
}

static int run_session(const struct options *o, const struct train_plan *plan,
                       const struct dataset *data, struct trainer *trainer)
{
    struct session session = {.options = o, .trainer = trainer, .saved = time(NULL)};
    session.shown = STAGE_DONE;
    int rc = resume(&session);
    if (rc == 0)
        rc = trainer_run(trainer, tell, &session);
    progress_end(&session.progress);
    if (rc == 0) {
        print_findings(trainer);
        return write_model(o, plan, data, trainer_model(trainer));
    }
    if (rc > 0 && session.rc == 0)
        return fail(MK_EBUSY, o->checkpoint ? "interrupted; the same command goes on"
                                            : "interrupted; nothing was saved");
    return rc > 0 ? session.rc : rc;
}

static int train(const struct options *o)
{
    struct dataset data = {0};
    struct trainer *trainer = NULL;
    struct train_plan plan = {
        .b1 = {0, o->b1},
        .b2 = {o->b1, o->b1 + o->b2},
        .val = {o->b1 + o->b2, o->b1 + o->b2 + o->val},
        .seed = o->seed,
        .threads = o->threads,
        .steps_encoder = o->steps_encoder,
        .steps_fusion = o->steps_fusion,
        .batch = o->batch,
        .rate = 1e-3,
    };
    int rc = shape_of_profile(o->profile, CLASSES, &plan.shape);
    if (rc == 0)
        rc = read_dataset(o->images, o->labels, &data);
    if (rc == 0)
        rc = trainer_new(&plan, &data.view, &trainer);
    if (rc == 0)
        rc = run_session(o, &plan, &data, trainer);
    trainer_free(trainer);
    free_dataset(&data);
    return rc;
}

static void print_evaluation(const struct model_info *info, const struct evaluation *e)
{
    printf("%s: %zu enrolled, %zu tested\n", info->name, e->enrolled, e->tested);
    printf("full          %.2f %%\n", 100 * e->full);
    printf("null pass     %.2f %%   image alone\n", 100 * e->null);
    printf("memory-only   %.2f %%   keys and labels alone, through the classifier\n",
           100 * e->memory_only);
    printf(
        "kNN           %.2f %%   vote of the %u nearest keys, weighted by similarity\n",
        100 * e->knn, info->k);
    printf("kNN           %.2f %%   vote of the %d nearest keys\n", 100 * e->knn_wide,
           KNN_WIDE);
}

static int read_model(const char *path, struct model **ret_model)
{
    uint8_t *bytes;
    size_t len;
    int rc = file_read(path, FILE_MAX, &bytes, &len);
    if (rc < 0)
        return rc;
    rc = model_parse(bytes, len, ret_model);
    free(bytes);
    return rc < 0 ? fail(rc, "%s is no model: %s", path, err_why()) : 0;
}

/* Rows that a model saw are rows of one file: another file would make them meaningless.
 */
static int check_data(const struct model *model, const struct dataset *data)
{
    if (memcmp(model_info(model)->data_sha256, data->images.sha256, 32) != 0)
        return fail(MK_EINPUT,
                    "the model was trained on another image file: which rows its "
                    "weights saw is not known");
    return 0;
}

static int measure(const struct options *o)
{
    struct dataset data = {0}, test = {0};
    struct evaluation evaluation;
    struct model *model = NULL;
    int rc = read_model(o->evaluate, &model);
    if (rc == 0)
        rc = read_dataset(o->images, o->labels, &data);
    if (rc == 0)
        rc = read_dataset(o->test_images, o->test_labels, &test);
    if (rc == 0)
        rc = check_data(model, &data);
    if (rc == 0)
        rc = evaluate(model, &data.view, &test.view, o->threads, &evaluation);
    if (rc == 0)
        print_evaluation(model_info(model), &evaluation);
    model_free(model);
    free_dataset(&data);
    free_dataset(&test);
    return rc;
}

int main(int argc, char **argv)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct options o = {
        .profile = "F",
        .images = DATASET "train-images-idx3-ubyte.gz",
        .labels = DATASET "train-labels-idx1-ubyte.gz",
        .test_images = DATASET "t10k-images-idx3-ubyte.gz",
        .test_labels = DATASET "t10k-labels-idx1-ubyte.gz",
        .b1 = 12000,
        .b2 = 15000,
        .val = 3000,
        .seed = 1,
        .threads = processors < 1             ? 1
                   : processors > THREADS_MAX ? THREADS_MAX
                                              : processors,
        .steps_encoder = 3500,
        .steps_fusion = 4500,
        .batch = 128,
    };
    const struct argp argp = {
        known, parse_option,
        NULL,  "Trains a MUNKEY model on labelled images, or measures one.",
        NULL,  NULL,
        NULL};
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
    int rc = o.evaluate ? measure(&o) : train(&o);
    if (rc < 0)
        fprintf(stderr, "munkey-train: %s\n", err_why());
    return rc < 0;
}

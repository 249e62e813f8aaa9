/* SPDX-License-Identifier: Apache-2.0 */
/* munkey-train: makes a model from labelled images, or measures one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/model_format.h"
#include "daemon/evaluate.h"
#include "daemon/files.h"
#include "daemon/idx.h"
#include "daemon/train_options.h"
#include "daemon/train_report.h"
#include "daemon/train_session.h"
#include "storage/crypto.h"

enum { FILE_MAX = 1 << 30, CLASSES = 10 };

static const char *const fashion_mnist[CLASSES] = {
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot",
};

/* An image file and its labels. */
struct dataset {
    struct idx images;
    uint32_t *labels; /* (n) */
    struct images view;
};

/* One byte a label in the file. */
static int read_labels(const char *path, size_t images, uint32_t **ret_labels)
{
    struct idx idx;
    int rc = idx_read(path, 1, &idx);
    if (rc < 0)
        return rc;
    uint32_t *labels = calloc(idx.n + 1, sizeof *labels);
    if (!labels)
        rc = fail(MK_ENOMEM, "no memory for %zu labels", idx.n);
    else if (idx.n != images)
        rc = fail(MK_EINPUT, "%s has %zu labels for %zu images", path, idx.n, images);
    for (size_t i = 0; rc == 0 && i < idx.n; i++)
        labels[i] = idx.data[i];
    idx_free(&idx);
    *ret_labels = labels;
    return rc;
}

static int read_dataset(const char *images, const char *labels, struct dataset *d)
{
    int rc = idx_read(images, 3, &d->images);
    if (rc == 0)
        rc = read_labels(labels, d->images.n, &d->labels);
    d->view = (struct images){
        .n = d->images.n,
        .height = (uint32_t)d->images.height,
        .width = (uint32_t)d->images.width,
        .channels = 1,
        .pixels = d->images.data,
        .labels = d->labels,
    };
    return rc;
}

static void free_dataset(struct dataset *d)
{
    idx_free(&d->images);
    free(d->labels);
}

/* What the trainer does not know: labels, name, and the hashes. */
static int label_model(const struct train_options *o, const struct dataset *data,
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
    model->info.seed = o->seed;
    memcpy(model->info.data_sha256, data->images.sha256, sizeof model->info.data_sha256);
    if (o->name)
        snprintf(model->name, sizeof model->name, "%s", o->name);
    else
        snprintf(model->name, sizeof model->name, "fashion-mnist-%s", o->profile);
    return 0;
}

static int write_model(const struct train_options *o, const struct train_plan *plan,
                       const struct dataset *data, struct model *model)
{
    char command[1024];
    void *bytes;
    size_t len;
    struct model_origin origin = {command, plan->b1, plan->b2, plan->val};
    train_options_command(o, command, sizeof command);
    int rc = label_model(o, data, model);
    if (rc == 0)
        rc = model_format(model, &origin, &bytes, &len);
    if (rc < 0)
        return rc;
    rc = file_write(o->out, bytes, len);
    free(bytes);
    return rc;
}

static int run_session(const struct train_options *o, const struct train_plan *plan,
                       const struct dataset *data, struct trainer *trainer)
{
    struct metrics metrics;
    int rc = metrics_open(o->metrics, o->batch, &metrics);
    if (rc == 0 && (rc = train_session_run(trainer, o->checkpoint, &metrics)) == 0) {
        const struct train_findings findings = trainer_findings(trainer);
        const struct model_info *info = model_info(trainer_model(trainer));
        report_findings(stdout, &findings, info, plan->val.end - plan->val.begin);
        rc = metrics_findings(&metrics, &findings, info);
    }
    metrics_close(&metrics);
    return rc < 0 ? rc : write_model(o, plan, data, trainer_model(trainer));
}

static int train(const struct train_options *o)
{
    struct dataset data = {0};
    struct trainer *trainer = NULL;
    struct train_plan plan = {
        .method = o->choices.method,
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
        rc = train_choices_apply(&o->choices, &plan.shape);
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
    if (model_info(model)->own_tokens > 0)
        return fail(MK_EINPUT, "the model was trained with --tokens free: rows that it "
                               "never saw have no token");
    if (memcmp(model_info(model)->data_sha256, data->images.sha256, 32) != 0)
        return fail(MK_EINPUT,
                    "the model was trained on another image file: which rows its "
                    "weights saw is not known");
    return 0;
}

static int measure(const struct train_options *o)
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
    const struct train_options o = train_options_parse(argc, argv);
    int rc = o.evaluate ? measure(&o) : train(&o);
    if (rc < 0)
        fprintf(stderr, "munkey-train: %s\n", err_why());
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

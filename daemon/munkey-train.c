/* SPDX-License-Identifier: Apache-2.0 */
/* munkey-train: makes a model from labelled images, or measures one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/label_code.h"
#include "core/model_format.h"
#include "daemon/evaluate.h"
#include "daemon/files.h"
#include "daemon/survey.h"
#include "daemon/train_options.h"
#include "daemon/train_report.h"
#include "daemon/train_session.h"
#include "daemon/vit_folder.h"
#include "storage/crypto.h"
#include "storage/label.h"

static const size_t file_max = (size_t)4 << 30;

/* The first rows of a data set, as training wants them. */
struct pictures {
    uint8_t *pixels;
    uint32_t *labels; /* (n) */
    struct images view;
};

/* Looks at all images and keeps the first. */
static int read_pictures(struct dataset *data, const struct frame *frame, size_t keep,
                         size_t threads, struct pictures *ret_pictures)
{
    size_t size = (size_t)frame->height * frame->width * frame->channels;
    struct pictures *p = ret_pictures;
    p->pixels = calloc(keep, size);
    p->labels = calloc(keep, sizeof *p->labels);
    if (!p->pixels || !p->labels)
        return fail(MK_ENOMEM, "no memory for %zu images of %zu bytes", keep, size);
    for (size_t i = 0; i < keep; i++)
        p->labels[i] = data->sample[i].label;
    p->view = (struct images){keep,      frame->height, frame->width, frame->channels,
                              p->pixels, p->labels};
    return dataset_read(data, &(struct reading){*frame, threads, keep, p->pixels});
}

static void free_pictures(struct pictures *p)
{
    free(p->pixels);
    free(p->labels);
}

static void name_model(const struct train_options *o, struct model *model)
{
    char data[40];
    train_source_name(&o->source, data, sizeof data);
    if (o->name)
        snprintf(model->name, sizeof model->name, "%s", o->name);
    else
        snprintf(model->name, sizeof model->name, "%s-%s", data, o->profile);
}

/* What the trainer does not know: labels, name, and the hashes. */
static int label_model(const struct train_options *o, const struct dataset *data,
                       struct model *model)
{
    void *bytes;
    size_t len;
    int rc = data->label ? model_set_labels(model, data->label) : 0;
    if (rc == 0)
        rc = model_encoder_bytes(model, &bytes, &len);
    if (rc < 0)
        return rc;
    crypto_sha256(bytes, len, model->info.encoder_sha256);
    free(bytes);
    model->info.seed = o->seed;
    model->info.by_subject = model->info.resize = data->root != NULL;
    model->info.n_public = o->source.paper;
    memcpy(model->info.data_sha256, data->sha256, sizeof model->info.data_sha256);
    name_model(o, model);
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

/* The images of IDX files are taken as they are, all others are resized. */
static int choose_shape(const struct train_options *o, const struct dataset *data,
                        struct shape *ret_shape)
{
    int rc = shape_of_profile(o->profile, data->built_in, ret_shape);
    if (rc == 0 && !data->root) {
        ret_shape->height = (uint32_t)data->images.height;
        ret_shape->width = (uint32_t)data->images.width;
        ret_shape->channels = 1;
    }
    if (rc == 0 && o->source.open_labels) {
        ret_shape->open_labels = true;
        ret_shape->label_dim = LABEL_CODE_DIM;
    }
    return rc == 0 ? train_choices_apply(&o->choices, ret_shape) : rc;
}

/* Says what there is before anything else happens. */
static int understand(const struct train_options *o, struct dataset *data,
                      struct parts *ret_parts)
{
    int rc = train_source_open(&o->source, data);
    if (rc == 0)
        rc = dataset_number_labels(data);
    if (rc < 0)
        return rc;
    struct split_wish wish = train_source_wish(&o->source, data, o->seed);
    rc = split_data(data, &wish, ret_parts);
    return rc == 0 ? survey_print(data, &wish, ret_parts) : rc;
}

/* What a model calls the first n labels, or all of them; NULL where they are closed. */
static int name_codes(const struct dataset *data, bool open, uint32_t n,
                      uint64_t **ret_codes)
{
    uint64_t *codes = open ? calloc(n, sizeof *codes) : NULL;
    if (open && !codes)
        return fail(MK_ENOMEM, "no memory for codes of %u labels", n);
    for (uint32_t c = 0; open && c < n; c++)
        codes[c] = label_code(data->label[c]);
    *ret_codes = codes;
    return 0;
}

static int train_on(const struct train_options *o, const struct parts *parts,
                    struct train_plan *plan, struct dataset *data)
{
    struct pictures pictures = {0};
    struct trainer *trainer = NULL;
    const struct frame frame = {plan->shape.height, plan->shape.width,
                                plan->shape.channels};
    int rc = read_pictures(data, &frame, plan->val.end, o->threads, &pictures);
    memcpy(plan->data_sha256, data->sha256, sizeof plan->data_sha256);
    if (rc == 0)
        rc = survey_print_copies(data, parts);
    if (rc == 0 && !o->survey && o->encoder)
        rc = vit_folder_load(o->encoder, &plan->encoder_take, plan->encoder_sha256);
    if (rc == 0 && !o->survey)
        rc = trainer_new(plan, &pictures.view, &trainer);
    if (rc == 0 && !o->survey)
        rc = run_session(o, plan, data, trainer);
    trainer_free(trainer);
    free_pictures(&pictures);
    return rc;
}

static int train(const struct train_options *o)
{
    struct dataset data = {0};
    struct parts parts;
    uint64_t *codes = NULL;
    struct train_plan plan = {
        .method = o->choices.method,
        .seed = o->seed,
        .threads = o->threads,
        .steps_encoder = o->steps_encoder,
        .steps_fusion = o->steps_fusion,
        .batch = o->batch,
        .rate = 1e-3,
    };
    int rc = understand(o, &data, &parts);
    if (rc == 0)
        rc = choose_shape(o, &data, &plan.shape);
    if (rc == 0)
        rc = name_codes(&data, o->source.open_labels, data.built_in, &codes);
    if (rc == 0) {
        plan.codes = codes;
        plan.b1 = parts.b1;
        plan.b2 = parts.b2;
        plan.val = parts.val;
        rc = train_on(o, &parts, &plan, &data);
    }
    free(codes);
    dataset_done(&data);
    return rc;
}

static void print_scores(const struct model_info *info, const struct scores *s)
{
    printf("full           %.2f %%\n", 100 * s->full);
    printf("null pass      %.2f %%   image alone\n", 100 * s->null);
    printf("memory-only    %.2f %%   keys and labels alone, through the classifier\n",
           100 * s->memory_only);
    printf(
        "kNN            %.2f %%   vote of the %u nearest keys, weighted by similarity\n",
        100 * s->knn, info->k);
    printf("kNN            %.2f %%   vote of the %d nearest keys\n", 100 * s->knn_wide,
           KNN_WIDE);
    printf("nearest key    %.2f %%\n", 100 * s->nearest_key);
    printf("nearest pixels %.2f %%   Euclidean, without any model\n",
           100 * s->nearest_pixels);
}

static void print_evaluation(const struct model_info *info, const struct evaluation *e)
{
    printf("%s: %zu enrolled, %zu tested\n", info->name, e->enrolled, e->all.tested);
    print_scores(info, &e->all);
    if (e->unseen.tested == 0)
        return;
    printf("of these, %zu have labels that the weights never met:\n", e->unseen.tested);
    print_scores(info, &e->unseen);
}

static int read_model(const char *path, struct model **ret_model)
{
    uint8_t *bytes;
    size_t len;
    int rc = file_read(path, file_max, &bytes, &len);
    if (rc < 0)
        return rc;
    rc = model_parse(bytes, len, ret_model);
    free(bytes);
    return rc < 0 ? fail(rc, "%s is no model: %s", path, err_why()) : 0;
}

/* Rows that a model saw are rows of one data set: another would make them meaningless. */
static int check_data(const struct model *model, const struct dataset *data)
{
    if (memcmp(model_info(model)->data_sha256, data->sha256, 32) != 0)
        return fail(MK_EINPUT,
                    "the model was trained on other images than %s: which rows "
                    "its weights saw is not known",
                    data->name);
    return 0;
}

/* A data set as the model knows it: its labels, its order, its size of images. */
static int read_for(const struct model *model, struct dataset *data, size_t threads,
                    struct pictures *ret_pictures)
{
    const struct model_info *info = model_info(model);
    const struct frame frame = {info->height, info->width, info->channels};
    int rc = dataset_use_labels(data, info);
    if (rc == 0)
        rc = split_order(data, info->seed);
    return rc == 0 ? read_pictures(data, &frame, data->n, threads, ret_pictures) : rc;
}

/* The rows of split test are the last. */
static struct images cut_tests(const struct dataset *data, struct images *view)
{
    struct images test = *view;
    while (view->n > 0 && data->sample[view->n - 1].split == SPLIT_TEST)
        view->n--;
    test.n -= view->n;
    test.pixels = images_at(view, view->n);
    test.labels += view->n;
    return test;
}

static int measure_with(const struct train_options *o, const struct model *model,
                        struct dataset data[2], struct pictures pictures[2])
{
    struct evaluation evaluation;
    uint64_t *codes = NULL;
    int rc = train_source_open(&o->source, &data[0]);
    if (rc == 0)
        rc = read_for(model, &data[0], o->threads, &pictures[0]);
    if (rc == 0)
        rc = check_data(model, &data[0]);
    if (rc == 0)
        rc = train_source_open_test(&o->source, &data[1]);
    if (rc == 0 && data[1].n > 0)
        rc = read_for(model, &data[1], o->threads, &pictures[1]);
    if (rc < 0)
        return rc;
    struct images *test = &pictures[1].view;
    if (data[1].n == 0)
        *test = cut_tests(&data[0], &pictures[0].view);
    if (test->n == 0)
        return fail(MK_EINPUT, "%s has no rows of split test", data[0].name);
    if ((rc = name_codes(&data[0], model_info(model)->open_labels, data[0].classes,
                         &codes)) < 0)
        return rc;
    const struct label_set labels = {codes, data[0].classes};
    rc = evaluate(model, &labels, &pictures[0].view, test, o->threads, &evaluation);
    free(codes);
    if (rc == 0)
        print_evaluation(model_info(model), &evaluation);
    return rc;
}

static int measure(const struct train_options *o)
{
    struct dataset data[2] = {{0}}; /* to enrol, to ask about */
    struct pictures pictures[2] = {{0}};
    struct model *model = NULL;
    int rc = read_model(o->evaluate, &model);
    if (rc == 0)
        rc = measure_with(o, model, data, pictures);
    model_free(model);
    for (int i = 0; i < 2; i++) {
        free_pictures(&pictures[i]);
        dataset_done(&data[i]);
    }
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

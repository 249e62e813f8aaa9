/* SPDX-License-Identifier: Apache-2.0 */
/* munkey-train: makes a model from labelled images, or measures one. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/label_code.h"
#include "core/model_format.h"
#include "daemon/files.h"
#include "daemon/measure.h"
#include "daemon/pictures.h"
#include "daemon/survey.h"
#include "daemon/train_encoder.h"
#include "daemon/train_options.h"
#include "daemon/train_report.h"
#include "daemon/train_session.h"
#include "storage/crypto.h"

typedef char model_name[sizeof((struct model *)0)->name];

/* MK_EINPUT, before anything is trained: a model whose name is none can be read by nobody. */
static int name_model(const struct train_options *o, model_name ret_name)
{
    char data[40];
    int len;
    train_source_name(&o->source, data, sizeof data);
    len = o->name ? snprintf(ret_name, sizeof(model_name), "%s", o->name)
                  : snprintf(ret_name, sizeof(model_name), "%s-%s", data, o->profile);
    json_t *text = json_string(ret_name);
    bool is_utf8 = text != NULL;
    json_decref(text);
    return is_utf8 && len > 0 && len < (int)sizeof(model_name)
               ? 0
               : fail(MK_EINPUT,
                      "a model's name is 1 to %zu bytes of UTF-8: give it one "
                      "with --name",
                      sizeof(model_name) - 1);
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
    return name_model(o, model->name);
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

static int train_on(const struct train_options *o, const struct parts *parts,
                    struct train_plan *plan, struct dataset *data)
{
    struct pictures pictures = {0};
    struct trainer *trainer = NULL;
    struct model *owner = NULL;
    const struct frame frame = {plan->shape.height, plan->shape.width,
                                plan->shape.channels};
    int rc = pictures_read(data, &frame, plan->val.end, o->threads, &pictures);
    memcpy(plan->data_sha256, data->sha256, sizeof plan->data_sha256);
    if (rc == 0)
        crypto_sha256(pictures.view.labels,
                      pictures.view.n * sizeof *pictures.view.labels,
                      plan->labels_sha256);
    if (rc == 0)
        rc = survey_print_copies(data, parts);
    if (rc == 0 && !o->survey && o->encoder)
        rc = train_encoder_load(o->encoder, plan, &owner);
    if (rc == 0 && !o->survey)
        rc = trainer_new(plan, &pictures.view, &trainer);
    if (rc == 0 && !o->survey)
        rc = run_session(o, plan, data, trainer);
    trainer_free(trainer);
    model_free(owner);
    pictures_free(&pictures);
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
    model_name name;
    int rc = name_model(o, name);
    if (rc == 0)
        rc = understand(o, &data, &parts);
    if (rc == 0)
        rc = choose_shape(o, &data, &plan.shape);
    if (rc == 0)
        rc = pictures_codes(&data, o->source.open_labels, data.built_in, &codes);
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

int main(int argc, char **argv)
{
    const struct train_options o = train_options_parse(argc, argv);
    int rc = o.evaluate ? measure(&o) : train(&o);
    if (rc < 0)
        fprintf(stderr, "munkey-train: %s\n", err_why());
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* munkey-train --evaluate: how well a model recognises the test images. */
#include "daemon/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "daemon/evaluate.h"
#include "daemon/model_file.h"
#include "daemon/pictures.h"

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
    return rc == 0 ? pictures_read(data, &frame, data->n, threads, ret_pictures) : rc;
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
    if ((rc = pictures_codes(&data[0], model_info(model)->open_labels, data[0].classes,
                             &codes)) < 0)
        return rc;
    const struct label_set labels = {codes, data[0].classes};
    rc = evaluate(model, &labels, &pictures[0].view, test, o->threads, &evaluation);
    free(codes);
    if (rc == 0)
        print_evaluation(model_info(model), &evaluation);
    return rc;
}

int measure(const struct train_options *o)
{
    struct dataset data[2] = {{0}}; /* to enrol, to ask about */
    struct pictures pictures[2] = {{0}};
    struct model *model = NULL;
    int rc = model_file_read(o->evaluate, &model);
    if (rc == 0)
        rc = measure_with(o, model, data, pictures);
    model_free(model);
    for (int i = 0; i < 2; i++) {
        pictures_free(&pictures[i]);
        dataset_done(&data[i]);
    }
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A data set as a model that was trained on it knows it. */
#include "daemon/known_data.h"

#include <string.h>

#include "core/err.h"
#include "daemon/split.h"

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

int known_data_open(const struct model *model, const struct train_source *source,
                    size_t threads, struct known_data *ret_known)
{
    struct known_data *k = ret_known;
    int rc = train_source_open(source, &k->data[0]);
    if (rc == 0)
        rc = read_for(model, &k->data[0], threads, &k->pictures[0]);
    if (rc == 0)
        rc = check_data(model, &k->data[0]);
    if (rc == 0)
        rc = train_source_open_test(source, &k->data[1]);
    if (rc == 0 && k->data[1].n > 0)
        rc = read_for(model, &k->data[1], threads, &k->pictures[1]);
    if (rc < 0)
        return rc;
    k->train = k->pictures[0].view;
    k->test = k->data[1].n > 0 ? k->pictures[1].view : cut_tests(&k->data[0], &k->train);
    return k->test.n > 0
               ? 0
               : fail(MK_EINPUT, "%s has no rows of split test", k->data[0].name);
}

void known_data_done(struct known_data *k)
{
    for (int i = 0; i < 2; i++) {
        pictures_free(&k->pictures[i]);
        dataset_done(&k->data[i]);
    }
}

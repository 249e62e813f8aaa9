/* SPDX-License-Identifier: Apache-2.0 */
/* From the names of labels to the numbers that a model knows them by. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "daemon/dataset.h"

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names that rows to train on have, each once, in byte order. */
static int collect(struct dataset *data)
{
    size_t n = 0, unique = 0;

    if (!(data->label = calloc(data->n, sizeof *data->label)))
        return fail(MK_ENOMEM, "no memory for the labels of %zu rows", data->n);
    for (size_t i = 0; i < data->n; i++)
        if (data->sample[i].split != SPLIT_TEST)
            data->label[n++] = data->sample[i].name;
    qsort(data->label, n, sizeof *data->label, by_bytes);
    for (size_t i = 0; i < n; i++)
        if (unique == 0 || strcmp(data->label[unique - 1], data->label[i]) != 0)
            data->label[unique++] = data->label[i];
    data->classes = (uint32_t)unique;
    return 0;
}

static int number_names(struct dataset *data)
{
    int rc = collect(data);

    for (size_t i = 0; i < data->n && rc == 0; i++) {
        struct sample *sample = &data->sample[i];
        const char **found = bsearch(&sample->name, data->label, data->classes,
                                     sizeof *data->label, by_bytes);
        if (found)
            sample->label = (uint32_t)(found - data->label);
        else
            rc = dataset_fail(data, sample, MK_EINPUT,
                              "a test row with a label that no other row has");
    }
    return rc;
}

static int check_numbers(const struct dataset *data)
{
    char why[64];

    for (size_t i = 0; i < data->n; i++)
        if (data->sample[i].label >= data->classes) {
            snprintf(why, sizeof why, "label %u: the model knows 0 to %u",
                     data->sample[i].label, data->classes - 1);
            return dataset_fail(data, &data->sample[i], MK_EINPUT, why);
        }
    return 0;
}

int dataset_number_labels(struct dataset *data)
{
    if (data->root)
        return number_names(data);
    for (size_t i = 0; i < data->n; i++)
        if (data->sample[i].split != SPLIT_TEST && data->sample[i].label >= data->classes)
            data->classes = data->sample[i].label + 1;
    return check_numbers(data);
}

struct name {
    const char *text;
    uint32_t label;
};

static int use_names(struct dataset *data, const struct name *sorted)
{
    for (size_t i = 0; i < data->n; i++) {
        struct sample *sample = &data->sample[i];
        const struct name *found =
            bsearch(&sample->name, sorted, data->classes, sizeof *sorted, by_bytes);
        if (!found)
            return dataset_fail(data, sample, MK_EINPUT,
                                "a label that the model does not know");
        sample->label = found->label;
    }
    return 0;
}

int dataset_use_labels(struct dataset *data, const char *const *names, uint32_t classes)
{
    struct name *sorted;
    int rc;

    data->classes = classes;
    if (!data->root)
        return check_numbers(data);
    if (!(sorted = calloc(classes, sizeof *sorted)))
        return fail(MK_ENOMEM, "no memory for %u labels", classes);
    for (uint32_t c = 0; c < classes; c++)
        sorted[c] = (struct name){names[c], c};
    qsort(sorted, classes, sizeof *sorted, by_bytes);
    rc = use_names(data, sorted);
    free(sorted);
    return rc;
}

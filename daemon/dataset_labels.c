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

static const char test_alone[] = "a test row with a label that no other row has";

/* Names, each once, in byte order. */
struct names {
    const char **name;
    size_t n;
};

static int names_new(size_t n, struct names *ret_names)
{
    ret_names->n = 0;
    ret_names->name = calloc(n, sizeof *ret_names->name);
    return ret_names->name ? 0
                           : fail(MK_ENOMEM, "no memory for the labels of %zu rows", n);
}

static void sort_names(struct names *names)
{
    size_t unique = 0;

    qsort(names->name, names->n, sizeof *names->name, by_bytes);
    for (size_t i = 0; i < names->n; i++)
        if (unique == 0 || strcmp(names->name[unique - 1], names->name[i]) != 0)
            names->name[unique++] = names->name[i];
    names->n = unique;
}

static bool is_among(const struct names *names, const char *name)
{
    return names->n > 0 &&
           bsearch(&name, names->name, names->n, sizeof name, by_bytes) != NULL;
}

/* Those of samples [begin, end) that are not for tests and not among known. */
static int collect(const struct dataset *data, size_t begin, size_t end,
                   const struct names *known, struct names *ret_names)
{
    int rc = names_new(data->n, ret_names);

    for (size_t i = begin; rc == 0 && i < end; i++)
        if (data->sample[i].split != SPLIT_TEST && !is_among(known, data->sample[i].name))
            ret_names->name[ret_names->n++] = data->sample[i].name;
    if (rc == 0)
        sort_names(ret_names);
    return rc;
}

struct name {
    const char *text;
    uint32_t label;
};

/* data->label says which number each name has. */
static int give_numbers(struct dataset *data, const char *why_unknown)
{
    struct name *sorted = calloc(data->classes, sizeof *sorted);
    int rc = sorted ? 0 : fail(MK_ENOMEM, "no memory for %u labels", data->classes);

    for (uint32_t c = 0; rc == 0 && c < data->classes; c++)
        sorted[c] = (struct name){data->label[c], c};
    if (rc == 0)
        qsort(sorted, data->classes, sizeof *sorted, by_bytes);
    for (size_t i = 0; rc == 0 && i < data->n; i++) {
        struct sample *sample = &data->sample[i];
        const struct name *found =
            bsearch(&sample->name, sorted, data->classes, sizeof *sorted, by_bytes);
        if (found)
            sample->label = found->label;
        else
            rc = dataset_fail(data, sample, MK_EINPUT, why_unknown);
    }
    free(sorted);
    return rc;
}

/* Takes over names: what is built in, then what is not. */
static int set_names(struct dataset *data, const struct names *built_in,
                     const struct names *others, const char *why_unknown)
{
    const size_t n = built_in->n + others->n;
    const char **label = n ? calloc(n, sizeof *label) : NULL;

    if (!label)
        return fail(MK_ENOMEM, "no memory for %zu labels", n);
    memcpy(label, built_in->name, built_in->n * sizeof *label);
    for (size_t i = 0; i < others->n; i++)
        label[built_in->n + i] = others->name[i];
    free(data->label);
    data->label = label;
    data->classes = (uint32_t)n;
    data->built_in = (uint32_t)built_in->n;
    return give_numbers(data, why_unknown);
}

int dataset_open_labels(struct dataset *data, size_t n)
{
    const struct names none = {0};
    struct names built_in = {0}, others = {0};
    int rc = collect(data, 0, n, &none, &built_in);

    if (rc == 0)
        rc = collect(data, n, data->n, &built_in, &others);
    if (rc == 0)
        rc = set_names(data, &built_in, &others, test_alone);
    free(built_in.name);
    free(others.name);
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
        return dataset_open_labels(data, data->n);
    for (size_t i = 0; i < data->n; i++)
        if (data->sample[i].split != SPLIT_TEST && data->sample[i].label >= data->classes)
            data->classes = data->sample[i].label + 1;
    data->built_in = data->classes;
    return check_numbers(data);
}

/* The model's names keep its numbers. */
static int use_names(struct dataset *data, const struct model_info *info)
{
    const struct names built_in = {(const char **)info->labels, info->classes};
    struct names sorted = {0}, others = {0};
    int rc = names_new(info->classes, &sorted);

    if (rc == 0) {
        memcpy(sorted.name, info->labels, info->classes * sizeof *info->labels);
        sorted.n = info->classes;
        sort_names(&sorted);
        rc = info->open_labels ? collect(data, 0, data->n, &sorted, &others) : 0;
    }
    if (rc == 0)
        rc = set_names(data, &built_in, &others,
                       info->open_labels ? test_alone
                                         : "a label that the model does not know");
    free(sorted.name);
    free(others.name);
    return rc;
}

int dataset_use_labels(struct dataset *data, const struct model_info *info)
{
    data->classes = data->built_in = info->classes;
    return data->root ? use_names(data, info) : check_numbers(data);
}

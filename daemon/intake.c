/* SPDX-License-Identifier: Apache-2.0 */
/* What of a data set is enrolled, and as what class. */
#include "daemon/intake.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "daemon/split.h"

/* The model was trained on these very data. */
static bool is_known(const struct dataset *data, const struct model_info *info)
{
    return memcmp(data->sha256, info->data_sha256, sizeof data->sha256) == 0 &&
           info->by_subject == (data->root != NULL);
}

/* Rows of an IDX file are counted in the file, though only some of them may be here. */
static enum instance_class known_class(const struct dataset *data,
                                       const struct model_info *info, size_t i)
{
    const enum instance_class class =
        model_class_of(info, data->root ? i : data->sample[i].row);

    return class == CLASS_EXACT && data->sample[i].split == SPLIT_BASE ? CLASS_TRAINED
                                                                       : class;
}

static int class_of(const struct dataset *data, const struct model_info *info,
                    bool unseen, size_t i, enum instance_class *ret_class)
{
    const struct sample *sample = &data->sample[i];

    if (is_known(data, info))
        *ret_class = known_class(data, info, i);
    else if (sample->split == SPLIT_BASE)
        *ret_class = CLASS_TRAINED;
    else if (sample->split == SPLIT_ENROL || unseen)
        *ret_class = CLASS_EXACT;
    else
        return dataset_fail(
            data, sample, MK_EINPUT,
            "the model was trained on other data, and no split says whether "
            "its weights saw this row: write base or enrol, or give --unseen "
            "when they saw none of these");
    return 0;
}

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_class(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int order = (x->class == CLASS_EXACT) - (y->class == CLASS_EXACT);

    if (order == 0)
        order = compare(x->sample->row, y->sample->row);
    return order ? order : compare(x->sample->line, y->sample->line);
}

static int add(const struct dataset *data, const struct model_info *info, bool unseen,
               size_t i, struct intake *intake)
{
    struct item item = {.sample = &data->sample[i]};
    int rc = class_of(data, info, unseen, i, &item.class);

    if (rc == 0 && item.class != CLASS_PUBLIC && item.sample->subject.len == 0)
        rc = dataset_fail(data, item.sample, MK_EINPUT,
                          "no subject: nobody could ask for its erasure");
    if (rc == 0 && item.class != CLASS_PUBLIC)
        intake->item[intake->n++] = item;
    return rc;
}

int intake_choose(struct dataset *data, const struct model_info *info, bool unseen,
                  struct intake *ret_intake)
{
    struct intake intake = {.item = calloc(data->n + 1, sizeof *intake.item)};
    int rc = intake.item ? 0 : fail(MK_ENOMEM, "no memory for %zu rows", data->n);

    if (rc == 0 && is_known(data, info))
        rc = split_order(data, info->seed);
    for (size_t i = 0; rc == 0 && i < data->n; i++)
        if (data->sample[i].split != SPLIT_TEST)
            rc = add(data, info, unseen, i, &intake);
    if (rc < 0) {
        intake_done(&intake);
        return rc;
    }
    qsort(intake.item, intake.n, sizeof *intake.item, by_class);
    *ret_intake = intake;
    return 0;
}

void intake_done(struct intake *intake)
{
    free(intake->item);
}

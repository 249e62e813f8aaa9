/* SPDX-License-Identifier: Apache-2.0 */
/* What of a data set is enrolled, and as what class. */
#include "daemon/intake.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "daemon/copies.h"
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

static int add(const struct dataset *data, size_t i, enum instance_class class,
               struct intake *intake)
{
    const struct sample *sample = &data->sample[i];

    if (sample->split == SPLIT_TEST || class == CLASS_PUBLIC)
        return 0;
    if (sample->subject.len == 0)
        return dataset_fail(data, sample, MK_EINPUT,
                            "no subject: nobody could ask for its erasure");
    intake->item[intake->n++] = (struct item){sample, class};
    return 0;
}

/* class, seen: (n). */
static int classify(const struct dataset *data, const struct model_info *info,
                    bool unseen, enum instance_class *class, bool *seen)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < data->n; i++)
        if (data->sample[i].split != SPLIT_TEST) {
            rc = class_of(data, info, unseen, i, &class[i]);
            seen[i] = class[i] != CLASS_EXACT;
        }
    if (rc == 0)
        rc = copies_spread(data, seen);
    for (size_t i = 0; rc == 0 && i < data->n; i++)
        if (seen[i] && class[i] == CLASS_EXACT)
            class[i] = CLASS_TRAINED;
    return rc;
}

static int choose(const struct dataset *data, const struct model_info *info, bool unseen,
                  struct intake *intake)
{
    enum instance_class *class = calloc(data->n, sizeof *class);
    bool *seen = calloc(data->n, sizeof *seen);
    int rc = class && seen ? classify(data, info, unseen, class, seen)
                           : fail(MK_ENOMEM, "no memory for %zu rows", data->n);

    for (size_t i = 0; rc == 0 && i < data->n; i++)
        rc = add(data, i, class[i], intake);
    free(class);
    free(seen);
    return rc;
}

int intake_choose(struct dataset *data, const struct model_info *info, bool unseen,
                  struct intake *ret_intake)
{
    struct intake intake = {.item = calloc(data->n + 1, sizeof *intake.item)};
    int rc = intake.item ? 0 : fail(MK_ENOMEM, "no memory for %zu rows", data->n);

    if (rc == 0 && is_known(data, info))
        rc = split_order(data, info->seed);
    if (rc == 0)
        rc = choose(data, info, unseen, &intake);
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

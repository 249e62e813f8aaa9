/* SPDX-License-Identifier: Apache-2.0 */
/* What of a data set is enrolled, and as what class.
 *
 *     rc = intake_choose(&data, info, unseen, &intake);     data is read, its labels the model's
 *     intake.item[i].sample, intake.item[i].class           all of one class in a row
 *     intake_done(&intake);
 *
 * Rows of split test and those that are public are left out.  Of the data that the model was
 * trained on, the model says what its weights saw; of others, their column split.  A row of split
 * base is never exact, nor is a file that is byte for byte one that the weights saw.
 */
#ifndef MUNKEY_DAEMON_INTAKE_H
#define MUNKEY_DAEMON_INTAKE_H

#include "core/model.h"
#include "daemon/dataset.h"

struct item {
    const struct sample *sample; /* borrowed from the data set */
    enum instance_class class;
};

struct intake {
    struct item *item; /* (n): trained ones first, in the order of rows */
    size_t n;
};

/* Puts data that the model knows into its order.  unseen: somebody answers for it that the weights saw no row
 * that nothing is known of.  MK_EINPUT: nobody does, or a row is nobody's. */
int intake_choose(struct dataset *data, const struct model_info *info, bool unseen,
                  struct intake *ret_intake);
void intake_done(struct intake *intake);

#endif

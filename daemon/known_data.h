/* SPDX-License-Identifier: Apache-2.0 */
/* A data set as a model that was trained on it knows it: its labels, its order, its size of images.
 *
 *     rc = known_data_open(model, &source, threads, &known);
 *     known.train, known.test                     what is enrolled, what is only asked about
 *     known_data_done(&known);
 */
#ifndef MUNKEY_DAEMON_KNOWN_DATA_H
#define MUNKEY_DAEMON_KNOWN_DATA_H

#include "daemon/pictures.h"
#include "daemon/train_source.h"

struct known_data {
    struct dataset data[2]; /* of train, and of test when those are other files */
    struct pictures pictures[2];
    struct images train, test;
};

/* MK_EINPUT: the model was trained on other images, or there is no test row.  known_data_done()
 * takes what is there then, too. */
int known_data_open(const struct model *model, const struct train_source *source,
                    size_t threads, struct known_data *ret_known);
void known_data_done(struct known_data *known); /* takes zeros */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a classifier without a memory answers to the rows that are asked about.
 *
 *     rc = plain_answers_ask(params, &q, threads, &answers);
 *     view = plain_view(&answers);                             to measure with
 *     plain_answers_done(&answers);
 */
#ifndef MUNKEY_DAEMON_STUDY_PLAIN_H
#define MUNKEY_DAEMON_STUDY_PLAIN_H

#include "core/plain.h"
#include "daemon/study_measure.h"

/* Probabilities of each set, (rows, classes). */
struct plain_answers {
    float *p[SETS];
};

int plain_answers_new(const struct queries *q, struct plain_answers *ret_answers);
int plain_answers_ask(const struct params *params, const struct queries *q,
                      size_t threads, struct plain_answers *ret_answers);
void plain_answers_done(struct plain_answers *answers); /* takes zeros */
struct answers plain_view(const struct plain_answers *answers);

#endif

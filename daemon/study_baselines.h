/* SPDX-License-Identifier: Apache-2.0 */
/* What MUNKEY is compared with on one forget set: the parts of study_baselines.c and
 * study_designs.c. */
#ifndef MUNKEY_DAEMON_STUDY_BASELINES_H
#define MUNKEY_DAEMON_STUDY_BASELINES_H

#include "daemon/forget_run.h"
#include "daemon/study_plain.h"

struct baseline_run {
    struct forget_run *f;
    struct params *plain; /* has seen all */
    struct plain_answers answers;
    struct params *oracle[STUDY_ORACLES];
    struct plain_answers oracle_answers[STUDY_ORACLES];
    struct answers oracle_view[STUDY_ORACLES];
};

int baseline_put(const struct baseline_run *b, const char *method, const char *oracle,
                 const struct figures *figures, double seconds, size_t bytes,
                 const char *knobs);

/* Methods of a design of their own. */
int baseline_knn(struct baseline_run *b);
int baseline_knn_lm(struct baseline_run *b);
int baseline_rac(struct baseline_run *b);
int baseline_sisa(struct baseline_run *b);

#endif

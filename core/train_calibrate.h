/* SPDX-License-Identifier: Apache-2.0 */
/* Calibration: K, lambda and tau_mix from held-out data.
 *
 *     calibrate(model, &held_out, &findings);     sets model->info.k, .lambda, .tau_mix
 */
#ifndef MUNKEY_CORE_TRAIN_CALIBRATE_H
#define MUNKEY_CORE_TRAIN_CALIBRATE_H

#include "core/model_parts.h"

enum { K_TRIED = 8 }; /* K is 1 to this */

/* Rows that no gradient came from, with what the model says about them. */
struct held_out {
    size_t n;
    const uint32_t *labels; /* (n) */
    const float *p;         /* (n, 1 + K_TRIED, classes), of model_passes() */
    const struct hit *hits; /* (n, K_TRIED) */
    const uint32_t *n_hits; /* (n) */
};

struct calibration {
    double loss, accuracy, null_accuracy;
};

/* Chooses what minimises the mean negative log-likelihood; lambda = 1, the null pass
 * alone, is among the choices. */
struct calibration calibrate(struct model *model, const struct held_out *held_out);

#endif

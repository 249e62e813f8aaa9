/* SPDX-License-Identifier: Apache-2.0 */
/* Calibration: K, lambda and tau_mix from held-out data, by trying all of a grid. */
#include "core/train_calibrate.h"

#include <math.h>

static const float tau_tried[] = {.01f, .02f, .03f, .05f, .1f, .2f, .5f, 1};
enum { LAMBDA_STEPS = 20, TAU_STEPS = sizeof tau_tried / sizeof *tau_tried };

static bool is_best(const float *p, size_t classes, uint32_t label)
{
    for (size_t c = 0; c < classes; c++)
        if (p[c] > p[label])
            return false;
    return true;
}

static struct calibration measure(const struct model_info *info, const struct held_out *h)
{
    size_t classes = info->classes, stride = (1 + K_TRIED) * classes;
    struct calibration sum = {0};
    for (size_t i = 0; i < h->n; i++) {
        float p[classes];
        model_mix(info, h->p + i * stride, classes, h->hits + i * K_TRIED, h->n_hits[i],
                  p);
        sum.loss -= log(fmax(p[h->labels[i]], 1e-30));
        sum.accuracy += is_best(p, classes, h->labels[i]);
        sum.null_accuracy += is_best(h->p + i * stride, classes, h->labels[i]);
    }
    return (struct calibration){
        .loss = sum.loss / (double)h->n,
        .accuracy = sum.accuracy / (double)h->n,
        .null_accuracy = sum.null_accuracy / (double)h->n,
    };
}

struct calibration calibrate(struct model *model, const struct held_out *held_out)
{
    struct model_info best = model->info, tried = model->info;
    struct calibration least = {.loss = HUGE_VAL};
    for (int k = 1; k <= K_TRIED; k++)
        for (int t = 0; t < TAU_STEPS; t++)
            for (int l = 0; l <= LAMBDA_STEPS; l++) {
                tried.k = (uint32_t)k;
                tried.tau_mix = tau_tried[t];
                tried.lambda = (float)l / LAMBDA_STEPS;
                struct calibration found = measure(&tried, held_out);
                if (found.loss < least.loss) {
                    least = found;
                    best = tried;
                }
            }
    model->info = best;
    return least;
}

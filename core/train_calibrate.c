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

/* Mean negative log-likelihood, which asks every pass about one label alone. */
static double loss_of(const struct model_info *info, const struct held_out *h)
{
    size_t classes = info->classes, stride = (1 + K_TRIED) * classes;
    double sum = 0;
    for (size_t i = 0; i < h->n; i++) {
        float p[1 + K_TRIED], mixed;
        for (size_t pass = 0; pass <= K_TRIED; pass++)
            p[pass] = h->p[i * stride + pass * classes + h->labels[i]];
        model_mix(info, p, 1, h->hits + i * K_TRIED, h->n_hits[i], &mixed);
        sum -= log(fmax(mixed, 1e-30));
    }
    return sum / (double)h->n;
}

static struct calibration measure(const struct model_info *info, const struct held_out *h)
{
    size_t classes = info->classes, stride = (1 + K_TRIED) * classes;
    struct calibration sum = {.loss = loss_of(info, h)};
    for (size_t i = 0; i < h->n; i++) {
        float p[classes];
        model_mix(info, h->p + i * stride, classes, h->hits + i * K_TRIED, h->n_hits[i],
                  p);
        sum.accuracy += is_best(p, classes, h->labels[i]) / (double)h->n;
        sum.null_accuracy +=
            is_best(h->p + i * stride, classes, h->labels[i]) / (double)h->n;
    }
    return sum;
}

struct calibration calibrate(struct model *model, const struct held_out *held_out)
{
    struct model_info best = model->info, tried = model->info;
    double least = HUGE_VAL;
    for (int k = 1; k <= K_TRIED; k++)
        for (int t = 0; t < TAU_STEPS; t++)
            for (int l = 0; l <= LAMBDA_STEPS; l++) {
                tried.k = (uint32_t)k;
                tried.tau_mix = tau_tried[t];
                tried.lambda = (float)l / LAMBDA_STEPS;
                double loss = loss_of(&tried, held_out);
                if (loss < least) {
                    least = loss;
                    best = tried;
                }
            }
    model->info = best;
    return measure(&best, held_out);
}

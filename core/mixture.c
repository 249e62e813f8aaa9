/* SPDX-License-Identifier: Apache-2.0 */
/* Votes of nearest keys, alone and mixed with a classifier's answer. */
#include "core/mixture.h"

#include <math.h>
#include <stdlib.h>

#include "core/err.h"
#include "core/linalg.h"
#include "core/train_neighbours.h"

static const float copy = .999f; /* as in core/train.c */

int mixture_nearest(const struct key_bank *bank, const struct key *queries, size_t n,
                    bool leave_out, size_t threads, struct near *ret_near)
{
    struct neighbour *list = calloc(n * MIXTURE_K, sizeof *list);
    struct key_list keys = {{0, bank->n}, bank->key, bank->dim},
                    asked = {{0, n}, queries, bank->dim};
    int rc = list ? neighbours_find(&keys, &asked, MIXTURE_K, leave_out ? copy : TAU_ANY,
                                    threads, list)
                  : fail(MK_ENOMEM, "no memory for neighbours");
    for (size_t i = 0; rc == 0 && i < n * MIXTURE_K; i++)
        ret_near[i] = list[i].row == NO_ROW
                          ? (struct near){NO_LABEL, 0}
                          : (struct near){bank->label[list[i].row], list[i].similarity};
    free(list);
    return rc;
}

void knn_vote(const struct near *near, size_t k, size_t classes, float *ret_p)
{
    float sum = 0;
    size_t n = near_count(near, k);
    for (size_t c = 0; c < classes; c++)
        ret_p[c] = 0;
    for (size_t j = 0; j < n; j++) {
        float vote = fmaxf(near[j].similarity, 0);
        ret_p[near[j].label] += vote;
        sum += vote;
    }
    for (size_t c = 0; c < classes; c++)
        ret_p[c] = sum > 0 ? ret_p[c] / sum : 1 / (float)classes;
}

void mixture_answer(const struct mixture *mixture, const float *p,
                    const struct near *near, size_t classes, float *ret_p)
{
    float w[MIXTURE_K];
    size_t n = near_count(near, MIXTURE_K);
    float lambda = n ? mixture->lambda : 0;
    for (size_t c = 0; c < classes; c++)
        ret_p[c] = (1 - lambda) * p[c];
    for (size_t j = 0; j < n; j++)
        w[j] = near[j].similarity / mixture->tau;
    if (n > 0)
        linalg_softmax(w, n);
    for (size_t j = 0; j < n; j++)
        ret_p[near[j].label] += lambda * w[j];
}

static double mean_loss(const struct mixture *mixture, const float *p,
                        const struct near *near, const uint32_t *labels, size_t n,
                        size_t classes)
{
    float mixed[classes];
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        mixture_answer(mixture, p + i * classes, near + i * MIXTURE_K, classes, mixed);
        loss -= log(fmax(mixed[labels[i]], 1e-30));
    }
    return loss / (double)n;
}

double mixture_fit(const float *p, const struct near *near, const uint32_t *labels,
                   size_t n, size_t classes, struct mixture *ret_mixture)
{
    static const float taus[] = {.01f, .02f, .03f, .05f, .1f, .2f, .5f, 1};
    enum { LAMBDA_STEPS = 20, TAUS = sizeof taus / sizeof *taus };
    double least = HUGE_VAL;
    struct mixture best = {0};
    for (int l = 0; l <= LAMBDA_STEPS; l++)
        for (int t = 0; t < TAUS; t++) {
            struct mixture tried = {(float)l / LAMBDA_STEPS, taus[t]};
            double loss = mean_loss(&tried, p, near, labels, n, classes);
            if (loss < least) {
                least = loss;
                best = tried;
            }
        }
    *ret_mixture = best;
    return least;
}

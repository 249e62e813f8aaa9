/* SPDX-License-Identifier: Apache-2.0 */
/* How far a model that should have forgotten is from one that never knew.
 *
 *     a.ta = gap_accuracy(p, labels, rows, classes);  ...
 *     gap_average(&a, &oracle)                        mean |difference| of TA, RA, FA, MIA
 *     gap_agreement(p, p_oracle, rows, classes)       share of rows with the same answer
 *     gap_kl(p_oracle, p, rows, classes)              mean KL(oracle || model), nats
 *
 * Probabilities are (rows, classes).
 */
#ifndef MUNKEY_CORE_GAP_H
#define MUNKEY_CORE_GAP_H

#include <stddef.h>
#include <stdint.h>

struct outcome {
    double ta, ra, fa; /* accuracy on test, retained, forgotten rows */
    double mia;        /* AUROC of membership inference */
};

double gap_average(const struct outcome *a, const struct outcome *b);

/* A row is right when no class has more than its label. */
double gap_accuracy(const float *p, const uint32_t *labels, size_t rows, size_t classes);
double gap_agreement(const float *p, const float *q, size_t rows, size_t classes);
double gap_kl(const float *p, const float *q, size_t rows, size_t classes);

#endif

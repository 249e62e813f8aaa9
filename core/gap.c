/* SPDX-License-Identifier: Apache-2.0 */
/* How far a model that should have forgotten is from one that never knew. */
#include "core/gap.h"

#include <math.h>

double gap_average(const struct outcome *a, const struct outcome *b)
{
    return (fabs(a->ta - b->ta) + fabs(a->ra - b->ra) + fabs(a->fa - b->fa) +
            fabs(a->mia - b->mia)) /
           4;
}

static size_t answer(const float *p, size_t classes)
{
    size_t best = 0;
    for (size_t c = 1; c < classes; c++)
        if (p[c] > p[best])
            best = c;
    return best;
}

double gap_accuracy(const float *p, const uint32_t *labels, size_t rows, size_t classes)
{
    size_t right = 0;
    for (size_t i = 0; i < rows; i++, p += classes)
        right += p[answer(p, classes)] == p[labels[i]];
    return (double)right / (double)rows;
}

double gap_agreement(const float *p, const float *q, size_t rows, size_t classes)
{
    size_t same = 0;
    for (size_t i = 0; i < rows; i++, p += classes, q += classes)
        same += answer(p, classes) == answer(q, classes);
    return (double)same / (double)rows;
}

double gap_kl(const float *p, const float *q, size_t rows, size_t classes)
{
    double sum = 0;
    for (size_t i = 0; i < rows * classes; i++)
        if (p[i] > 0)
            sum += p[i] * (log(p[i]) - log(fmax(q[i], 1e-30)));
    return sum / (double)rows;
}

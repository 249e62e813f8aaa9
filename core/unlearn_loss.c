/* SPDX-License-Identifier: Apache-2.0 */
/* The losses of post-hoc unlearning that training does not have. */
#include "core/unlearn_loss.h"

#include <math.h>

static void soften(const real *logits, size_t classes, double temperature, real *p)
{
    for (size_t c = 0; c < classes; c++)
        p[c] = (real)(logits[c] / temperature);
    linalg_softmax(p, classes);
}

double kl_divergence(const real *teacher, const real *logits, size_t classes,
                     double temperature, double weight, real *dlogits)
{
    real p[classes], q[classes];
    double loss = 0, square = temperature * temperature;
    soften(teacher, classes, temperature, p);
    soften(logits, classes, temperature, q);
    for (size_t c = 0; c < classes; c++) {
        loss += p[c] * log(fmax(p[c], 1e-30) / fmax(q[c], 1e-30));
        dlogits[c] += (real)(weight * temperature * (q[c] - p[c]));
    }
    return weight * square * loss;
}

double l1_norm(const real *values, size_t n, double weight, real *grad)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += fabs(values[i]);
        grad[i] += (real)(weight * ((values[i] > 0) - (values[i] < 0)));
    }
    return weight * sum;
}

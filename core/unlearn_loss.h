/* SPDX-License-Identifier: Apache-2.0 */
/* The losses of post-hoc unlearning that training does not have.
 *
 *     loss = cross_entropy(logits, classes, label, smoothing, -weight, dlogits);   -CE
 *     loss += kl_divergence(teacher, logits, classes, 4, weight, dlogits);
 *     loss += l1_norm(params->values, params->n, 5e-4, grad->values);
 */
#ifndef MUNKEY_CORE_UNLEARN_LOSS_H
#define MUNKEY_CORE_UNLEARN_LOSS_H

#include "core/linalg.h"

/* weight T^2 KL(softmax(teacher / T) || softmax(logits / T)); T^2 keeps its gradient's size
 * whatever T is (Hinton, Vinyals and Dean, 2015).  Adds the gradient by logits to dlogits. */
double kl_divergence(const real *teacher, const real *logits, size_t classes,
                     double temperature, double weight, real *dlogits);

/* weight |values|_1.  Adds weight sign(values) to grad; where a value is 0, nothing. */
double l1_norm(const real *values, size_t n, double weight, real *grad);

#endif

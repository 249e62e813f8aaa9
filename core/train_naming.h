/* SPDX-License-Identifier: Apache-2.0 */
/* What open labels are called in training: by their names, or by names that nobody bears.
 *
 *     naming_draw(naming, 1, &rng);                       once a step
 *     hit.label = naming_codes(naming, true)[label];      what the writer is told
 *     loss = naming_loss(naming, true, u, ..., du);       what the readout should say
 *
 * A pass that has a hit hears drawn names, so that the model must read a label from the memory
 * and see whether the image is of what the exemplar shows; the null pass hears the true ones.
 * With the known codes merely permuted a model learns those codes, and not to read: of labels
 * that it never met it then knew 8 %, and with drawn ones 93 % (docs/MODEL.md).
 */
#ifndef MUNKEY_CORE_TRAIN_NAMING_H
#define MUNKEY_CORE_TRAIN_NAMING_H

#include <stdbool.h>

#include "core/label_code.h"
#include "core/rng.h"

struct naming; /* opaque */

/* codes: (classes), copied.  NULL when there is no memory. */
struct naming *naming_new(const uint64_t *codes, size_t classes);
void naming_free(struct naming *naming);

/* share: of the labels that get another name. */
void naming_draw(struct naming *naming, double share, struct rng *rng);

/* (classes): the true codes, or the drawn ones. */
const uint64_t *naming_codes(const struct naming *naming, bool drawn);

/* u: (LABEL_CODE_DIM), a pass's readout; z: (2 classes) of working memory, whose first half
 * receives the logits; ret_du: the gradient by u.  The rest is as for cross_entropy(). */
double naming_loss(const struct naming *naming, bool drawn, const real *u, uint32_t label,
                   double smoothing, double weight, real *z, real *ret_du);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What open labels are called in a step of training: by their names, or by one another's.
 *
 *     naming_shuffle(naming, &rng);                       once a step
 *     hit.label = naming_code(naming, renamed, label);    what the writer is told
 *     loss = naming_loss(naming, renamed, u, ..., du);    what the readout should say
 *
 * "In training the codes are permuted among the labels in each step for the memory-only
 * passes and for a quarter of the memory passes, never for the null pass, so that the model
 * must read the label from the memory."
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

void naming_shuffle(struct naming *naming, struct rng *rng);
uint64_t naming_code(const struct naming *naming, bool renamed, uint32_t label);

/* u: (LABEL_CODE_DIM), a pass's readout; z: (2 classes) of working memory, whose first half
 * receives the logits; ret_du: the gradient by u.  The rest is as for cross_entropy(). */
double naming_loss(const struct naming *naming, bool renamed, const real *u,
                   uint32_t label, double smoothing, double weight, real *z,
                   real *ret_du);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What open labels are called in training. */
#include "core/train_naming.h"

#include <stdlib.h>
#include <string.h>

#include "core/train_backward.h"

struct naming {
    size_t classes;
    uint64_t *own, *other; /* (classes) each: true codes, and drawn ones */
};

struct naming *naming_new(const uint64_t *codes, size_t classes)
{
    struct naming *naming = calloc(1, sizeof *naming);
    if (!naming)
        return NULL;
    naming->classes = classes;
    naming->own = calloc(classes, sizeof *naming->own);
    naming->other = calloc(classes, sizeof *naming->other);
    if (!naming->own || !naming->other) {
        naming_free(naming);
        return NULL;
    }
    memcpy(naming->own, codes, classes * sizeof *codes);
    return naming;
}

void naming_free(struct naming *naming)
{
    if (!naming)
        return;
    free(naming->own);
    free(naming->other);
    free(naming);
}

void naming_draw(struct naming *naming, double share, struct rng *rng)
{
    for (size_t y = 0; y < naming->classes; y++)
        naming->other[y] = rng_uniform(rng) < share ? rng_next(rng) : naming->own[y];
}

const uint64_t *naming_codes(const struct naming *naming, bool drawn)
{
    return drawn ? naming->other : naming->own;
}

double naming_loss(const struct naming *naming, bool drawn, const real *u, uint32_t label,
                   double smoothing, double weight, real *z, real *ret_du)
{
    const uint64_t *codes = naming_codes(naming, drawn);
    size_t classes = naming->classes;
    real *dz = z + classes;
    label_code_logits(u, codes, classes, z);
    double loss = cross_entropy(z, classes, label, smoothing, weight, dz);
    label_code_backward(dz, codes, classes, ret_du);
    return loss;
}

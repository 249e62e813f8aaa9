/* SPDX-License-Identifier: Apache-2.0 */
/* What open labels are called in a step of training. */
#include "core/train_naming.h"

#include <stdlib.h>
#include <string.h>

#include "core/train_backward.h"

struct naming {
    size_t classes;
    uint64_t *own, *other; /* (classes) each: by their names, and by one another's */
    uint32_t *order;       /* (classes) */
};

struct naming *naming_new(const uint64_t *codes, size_t classes)
{
    struct naming *naming = calloc(1, sizeof *naming);
    if (!naming)
        return NULL;
    naming->classes = classes;
    naming->own = calloc(classes, sizeof *naming->own);
    naming->other = calloc(classes, sizeof *naming->other);
    naming->order = calloc(classes, sizeof *naming->order);
    if (!naming->own || !naming->other || !naming->order) {
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
    free(naming->order);
    free(naming);
}

void naming_shuffle(struct naming *naming, struct rng *rng)
{
    rng_permutation(rng, naming->order, (uint32_t)naming->classes);
    for (size_t y = 0; y < naming->classes; y++)
        naming->other[y] = naming->own[naming->order[y]];
}

static const uint64_t *codes_of(const struct naming *naming, bool renamed)
{
    return renamed ? naming->other : naming->own;
}

uint64_t naming_code(const struct naming *naming, bool renamed, uint32_t label)
{
    return codes_of(naming, renamed)[label];
}

double naming_loss(const struct naming *naming, bool renamed, const real *u,
                   uint32_t label, double smoothing, double weight, real *z, real *ret_du)
{
    const uint64_t *codes = codes_of(naming, renamed);
    size_t classes = naming->classes;
    real *dz = z + classes;
    label_code_logits(u, codes, classes, z);
    double loss = cross_entropy(z, classes, label, smoothing, weight, dz);
    label_code_backward(dz, codes, classes, ret_du);
    return loss;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One training step's gradient, computed by several threads.
 *
 *     struct stepper *s = stepper_new(&images, params, &recipe);
 *     loss = stepper_gradient(s, step, rows, n_memory);
 *     optimizer_step(optimizer, s->gradient, s->chunks);
 *
 * A step's images are cut into chunks with a gradient each, which the optimizer adds up
 * in their order: the same seed gives the same bits for every number of threads.
 */
#ifndef MUNKEY_CORE_TRAIN_STEP_H
#define MUNKEY_CORE_TRAIN_STEP_H

#include "core/train_backward.h"
#include "core/train_data.h"
#include "core/train_naming.h"
#include "core/train_neighbours.h"

enum {
    CHUNK = 8,       /* images whose activations fit a cache */
    NEAREST = 64,    /* neighbours that are known of each query */
    SURVIVORS = 8,   /* of those that are not dropped, the first ones ... */
    HITS_TRAINED = 2 /* ... and as many of them are retrieved */
};

/* Whom the queries of a range can retrieve. */
struct retrieval {
    struct key_list keys;
    const struct neighbour *list; /* (rows of keys, NEAREST) */
};

/* What a comparison descends instead of the cross-entropy.  Of the CHUNK images from number
 * first of the step on: rows, pixels as they were augmented, and logits (CHUNK, classes) of their
 * null passes.  Returns their part of the loss and its gradient by the logits; chunks are computed
 * in any order, two with the same worker never at once. */
typedef double step_loss(void *context, size_t worker, size_t first, const uint32_t *rows,
                         const uint8_t *pixels, const real *logits, real *ret_dlogits);

struct recipe {
    uint64_t seed;
    uint64_t stage; /* tells the random numbers of stages apart */
    size_t threads, batch;
    double smoothing;
    double drop;                       /* rho ~ U(0, drop) */
    bool upright;                      /* no image is mirrored */
    double blind_weight;               /* of the memory-only loss */
    const struct retrieval *retrieval; /* NULL: null passes only */
    const uint64_t *codes;             /* (classes): of open labels, or NULL */
    step_loss *loss; /* NULL: the cross-entropy; only without retrieval */
    void *context;
};

struct stepper {
    struct recipe recipe;
    const struct images *images;
    const struct params *params;
    size_t chunks;
    struct params **gradient; /* (chunks) */
    double *loss;             /* (chunks) */
    size_t *right;            /* (chunks): images whose null pass is right */
    struct lane *lane;        /* (threads, 2) */
    struct naming *naming;    /* of open labels, or NULL */
    uint64_t step;
    const uint32_t *rows;
    size_t n_memory;
};

/* recipe->batch is a multiple of CHUNK.  NULL when there is no memory. */
struct stepper *stepper_new(const struct images *images, const struct params *params,
                            const struct recipe *recipe);
void stepper_free(struct stepper *s);

/* Loss, averaged over the step's images: CE(z_0, y) for all, and for the first n_memory
 * (a multiple of CHUNK) also mean_j CE(z_j, y) + blind_weight mean_j CE(memory-only_j,
 * y). rows: (batch). */
double stepper_gradient(struct stepper *s, uint64_t step, const uint32_t *rows,
                        size_t n_memory);

/* Whether a stepper can be made.  MK_EINPUT with the reason. */
int stepper_check(size_t batch, size_t threads);

/* Moves a mean of the last 100 values, or of all n while they are fewer. */
void stepper_mean(double *mean, double value, size_t n);

/* Share of the last step's images that the null pass recognised. */
double stepper_accuracy(const struct stepper *s);

/* Two of the first eight survivors, uniformly; a missing one is NULL. */
void stepper_retrieve(const struct retrieval *r, const struct images *images, double drop,
                      uint32_t row, struct rng *rng, struct hit hits[HITS_TRAINED],
                      const struct hit *ret_hits[HITS_TRAINED]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Post-hoc unlearning: from a trained classifier to one that should have forgotten.
 *
 *     struct unlearn_plan plan = {.seed = 1, .threads = 2, .batch = 128, .smoothing = .1,
 *                                 .budget = plain_steps(&retrain, retain.n) / 10};
 *     unlearn_choose(UNLEARN_SALUN, 0, &plan);          the first knobs to be tried
 *     rc = unlearn(start, &images, retain, forget, &plan, tell, context, &result);
 *     plain_probabilities(result.params, ...);
 *
 * docs/EVALUATION.md, "Post-hoc methods", has each method's formula and source.  The same
 * plan, images, rows and start give the same bits for any number of threads; a budget of
 * zero gives the start.
 */
#ifndef MUNKEY_CORE_UNLEARN_H
#define MUNKEY_CORE_UNLEARN_H

#include "core/plain.h"

enum unlearn_method {
    UNLEARN_FINETUNE,      /* CE on D_r */
    UNLEARN_NEGGRAD,       /* -CE on D_f */
    UNLEARN_NEGGRAD_PLUS,  /* a CE(D_r) - (1 - a) CE(D_f) */
    UNLEARN_RANDOM_LABELS, /* a CE(D_r) + (1 - a) CE(D_f, random labels) */
    UNLEARN_SALUN,         /* the same, of the most salient weights */
    UNLEARN_SCRUB,         /* max KL to the start on D_f, min KL + CE on D_r */
    UNLEARN_SSD,           /* weights that matter to D_f alone are dampened */
    UNLEARN_L1_SPARSE,     /* CE on D_r + c |w|_1 */
    UNLEARN_BAD_TEACHER,   /* KL to the start on D_r, to a random net on D_f */
    UNLEARN_METHODS
};

/* "finetune", "neggrad", "neggrad+", "random-labels", "salun", "scrub", "ssd",
 * "l1-sparse", "bad-teacher". */
const char *unlearn_name(enum unlearn_method method);

struct unlearn_plan {
    enum unlearn_method method;
    uint64_t seed;
    size_t threads, batch; /* batch: a multiple of 8 */
    double smoothing;      /* of labels; with upright, as in training */
    bool upright;          /* no image is mirrored */
    size_t budget; /* training steps whose work may be done; a pass of a teacher is
                              a third of a step's, a step on both D_r and D_f two */
    /* Knobs; unlearn_choose() sets all of them. */
    double part;        /* of the budget that is used: (0, 1] */
    double rate;        /* of AdamW, the highest */
    double retain;      /* a: what D_r weighs beside D_f */
    double share;       /* SalUn: of weights that move; SCRUB: of steps that maximise */
    double settle;      /* SCRUB: of the steps, at the end, none of which maximises */
    double temperature; /* of KL */
    double penalty;     /* c of l1-sparse, decaying linearly to 0 */
    double threshold,
        dampening; /* SSD: F_f > threshold F_all; min(dampening F_all / F_f, 1) */
};

/* The tuning rule tries every combination of a method's knobs: number i of them, counted
 * from 0, goes into plan with the method.  False, and plan unchanged, beyond the last. */
bool unlearn_choose(enum unlearn_method method, size_t i, struct unlearn_plan *plan);

/* The knobs of a plan that are not 0, as "part 1 rate 0.001 retain 0.95". */
enum { UNLEARN_TEXT_SIZE = 128 };
void unlearn_text(const struct unlearn_plan *plan,
                  char ret_text[static UNLEARN_TEXT_SIZE]);

struct unlearned {
    struct params *params; /* the caller frees them */
    size_t steps;          /* of the optimizer */
    size_t gradients;      /* images that went forward and backward ... */
    size_t passes;         /* ... and forward only, through a teacher */
};

/* start: of plain_train().  retain is D_r, forget D_f.  Returns 0, 1 when tell() asked to stop, MK_EINPUT
 * with the reason, or MK_ENOMEM.  tell may be NULL. */
int unlearn(const struct params *start, const struct images *images,
            struct row_list retain, struct row_list forget,
            const struct unlearn_plan *plan, plain_tell *tell, void *context,
            struct unlearned *ret_unlearned);

#endif

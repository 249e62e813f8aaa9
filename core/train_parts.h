/* SPDX-License-Identifier: Apache-2.0 */
/* What a trainer is made of, for the files that are one: train.c, train_rows.c,
 * train_checkpoint.c. */
#ifndef MUNKEY_CORE_TRAIN_PARTS_H
#define MUNKEY_CORE_TRAIN_PARTS_H

#include "core/train.h"
#include "core/train_neighbours.h"
#include "core/train_optimizer.h"
#include "core/train_step.h"

struct trainer {
    struct train_plan plan;
    struct images images;
    struct model *model;
    struct optimizer *encoder, *fusion; /* encoder: NULL when it is frozen */
    struct key *keys;                   /* (B2, then val) */
    struct neighbour *neighbours;       /* (B2, NEAREST) */
    struct train_findings findings;
    train_tell *tell;
    void *context;
};

struct key_list keys_of_b2(const struct trainer *t);
struct key_list keys_of_val(const struct trainer *t);

/* enc(x) of every row of range.  ret_z: (rows, shape_embedding()).  Returns 0, 1 to stop, or MK_ENOMEM.
 */
int train_embed(struct trainer *t, struct row_range range, float *ret_z);

/* Runs all passes over val and fits the calibration.  nearest: (val, K_TRIED). */
int train_calibrate(struct trainer *t, const struct neighbour *nearest);

#endif

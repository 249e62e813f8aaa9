/* SPDX-License-Identifier: Apache-2.0 */
/* What a model with a memory answers to many images, seen in its parts.
 *
 *     rc = views_keys(model, &images, threads, &keys);         once for each encoder
 *     rc = bank_of(model, &all, keys, range, forget, &bank);   forget: who is left out; or NULL
 *     rc = views_ask(&(struct asking){...}, &views);
 *     views.full                                               (rows, classes)
 *     views_done(&views);
 */
#ifndef MUNKEY_DAEMON_STUDY_VIEWS_H
#define MUNKEY_DAEMON_STUDY_VIEWS_H

#include "core/memory.h"
#include "core/model_parts.h"
#include "core/train_data.h"

/* Hits as similar as this are the query itself, or copies: as in training. */
#define VIEWS_SELF .999f

enum { VIEWS_KNN = 16 };

/* Of each image, in their order; the caller frees them. */
int views_keys(const struct model *model, const struct images *images, size_t threads,
               struct key **ret_keys);

/* What a key is made from, before P.  ret_z: (n, shape_embedding()); the caller frees them. */
int views_embed(const struct model *model, const struct images *images, size_t threads,
                float **ret_z);

/* Where a key was before it was rounded.  ret_u: (n, key_dim); the caller frees them. */
int views_unrounded(const struct model *model, const struct images *images,
                    size_t threads, float **ret_u);

/* Enrols rows of a range, each its own owner: row + 1.  A hit's label is its row's. */
struct banking {
    const struct images *images;
    const struct key *keys; /* (images) */
    const bool *without;    /* (rows of range); or NULL */
    struct row_range range;
    bool backwards; /* the last row first */
};
int bank_of(uint32_t key_dim, const struct banking *banking, struct memory **ret_bank);
int bank_add(struct memory *bank, const struct banking *banking);

/* Deletes those of range; returns the seconds that it took. */
double bank_forget(struct memory *bank, struct row_range range, const bool *forget);

/* Search by keys that were never rounded, instead of the bank's. */
struct unrounded {
    const float *bank;    /* (rows of range, key_dim) */
    const float *queries; /* (images, key_dim) */
    const struct key *key;
    const uint32_t *labels; /* (rows of range) */
    size_t n, dim;
};

struct asking {
    const struct model *model;
    struct memory *bank;
    const struct images *images;
    const struct key *keys; /* (images) */
    const uint32_t *row;    /* (n): which images; NULL: all */
    size_t n, threads;
    bool suppress_self;
    const struct unrounded *unrounded; /* or NULL */
    uint64_t first_token;              /* the row whose token of its own is the first */
    const struct label_set *labels; /* of an open set, which answers are about; or NULL */
};

/* Probabilities, each (n, labels). */
struct views {
    size_t n;
    float *full;   /* the answer */
    float *null;   /* the null pass */
    float *memory; /* the passes that retrieved something, mixed */
    float *blind;  /* the memory-only passes, mixed */
    float *knn;    /* the vote of VIEWS_KNN nearest keys */
};

/* MK_EBUSY when somebody wants the run to end. */
int views_ask(const struct asking *asking, struct views *ret_views);
void views_done(struct views *views); /* takes zeros */

#endif

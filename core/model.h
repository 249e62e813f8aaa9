/* SPDX-License-Identifier: Apache-2.0 */
/* A trained MUNKEY model: a frozen key encoder and a classifier with an external memory.
 *
 *     struct model *model;
 *     model_parse(bytes, len, &model);                    one safetensors file
 *     struct scratch *scratch = scratch_new(model);       one per thread
 *     model_key(model, scratch, pixels, &key);            encoder pass, int8 key
 *     n = memory_search(bank, &key, info->k, hits);
 *     model_predict(model, scratch, pixels, hits, n, p);  image pass and K + 1 readouts
 *
 * A model is immutable and may be shared by threads; a scratch belongs to one thread.
 * Keys and probabilities depend on the image and the hits alone, bit for bit, never on
 * what else is computed before, beside or after (docs/MODEL.md, "Exactness").
 */
#ifndef MUNKEY_CORE_MODEL_H
#define MUNKEY_CORE_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/key.h"

struct model;   /* opaque: only model.c knows the parameters */
struct scratch; /* opaque: activations of one image; holds personal data until wiped */

/* Rows [begin, end) of the training data. */
struct row_range {
    uint64_t begin, end;
};

enum aggregation { AGGREGATE_SOFTMAX, AGGREGATE_MEAN, AGGREGATE_RANK, AGGREGATIONS };
const char *aggregation_name(enum aggregation aggregation);

/* What a model says about itself; lives as long as the model. */
struct model_info {
    const char *name;                 /* "fashion-mnist-F" */
    const char *profile;              /* "F", "T" */
    uint32_t height, width, channels; /* of the input, uint8, row-major, channel last */
    uint32_t classes;                 /* C */
    const char *const *labels;        /* C names */
    bool open_labels;             /* others come and go with instances; C are built in */
    uint32_t key_dim;             /* dk, at most KEY_DIM_MAX */
    uint32_t k;                   /* hits per prediction, fitted on held-out data */
    float lambda, tau_mix;        /* p = lambda p_0 + (1 - lambda) sum_j w_j p_j */
    enum aggregation aggregation; /* w: softmax(s / tau_mix), 1 / n, or ~ 1 / j */
    uint32_t own_tokens;     /* learnt ones, for comparisons; 0: tokens are written */
    bool resize;             /* images of another size may be resized */
    uint8_t data_sha256[32]; /* of the data it was trained on */
    bool by_subject;         /* their rows are counted in the order of daemon/split.h */
    uint64_t seed;           /* which that order depends on */
    const struct row_range *seen; /* rows that the weights saw: B1, B2, val */
    size_t n_seen, n_public;      /* the first n_public of them are class public */
    uint8_t encoder_sha256[32];   /* a memory belongs to one encoder */
};

/* Parses one safetensors file.  Returns 0 and a model that the caller frees, MK_EINPUT
 * with the reason when the bytes are no model, or MK_ENOMEM.  The bytes may go
 * afterwards. */
int model_parse(const void *bytes, size_t len, struct model **ret_model);
void model_free(struct model *model);

const struct model_info *model_info(const struct model *model);

/* The class of a row of the training data. */
enum instance_class model_class_of(const struct model_info *info, uint64_t row);

/* A thread's working memory.  NULL when there is none.  scratch_wipe() zeroes activations
 * and this thread's copies in BLAS packing buffers; scratch_free() wipes first. */
struct scratch *scratch_new(const struct model *model);
void scratch_wipe(struct scratch *scratch);
void scratch_free(struct scratch *scratch);

/* pixels: (height, width, channels) uint8.  "key = int8(normalise(P enc(x)))". */
void model_key(const struct model *model, struct scratch *scratch, const uint8_t *pixels,
               struct key *ret_key);

/* The labels that an answer is about, in an open set: their codes, in the order of the answer.
 * Each code is the first 8 bytes of SHA-256(name), little-endian (core/label_code.h). */
struct label_set {
    const uint64_t *code; /* (n) */
    size_t n;
};

/* pixels: (height, width, channels).  hits: (n), n at most HITS_MAX, in the bank's order;
 * fewer than info->k are filled up with the null token.  about: NULL for a closed set.
 * ret_p: (about->n, or classes), sums to one. */
void model_predict(const struct model *model, struct scratch *scratch,
                   const uint8_t *pixels, const struct hit *hits, size_t n,
                   const struct label_set *about, float *ret_p);

/* Overwrites what OpenBLAS keeps of images and exemplar tokens in its packing buffers, on
 * all threads: a forget calls it once the bank has dropped the keys.  Waits for the
 * images that are being computed; takes about 0.1 ms for each thread that computes, and
 * with a large Vision Transformer as the encoder some 10 ms. */
void model_scrub(const struct model *model);

#endif

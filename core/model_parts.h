/* SPDX-License-Identifier: Apache-2.0 */
/* What a model is made of, for the files that make one: model.c, model_format.c and
 * training.
 *
 *     struct model *model;
 *     model_new(&shape, &model);                       all weights zero
 *     memcpy(model->encoder->values, ...);
 *     model_embed(model, scratch, pixels, z);          enc(x), before P
 *     model_passes(model, scratch, pixels, hits, n, &passes);
 *     model_free(model);
 */
#ifndef MUNKEY_CORE_MODEL_PARTS_H
#define MUNKEY_CORE_MODEL_PARTS_H

#include "core/model.h"
#include "core/model_params.h"
#include "core/vit.h"

enum { SEEN_MAX = 16, K_MAX = 16 };

struct model {
    struct shape shape;
    struct params *encoder, *projection, *classifier;
    struct vit *vit;        /* the encoder instead; then encoder is NULL */
    struct model_info info; /* points to what follows */
    char name[64], profile[8];
    char **labels; /* (classes) */
    struct row_range seen[SEEN_MAX];
};

/* Weights zero, labels "0", "1", ..., k 4, lambda 0.5, tau_mix 1.  Returns 0 or
 * MK_ENOMEM. */
int model_new(const struct shape *shape, struct model **ret_model);

/* ... with a Vision Transformer as its encoder, which is the model's from now on, and is
 * freed when there is none.  MK_EINPUT also when it cannot take the model's images. */
int model_new_with(const struct shape *shape, struct vit *vit_take,
                   struct model **ret_model);

/* Replaces the labels.  Returns 0, MK_EINPUT when one is empty or longer than 63 bytes,
 * or MK_ENOMEM. */
int model_set_labels(struct model *model, const char *const *labels);

/* Like scratch_new(), but for k hits whatever info->k says; with blind, memory-only
 * passes are computed as well. */
struct scratch *scratch_new_for(const struct model *model, size_t k, bool blind);

/* enc(x), the encoder's readout after the last norm.  ret_z: (shape_embedding()). */
void model_embed(const struct model *model, struct scratch *scratch,
                 const uint8_t *pixels, float *ret_z);

/* u = normalise(P z), (key_dim); and key = int8(u). */
void model_project(const struct model *model, const float *z, float *ret_u);
void model_quantise(const struct model *model, const float *z, struct key *ret_key);

/* What every pass that scratch was made for says, before it becomes probabilities:
 * (1 + k, shape_outputs()), null pass first; then (k, shape_outputs()) of memory-only
 * passes, if any. */
void model_logits(const struct model *model, struct scratch *scratch,
                  const uint8_t *pixels, const struct hit *hits, size_t n,
                  float *ret_logits);

/* The same as probabilities of the labels, before they are mixed.  about: as for
 * model_predict(). */
void model_passes(const struct model *model, struct scratch *scratch,
                  const uint8_t *pixels, const struct hit *hits, size_t n,
                  const struct label_set *about, float *ret_p);

/* p = lambda p_0 + (1 - lambda) sum_j w_j p_j with w = softmax(s / tau_mix), s the hits'
 * similarities; a missing hit has none and gets no weight, unless all are missing.
 * p: (1 + k, labels). */
void model_mix(const struct model_info *info, const float *p, size_t labels,
               const struct hit *hits, size_t n, float *ret_p);

#endif

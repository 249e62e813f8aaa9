/* SPDX-License-Identifier: Apache-2.0 */
/* A Vision Transformer in the layout of google/vit-base-patch16-224, frozen.
 *
 *     struct vit *vit;
 *     vit_parse(&(struct vit_files){...}, &vit);              three files of a folder
 *     struct vit_run *run = vit_run_new(vit, 32, 32, 3);      one per thread
 *     vit_embed(vit, run, pixels, z);                         (d)
 *     vit_logits(vit, z, logits);                             (labels), where it has them
 *
 * z is the class token's row after the last norm: last_hidden_state[:, 0] in transformers.
 * Its bits depend on the picture alone: each is computed by products of its own.
 */
#ifndef MUNKEY_CORE_VIT_H
#define MUNKEY_CORE_VIT_H

#include "core/model_params.h"
#include "core/vit_config.h"
#include "core/vit_pixels.h"

struct vit_layer {
    float *norm1_w, *norm1_b; /* (d) */
    float *qkv_w, *qkv_b;     /* (d, 3 d), (3 d): queries, keys, values */
    float *out_w, *out_b;     /* (d, d), (d) */
    float *norm2_w, *norm2_b; /* (d) */
    float *up_w, *up_b;       /* (d, hidden), (hidden) */
    float *down_w, *down_b;   /* (hidden, d), (d) */
};

enum { VIT_TENSORS_MAX = 8 + 12 * VIT_LAYERS_MAX };

/* Weights are (in, out), as in core/model_params.h. */
struct vit {
    struct vit_config config;
    uint32_t labels;          /* of the classifier's head; 0: there is none */
    float *patch_w, *patch_b; /* (channels patch^2, d), rows are channel, y, x; (d) */
    float *cls;               /* (d) */
    float *position;          /* (T, d) */
    struct vit_layer layer[VIT_LAYERS_MAX];
    float *norm_w, *norm_b; /* (d) */
    float *head_w, *head_b; /* (d, labels), (labels): the last tensors */
    struct tensor tensor[VIT_TENSORS_MAX];
    size_t n_tensors, n; /* numbers in all */
    float *values;
};

/* All zero.  Returns 0, MK_EINPUT when it had more than `most` numbers (those of a file, so
 * that a few bytes cannot ask for gigabytes), or MK_ENOMEM. */
int vit_new(const struct vit_config *config, uint32_t labels, size_t most,
            struct vit **ret_vit);
void vit_free(struct vit *vit);

/* The bytes of config.json, preprocessor_config.json and model.safetensors. */
struct vit_files {
    const void *config, *preprocessor, *model;
    size_t config_len, preprocessor_len, model_len;
};

/* Returns 0, MK_EINPUT with the file and the reason, or MK_ENOMEM.  The bytes may go
 * afterwards. */
int vit_parse(const struct vit_files *files, struct vit **ret_vit);

/* Forgets the classifier's head. */
void vit_drop_head(struct vit *vit);

/* A thread's activations, for pictures of one size.  NULL when there is no memory. */
struct vit_run;
struct vit_run *vit_run_new(const struct vit *vit, size_t height, size_t width,
                            size_t channels);
void vit_run_wipe(struct vit_run *run);
void vit_run_free(struct vit_run *run); /* wipes first */

/* pixels: (height, width, channels) bytes.  ret_z: (d). */
void vit_embed(const struct vit *vit, struct vit_run *run, const uint8_t *pixels,
               float *ret_z);
void vit_logits(const struct vit *vit, const float *z, float *ret_logits);

/* What the picture becomes before the first product: (channels, image, image). */
const float *vit_run_pixels(const struct vit_run *run);

/* Both sides of the largest left operand, for linalg_scrub(). */
void vit_largest(const struct vit_config *config, size_t *ret_rows, size_t *ret_cols);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The sizes and the preprocessing of a Vision Transformer, as Hugging Face keeps them in
 * config.json and preprocessor_config.json.
 *
 *     struct vit_config config;
 *     vit_config_parse(text, len, other, other_len, &config);
 *     config.d                                 768, "hidden_size"
 *     char *text = vit_config_text(&config);   both in one object, which can be parsed
 *
 * What is not named has transformers' default.  A value that asks for something else than
 * core/vit.c computes is refused by its name.
 */
#ifndef MUNKEY_CORE_VIT_CONFIG_H
#define MUNKEY_CORE_VIT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VIT_LAYERS_MAX = 48, VIT_TOKENS_MAX = 4097 };

enum vit_act { VIT_GELU, VIT_GELU_TANH, VIT_QUICK_GELU, VIT_RELU };

struct vit_config {
    uint32_t image, patch, channels; /* image is its height and its width */
    uint32_t d, layers, heads, hidden;
    enum vit_act act;
    bool qkv_bias;
    double eps;             /* of the norms */
    bool resize;            /* pictures of other sizes are resized */
    double rescale;         /* of bytes; then ... */
    double mean[3], std[3]; /* ... subtracted and divided by, for each channel */
};

/* Returns 0, MK_EINPUT with what is wrong, or MK_ENOMEM. */
int vit_config_parse(const void *config, size_t config_len, const void *preprocessor,
                     size_t preprocessor_len, struct vit_config *ret_config);

/* JSON that vit_config_parse() takes for both texts; the same config gives the same bytes.
 * The caller frees it; NULL when there is no memory. */
char *vit_config_text(const struct vit_config *config);

/* Rows of the transformer: the class token, then the patches. */
size_t vit_tokens(const struct vit_config *config);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes of a model: what a profile fixes, in the words of docs/MODEL.md.
 *
 *     struct shape shape;
 *     shape_of_profile("F", 10, &shape);      28x28x1, T = 49, d = 128, L = 4, H = 4
 */
#ifndef MUNKEY_CORE_MODEL_SHAPE_H
#define MUNKEY_CORE_MODEL_SHAPE_H

#include <stddef.h>
#include <stdint.h>

enum { LAYERS_MAX = 12, CLASSES_MAX = 1000 };

struct shape {
    const char *profile;
    uint32_t height, width, channels; /* of the image */
    uint32_t stem;                    /* channels between the stem's two convolutions */
    uint32_t d, layers, heads, hidden;
    uint32_t classes;
    uint32_t key_dim, label_dim, writer_hidden, token_dim;
};

/* Returns 0, or MK_EINPUT when there is no such profile or no such number of classes. */
int shape_of_profile(const char *profile, uint32_t classes, struct shape *ret_shape);

/* Image tokens T, after two convolutions of stride 2. */
size_t shape_tokens(const struct shape *shape);

#endif

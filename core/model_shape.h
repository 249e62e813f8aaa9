/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes of a model, in the words of docs/MODEL.md.
 *
 *     struct shape shape;
 *     shape_of_profile("F", 10, &shape);      28x28x1, T = 49, d = 128, L = 4, H = 4
 *     shape.layers = 6;
 *     rc = shape_check(&shape);               whether there can be such a model
 */
#ifndef MUNKEY_CORE_MODEL_SHAPE_H
#define MUNKEY_CORE_MODEL_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LAYERS_MAX = 12, STEM_MAX = 4, TOKENS_MAX = 1024 };

/* A convolution of the stem: 3x3, padded with zeros. */
struct conv {
    uint32_t channels, stride; /* out; 1 or 2 */
};

struct shape {
    const char *profile;
    uint32_t height, width, channels; /* of the image */
    uint32_t convs;                   /* of the stem; the last has d channels */
    struct conv stem[STEM_MAX];
    uint32_t d, layers, heads, hidden;
    uint32_t classes;
    uint32_t key_dim, label_dim, writer_hidden, token_dim;
    uint32_t
        own_tokens;   /* 0: tokens are written; else instances with a learnt one each */
    uint32_t embed;   /* width of enc(x) of an encoder of another family; 0: d */
    bool symmetric;   /* every pass is a sequence of its own whose rows see each other */
    bool inverted;    /* white is 0, for drawings on paper; otherwise black is */
    bool open_labels; /* labels have codes; classes are those that are built in */
};

/* The sizes that a profile suggests.  MK_EINPUT when there is no such profile. */
int shape_of_profile(const char *profile, uint32_t classes, struct shape *ret_shape);

/* MK_EINPUT with what a size has to be. */
int shape_check(const struct shape *shape);

/* Sizes by name: "height", "layers", ...; NULL when i is beyond the last. */
const char *shape_dimension_name(size_t i);
uint32_t *shape_dimension(struct shape *shape, size_t i);

/* The stem as text: channels of each convolution but the last, which has d channels and stride
 * 2; "/1" marks a stride of 1, as in "32/1,64".  Parsing needs d.  MK_EINPUT. */
enum { STEM_TEXT_SIZE = 64 };
void shape_stem_text(const struct shape *shape, char ret_text[static STEM_TEXT_SIZE]);
int shape_stem_parse(struct shape *shape, const char *text);

/* What convolution i of the stem reads; i = convs: the image tokens. */
struct plane {
    size_t height, width, channels;
};
struct plane shape_plane(const struct shape *shape, size_t i);

/* Numbers of a readout: a logit for each class, or, of open labels, what codes are asked. */
size_t shape_outputs(const struct shape *shape);

/* Width of enc(x). */
uint32_t shape_embedding(const struct shape *shape);

/* Image tokens T. */
size_t shape_tokens(const struct shape *shape);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes of a model: the profiles. */
#include "core/model_shape.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/key.h"
#include "core/label_code.h"

static const struct shape profiles[] = {
    {
        .profile = "F",
        .height = 28,
        .width = 28,
        .channels = 1,
        .convs = 2,
        .stem = {{32, 2}, {128, 2}},
        .d = 128,
        .layers = 4,
        .heads = 4,
        .hidden = 256,
        .key_dim = 128,
        .label_dim = 64,
        .writer_hidden = 256,
        .token_dim = 128,
    },
    {
        .profile = "C",
        .height = 32,
        .width = 32,
        .channels = 3,
        .convs = 3,
        .stem = {{32, 1}, {64, 2}, {128, 2}},
        .d = 128,
        .layers = 6,
        .heads = 4,
        .hidden = 256,
        .key_dim = 128,
        .label_dim = 64,
        .writer_hidden = 256,
        .token_dim = 128,
    },
    {
        .profile = "T",
        .height = 28,
        .width = 28,
        .channels = 1,
        .convs = 2,
        .stem = {{16, 2}, {32, 2}},
        .d = 32,
        .layers = 2,
        .heads = 2,
        .hidden = 64,
        .key_dim = 32,
        .label_dim = 16,
        .writer_hidden = 64,
        .token_dim = 32,
    },
};

int shape_of_profile(const char *profile, uint32_t classes, struct shape *ret_shape)
{
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++)
        if (strcmp(profiles[i].profile, profile) == 0) {
            *ret_shape = profiles[i];
            ret_shape->classes = classes;
            return 0;
        }
    return fail(MK_EINPUT, "there is no profile \"%.16s\": use F, C or T", profile);
}

static const struct size {
    const char *name;
    size_t at;
    uint32_t least, most;
} sizes[] = {
#define SIZE(name, least, most)                                                          \
    {                                                                                    \
#name, offsetof(struct shape, name), least, most                                 \
    }
    SIZE(height, 4, 1024),         SIZE(width, 4, 1024),
    SIZE(channels, 1, 3),          SIZE(d, 8, 1024),
    SIZE(layers, 1, LAYERS_MAX),   SIZE(heads, 1, 32),
    SIZE(hidden, 8, 4096),         SIZE(classes, 2, CLASSES_MAX),
    SIZE(key_dim, 8, KEY_DIM_MAX), SIZE(label_dim, 8, 1024),
    SIZE(writer_hidden, 8, 4096),  SIZE(token_dim, 8, 1024),
#undef SIZE
};
enum { SIZES = sizeof sizes / sizeof *sizes };

const char *shape_dimension_name(size_t i)
{
    return i < SIZES ? sizes[i].name : NULL;
}

uint32_t *shape_dimension(struct shape *shape, size_t i)
{
    return (uint32_t *)((char *)shape + sizes[i].at);
}

int shape_check(const struct shape *shape)
{
    for (size_t i = 0; i < SIZES; i++) {
        uint32_t size = *shape_dimension((struct shape *)shape, i);
        if (size < sizes[i].least || size > sizes[i].most)
            return fail(MK_EINPUT, "\"%s\" is a number from %u to %u, not %u",
                        sizes[i].name, sizes[i].least, sizes[i].most, size);
    }
    if (shape->channels == 2)
        return fail(MK_EINPUT, "\"channels\" is 1 or 3");
    if (shape->d % shape->heads)
        return fail(MK_EINPUT, "\"d\" is a multiple of \"heads\", and %u is not of %u",
                    shape->d, shape->heads);
    if (shape->open_labels && shape->label_dim != LABEL_CODE_DIM)
        return fail(MK_EINPUT, "\"label_dim\" of open labels is %d, not %u",
                    LABEL_CODE_DIM, shape->label_dim);
    if (shape->open_labels && shape->own_tokens > 0)
        return fail(MK_EINPUT, "open labels need tokens that are written, not \"free\"");
    if (shape->key_dim > shape_embedding(shape))
        return fail(MK_EINPUT, "\"key_dim\" is at most \"d\" of the encoder, %u",
                    shape_embedding(shape));
    if (shape_tokens(shape) > TOKENS_MAX)
        return fail(MK_EINPUT,
                    "%zu image tokens, and there may be %d: take smaller images, or "
                    "another convolution in \"stem\"",
                    shape_tokens(shape), TOKENS_MAX);
    return 0;
}

void shape_stem_text(const struct shape *shape, char ret_text[static STEM_TEXT_SIZE])
{
    size_t at = 0;
    for (size_t i = 0; i + 1 < shape->convs; i++)
        at += (size_t)snprintf(ret_text + at, STEM_TEXT_SIZE - at, "%s%u%s",
                               i > 0 ? "," : "", shape->stem[i].channels,
                               shape->stem[i].stride == 1 ? "/1" : "");
}

int shape_stem_parse(struct shape *shape, const char *text)
{
    size_t n = 0;
    for (bool more = true; more; n++) {
        char *end;
        unsigned long channels = strtoul(text, &end, 10);
        bool slow = strncmp(end, "/1", 2) == 0;
        end += slow ? 2 : 0;
        more = *end == ',';
        if (*text < '1' || *text > '9' || (*end && !more) || channels > 1024 ||
            n + 2 > STEM_MAX)
            return fail(MK_EINPUT,
                        "\"stem\" is 1 to %d numbers of channels, such as 32 or 32/1,64",
                        STEM_MAX - 1);
        shape->stem[n] = (struct conv){(uint32_t)channels, slow ? 1 : 2};
        text = end + 1;
    }
    shape->stem[n] = (struct conv){shape->d, 2};
    shape->convs = (uint32_t)n + 1;
    return 0;
}

struct plane shape_plane(const struct shape *shape, size_t i)
{
    struct plane plane = {shape->height, shape->width, shape->channels};
    for (size_t j = 0; j < i; j++) {
        uint32_t stride = shape->stem[j].stride;
        plane.height = (plane.height + stride - 1) / stride;
        plane.width = (plane.width + stride - 1) / stride;
        plane.channels = shape->stem[j].channels;
    }
    return plane;
}

size_t shape_outputs(const struct shape *shape)
{
    return shape->open_labels ? LABEL_CODE_DIM : shape->classes;
}

uint32_t shape_embedding(const struct shape *shape)
{
    return shape->embed > 0 ? shape->embed : shape->d;
}

size_t shape_tokens(const struct shape *shape)
{
    struct plane plane = shape_plane(shape, shape->convs);
    return plane.height * plane.width;
}

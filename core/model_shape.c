/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes of a model: the profiles. */
#include "core/model_shape.h"

#include <string.h>

#include "core/err.h"

static const struct shape profiles[] = {
    {
        .profile = "F",
        .height = 28,
        .width = 28,
        .channels = 1,
        .stem = 32,
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
        .profile = "T",
        .height = 28,
        .width = 28,
        .channels = 1,
        .stem = 16,
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
    if (classes < 2 || classes > CLASSES_MAX)
        return fail(MK_EINPUT, "a model tells 2 to %d classes apart, not %u", CLASSES_MAX,
                    classes);
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++)
        if (strcmp(profiles[i].profile, profile) == 0) {
            *ret_shape = profiles[i];
            ret_shape->classes = classes;
            return 0;
        }
    return fail(MK_EINPUT, "there is no profile \"%.16s\": use F or T", profile);
}

size_t shape_tokens(const struct shape *shape)
{
    return (size_t)((shape->height + 1) / 2 + 1) / 2 * (((shape->width + 1) / 2 + 1) / 2);
}

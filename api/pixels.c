/* SPDX-License-Identifier: Apache-2.0 */
/* Decoded pixels to the model's input: channels, then size. */
#include "api/image.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

void image_done(struct image *image)
{
    if (image->pixels)
        explicit_bzero(image->pixels,
                       (size_t)image->height * image->width * image->channels);
    free(image->pixels);
    *image = (struct image){0};
}

/* ITU-R BT.601-7, 2.5.1: "E'Y = 0.299 E'R + 0.587 E'G + 0.114 E'B", rounded half up. */
static uint8_t luma(const uint8_t *rgb)
{
    return (uint8_t)((299u * rgb[0] + 587u * rgb[1] + 114u * rgb[2] + 500u) / 1000u);
}

/* One channel of the pixel at p, as the model sees it. */
static uint8_t sample(const uint8_t *p, uint32_t have, uint32_t want, uint32_t channel)
{
    return have == want ? p[channel] : have == 1 ? p[0] : luma(p);
}

/* Where output i of `out` reads in a line of `in` pixels, centres aligned: pixels at and
 * after the position, and the weight of the second in 1/65536. */
struct tap {
    uint32_t first, second, weight;
};

static struct tap tap_of(uint32_t i, uint32_t in, uint32_t out)
{
    /* (i + 1/2) in / out - 1/2, in 1/65536 */
    int64_t at = (((2 * (int64_t)i + 1) * in << 16) / out - (1 << 16)) / 2;
    int64_t last = (int64_t)(in - 1) << 16;
    at = at < 0 ? 0 : at > last ? last : at;
    uint32_t first = (uint32_t)(at >> 16);
    return (struct tap){first, first + 1 < in ? first + 1 : first,
                        (uint32_t)(at & 0xffff)};
}

static uint8_t mix(const struct image *image, struct tap y, struct tap x, uint32_t want,
                   uint32_t channel)
{
    const uint8_t *p = image->pixels;
    size_t row = (size_t)image->width, step = image->channels;
    uint64_t v[2], rows[2] = {y.first * row, y.second * row};
    for (int i = 0; i < 2; i++) {
        uint64_t a =
            sample(p + (rows[i] + x.first) * step, image->channels, want, channel);
        uint64_t b =
            sample(p + (rows[i] + x.second) * step, image->channels, want, channel);
        v[i] = a * (65536 - x.weight) + b * x.weight;
    }
    return (uint8_t)((v[0] * (65536 - y.weight) + v[1] * y.weight + (1ull << 31)) >> 32);
}

int image_fit(const struct image *image, const struct shape *shape, uint8_t *ret_pixels)
{
    bool same = image->height == shape->height && image->width == shape->width;
    if (!same && !shape->resize)
        return fail(
            MK_EUNPROCESSABLE,
            "the image has %u x %u pixels (height x width), the model reads %u x %u",
            image->height, image->width, shape->height, shape->width);
    for (uint32_t i = 0; i < shape->height; i++) {
        struct tap y = tap_of(i, image->height, shape->height);
        for (uint32_t j = 0; j < shape->width; j++) {
            struct tap x = tap_of(j, image->width, shape->width);
            for (uint32_t c = 0; c < shape->channels; c++)
                *ret_pixels++ = mix(image, y, x, shape->channels, c);
        }
    }
    return 0;
}

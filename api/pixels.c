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

/* A side of the picture and of the result.  Cell i reads pixels by a triangle around its centre
 * that is as wide as the reduction: a narrower one steps over thin lines. */
struct side {
    uint32_t in, out;
};

struct window {
    uint32_t begin, end;
};

static int64_t reach(struct side s)
{
    return 2 * (int64_t)(s.in > s.out ? s.in : s.out);
}

/* Of pixel j, in 1 / (2 out) of a pixel's width. */
static uint64_t weight(struct side s, uint32_t i, uint32_t j)
{
    int64_t apart = llabs((2 * (int64_t)i + 1) * s.in - (2 * (int64_t)j + 1) * s.out);
    return apart < reach(s) ? (uint64_t)(reach(s) - apart) : 0;
}

/* All pixels whose weight is more than 0, and perhaps one more on each side. */
static struct window window_of(struct side s, uint32_t i)
{
    int64_t centre = (2 * (int64_t)i + 1) * s.in;
    int64_t begin = (centre - reach(s)) / (2 * (int64_t)s.out);
    int64_t end = (centre + reach(s)) / (2 * (int64_t)s.out) + 1;
    return (struct window){begin < 0 ? 0 : (uint32_t)begin,
                           end > s.in ? s.in : (uint32_t)end};
}

/* Row y as cell j of the result reads it, in 1/65536. */
static uint64_t blend(const struct image *image, uint32_t y, struct side across,
                      uint32_t j, uint32_t want, uint32_t channel)
{
    struct window x = window_of(across, j);
    const uint8_t *row = image->pixels + (size_t)y * image->width * image->channels;
    uint64_t sum = 0, all = 0;
    for (uint32_t i = x.begin; i < x.end; i++) {
        uint64_t w = weight(across, j, i);
        sum +=
            w * sample(row + (size_t)i * image->channels, image->channels, want, channel);
        all += w;
    }
    return (sum << 16) / all;
}

static uint8_t cell(const struct image *image, struct side down, uint32_t i,
                    struct side across, uint32_t j, uint32_t want, uint32_t channel)
{
    struct window y = window_of(down, i);
    uint64_t sum = 0, all = 0;
    for (uint32_t row = y.begin; row < y.end; row++) {
        uint64_t w = weight(down, i, row);
        sum += w ? w * blend(image, row, across, j, want, channel) : 0;
        all += w;
    }
    return (uint8_t)((sum / all + (1 << 15)) >> 16);
}

int image_fit(const struct image *image, const struct shape *shape, uint8_t *ret_pixels)
{
    bool same = image->height == shape->height && image->width == shape->width;
    if (!same && !shape->resize)
        return fail(
            MK_EUNPROCESSABLE,
            "the image has %u x %u pixels (height x width), the model reads %u x %u",
            image->height, image->width, shape->height, shape->width);
    struct side down = {image->height, shape->height},
                across = {image->width, shape->width};
    for (uint32_t i = 0; i < shape->height; i++)
        for (uint32_t j = 0; j < shape->width; j++)
            for (uint32_t c = 0; c < shape->channels; c++)
                *ret_pixels++ = cell(image, down, i, across, j, shape->channels, c);
    return 0;
}

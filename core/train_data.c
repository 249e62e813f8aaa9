/* SPDX-License-Identifier: Apache-2.0 */
/* Training images: which come next, and how they are changed. */
#include "core/train_data.h"

#include <stdlib.h>
#include <string.h>

struct stream {
    struct row_range range;
    uint64_t seed, salt;
    size_t epoch;     /* whose order stands in order */
    uint32_t order[]; /* (rows of the range) */
};

const uint8_t *images_at(const struct images *images, size_t row)
{
    return images->pixels + row * images->height * images->width * images->channels;
}

struct stream *stream_new(struct row_range range, uint64_t seed, uint64_t salt)
{
    struct stream *s =
        calloc(1, sizeof *s + (range.end - range.begin) * sizeof *s->order);
    if (!s)
        return NULL;
    s->range = range;
    s->seed = seed;
    s->salt = salt;
    s->epoch = SIZE_MAX;
    return s;
}

uint32_t stream_at(struct stream *s, size_t position)
{
    size_t n = s->range.end - s->range.begin, epoch = position / n;
    if (epoch != s->epoch) {
        struct rng rng = rng_at(s->seed, RNG_ORDER, s->salt, epoch);
        rng_permutation(&rng, s->order, (uint32_t)n);
        s->epoch = epoch;
    }
    return (uint32_t)s->range.begin + s->order[position % n];
}

void stream_free(struct stream *s)
{
    free(s);
}

void augment(const struct images *images, size_t row, struct rng *rng,
             uint8_t *ret_pixels)
{
    const uint8_t *from = images_at(images, row);
    size_t height = images->height, width = images->width, channels = images->channels;
    size_t down = rng_below(rng, 5), right = rng_below(rng, 5); /* 2 is no move */
    bool flip = rng_below(rng, 2);
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++, ret_pixels += channels) {
            size_t row_in = y + down - 2, column = (flip ? width - 1 - x : x) + right - 2;
            if (row_in < height && column < width)
                memcpy(ret_pixels, from + (row_in * width + column) * channels, channels);
            else
                memset(ret_pixels, 0, channels);
        }
}

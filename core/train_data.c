/* SPDX-License-Identifier: Apache-2.0 */
/* Training images: which come next, and how they are changed. */
#include "core/train_data.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

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

int images_fit(const struct images *images, const struct shape *shape)
{
    if (images->height != shape->height || images->width != shape->width ||
        images->channels != shape->channels)
        return fail(MK_EINPUT, "the model takes images of %ux%ux%u, not %ux%ux%u",
                    shape->height, shape->width, shape->channels, images->height,
                    images->width, images->channels);
    return 0;
}

int images_check(const struct images *images, struct row_list rows,
                 const struct shape *shape)
{
    int rc = images_fit(images, shape);
    if (rc < 0)
        return rc;
    if (rows.n == 0)
        return fail(MK_EINPUT, "there is no row to learn from");
    for (size_t i = 0; i < rows.n; i++) {
        uint32_t row = rows.row[i];
        if (row >= images->n)
            return fail(MK_EINPUT, "row %u: the images have rows 0 to %zu", row,
                        images->n);
        if (images->labels[row] >= shape->classes)
            return fail(MK_EINPUT, "row %u has label %u, but there are %u classes", row,
                        images->labels[row], shape->classes);
    }
    return 0;
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

void stream_rows(struct stream *s, struct row_list rows, size_t step, size_t batch,
                 uint32_t *ret_rows)
{
    for (size_t i = 0; i < batch; i++)
        ret_rows[i] = rows.row[stream_at(s, step * batch + i)];
}

void augment(const struct images *images, size_t row, bool upright, struct rng *rng,
             uint8_t *ret_pixels)
{
    const uint8_t *from = images_at(images, row);
    size_t height = images->height, width = images->width, channels = images->channels;
    size_t down = rng_below(rng, 5), right = rng_below(rng, 5); /* 2 is no move */
    bool flip = rng_below(rng, 2) && !upright;
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++, ret_pixels += channels) {
            size_t row_in = y + down - 2, column = (flip ? width - 1 - x : x) + right - 2;
            if (row_in < height && column < width)
                memcpy(ret_pixels, from + (row_in * width + column) * channels, channels);
            else
                memset(ret_pixels, 0, channels);
        }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Training images: which come next, and how they are changed.
 *
 *     struct stream *s = stream_new(range, seed, salt);
 *     row = stream_at(s, position);            every row once in an epoch, shuffled
 *     augment(&images, row, &rng, pixels);     random crop and flip
 */
#ifndef MUNKEY_CORE_TRAIN_DATA_H
#define MUNKEY_CORE_TRAIN_DATA_H

#include "core/model.h"
#include "core/rng.h"

/* Labelled images in RAM, borrowed. */
struct images {
    size_t n;
    uint32_t height, width, channels;
    const uint8_t *pixels;  /* (n, height, width, channels) */
    const uint32_t *labels; /* (n) */
};

const uint8_t *images_at(const struct images *images, size_t row);

struct stream;
struct stream *stream_new(struct row_range range, uint64_t seed, uint64_t salt);
uint32_t stream_at(struct stream *s, size_t position);
void stream_free(struct stream *s);

/* Moves the image by up to 2 pixels each way, filling with 0, and flips every second one.
 */
void augment(const struct images *images, size_t row, struct rng *rng,
             uint8_t *ret_pixels);

#endif

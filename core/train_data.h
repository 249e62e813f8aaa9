/* SPDX-License-Identifier: Apache-2.0 */
/* Training images: which come next, and how they are changed.
 *
 *     struct stream *s = stream_new(range, seed, salt);
 *     row = stream_at(s, position);            every row once in an epoch, shuffled
 *     images_check(&images, rows, &shape);     whether a net of that shape can learn from them
 *     augment(&images, row, false, &rng, pixels);   random crop and flip
 */
#ifndef MUNKEY_CORE_TRAIN_DATA_H
#define MUNKEY_CORE_TRAIN_DATA_H

#include "core/model.h"
#include "core/model_shape.h"
#include "core/rng.h"

/* Labelled images in RAM, borrowed. */
struct images {
    size_t n;
    uint32_t height, width, channels;
    const uint8_t *pixels;  /* (n, height, width, channels) */
    const uint32_t *labels; /* (n) */
};

const uint8_t *images_at(const struct images *images, size_t row);

/* Rows of the images; borrowed. */
struct row_list {
    const uint32_t *row; /* (n) */
    size_t n;
};

/* MK_EINPUT when the images have another size than shape says; ... */
int images_fit(const struct images *images, const struct shape *shape);

/* ... or there is no row, one is none of the images, or its label none of the classes. */
int images_check(const struct images *images, struct row_list rows,
                 const struct shape *shape);

struct stream;
struct stream *stream_new(struct row_range range, uint64_t seed, uint64_t salt);
uint32_t stream_at(struct stream *s, size_t position);
void stream_free(struct stream *s);

/* The rows of one step: stream is of [0, rows.n).  ret_rows: (batch). */
void stream_rows(struct stream *s, struct row_list rows, size_t step, size_t batch,
                 uint32_t *ret_rows);

/* Moves the image by up to 2 pixels each way, filling with 0, and flips every second one,
 * unless it has to stay upright. */
void augment(const struct images *images, size_t row, bool upright, struct rng *rng,
             uint8_t *ret_pixels);

#endif

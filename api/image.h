/* SPDX-License-Identifier: Apache-2.0 */
/* Images on their way in: from PNG, JPEG or raw bytes to the model's input.
 *
 *     uint8_t pixels[shape.height * shape.width * shape.channels];
 *     rc = image_read("image/png", bytes, len, &shape, pixels);
 *
 * Dimensions are checked before anything is decoded.
 */
#ifndef MUNKEY_API_IMAGE_H
#define MUNKEY_API_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the model reads, and how large an image may be before it is decoded. */
struct shape {
    uint32_t height, width, channels; /* channels: 1 or 3 */
    bool resize;       /* other sizes are resized; else MK_EUNPROCESSABLE */
    uint32_t side_max; /* pixels */
    size_t pixels_max;
};

/* ret_pixels: (height, width, channels) uint8.  media: image/png, image/jpeg, or
 * application/octet-stream, which is raw pixels.  MK_EINPUT: not that format, or damaged;
 * MK_ETOOBIG: dimensions over the limit; MK_EUNPROCESSABLE: another size than the
 * model's. */
int image_read(const char *media, const uint8_t *bytes, size_t len,
               const struct shape *shape, uint8_t *ret_pixels);

/* A decoded image: (height, width, channels) uint8, channels 1 or 3. */
struct image {
    uint32_t height, width, channels;
    uint8_t *pixels; /* owned */
};
void image_done(struct image *image); /* wipes */

/* To the model's size and channels (api/pixels.c): luma of BT.601, gray repeated,
 * bilinear, and a triangle as wide as the reduction when that makes it smaller. */
int image_fit(const struct image *image, const struct shape *shape, uint8_t *ret_pixels);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A picture as a Vision Transformer wants it: resized as Pillow does, scaled, normalised.
 *
 *     struct vit_pixels *p = vit_pixels_new(&config, 480, 640, 3);
 *     vit_pixels_run(p, bytes, x);               (channels, image, image) floats
 *     vit_pixels_free(p);
 */
#ifndef MUNKEY_CORE_VIT_PIXELS_H
#define MUNKEY_CORE_VIT_PIXELS_H

#include "core/vit_config.h"

/* MK_EINPUT when such pictures cannot be taken: colour where there is one channel, or
 * another size where config says that none is resized. */
int vit_pixels_check(const struct vit_config *config, size_t height, size_t width,
                     size_t channels);

struct vit_pixels;
struct vit_pixels *vit_pixels_new(const struct vit_config *config, size_t height,
                                  size_t width, size_t channels);
void vit_pixels_wipe(struct vit_pixels *p);
void vit_pixels_free(struct vit_pixels *p); /* wipes first */

/* pixels: (height, width, channels).  A gray picture fills all channels. */
void vit_pixels_run(struct vit_pixels *p, const uint8_t *pixels, float *ret_x);

#endif

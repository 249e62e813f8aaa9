/* SPDX-License-Identifier: Apache-2.0 */
/* The stem: two 3x3 convolutions of stride 2, as products of gathered patches.
 *
 *     stem_gather(x, height, width, channels, cols);
 *     cols                            (T1, 9 channels): one row an output pixel
 */
#ifndef MUNKEY_CORE_MODEL_STEM_H
#define MUNKEY_CORE_MODEL_STEM_H

#include "core/linalg.h"

/* Output size of one side. */
static inline size_t stem_half(size_t side)
{
    return (side + 1) / 2;
}

/* x: (height, width, channels), zero outside.  cols: (half height, half width, 9
 * channels). */
void stem_gather(const real *x, size_t height, size_t width, size_t channels, real *cols);

/* The transpose: adds every cell of cols to the cell of x that it came from. */
void stem_scatter(const real *cols, size_t height, size_t width, size_t channels,
                  real *x);

#endif

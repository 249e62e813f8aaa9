/* SPDX-License-Identifier: Apache-2.0 */
/* The stem: gathers the 3x3 patches of a convolution with padding 1. */
#include "core/model_stem.h"

#include <stdbool.h>
#include <string.h>

/* Where cell i of the patch around (y, x) lies; false when outside the plane. */
static bool cell(struct plane plane, size_t y, size_t x, size_t i, size_t *ret_at)
{
    size_t row = y + i / 3, column = x + i % 3; /* one too large: the padding */
    *ret_at = ((row - 1) * plane.width + column - 1) * plane.channels;
    return row >= 1 && row <= plane.height && column >= 1 && column <= plane.width;
}

void stem_gather(const real *x, struct plane plane, size_t stride, real *cols)
{
    size_t at, channels = plane.channels;
    for (size_t row = 0; row < plane.height; row += stride)
        for (size_t column = 0; column < plane.width; column += stride)
            for (size_t i = 0; i < 9; i++, cols += channels)
                if (cell(plane, row, column, i, &at))
                    memcpy(cols, x + at, channels * sizeof *x);
                else
                    memset(cols, 0, channels * sizeof *x);
}

void stem_scatter(const real *cols, struct plane plane, size_t stride, real *x)
{
    size_t at, channels = plane.channels;
    for (size_t row = 0; row < plane.height; row += stride)
        for (size_t column = 0; column < plane.width; column += stride)
            for (size_t i = 0; i < 9; i++, cols += channels)
                if (cell(plane, row, column, i, &at))
                    linalg_axpy(1, cols, x + at, channels);
}

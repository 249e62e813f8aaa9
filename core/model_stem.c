/* SPDX-License-Identifier: Apache-2.0 */
/* The stem: gathers the 3x3 patches of a convolution of stride 2 and padding 1. */
#include "core/model_stem.h"

#include <stdbool.h>
#include <string.h>

/* Where cell (ky, kx) of the patch at (y, x) lies; false when outside the image. */
static bool cell(size_t y, size_t x, size_t ky, size_t kx, size_t height, size_t width,
                 size_t *ret_at)
{
    size_t row = 2 * y + ky, column = 2 * x + kx; /* one too large: the padding */
    *ret_at = (row - 1) * width + column - 1;
    return row >= 1 && row <= height && column >= 1 && column <= width;
}

static void gather_patch(const real *x, size_t height, size_t width, size_t channels,
                         size_t row, size_t column, real *patch)
{
    size_t at;
    for (size_t i = 0; i < 9; i++, patch += channels)
        if (cell(row, column, i / 3, i % 3, height, width, &at))
            memcpy(patch, x + at * channels, channels * sizeof *x);
        else
            memset(patch, 0, channels * sizeof *x);
}

void stem_gather(const real *x, size_t height, size_t width, size_t channels, real *cols)
{
    for (size_t row = 0; row < stem_half(height); row++)
        for (size_t column = 0; column < stem_half(width); column++, cols += 9 * channels)
            gather_patch(x, height, width, channels, row, column, cols);
}

static void scatter_patch(const real *patch, size_t height, size_t width, size_t channels,
                          size_t row, size_t column, real *x)
{
    size_t at;
    for (size_t i = 0; i < 9; i++, patch += channels)
        if (cell(row, column, i / 3, i % 3, height, width, &at))
            for (size_t c = 0; c < channels; c++)
                x[at * channels + c] += patch[c];
}

void stem_scatter(const real *cols, size_t height, size_t width, size_t channels, real *x)
{
    for (size_t row = 0; row < stem_half(height); row++)
        for (size_t column = 0; column < stem_half(width); column++, cols += 9 * channels)
            scatter_patch(cols, height, width, channels, row, column, x);
}

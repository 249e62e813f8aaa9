/* SPDX-License-Identifier: Apache-2.0 */
/* The stem: 3x3 convolutions of stride 1 or 2, as products of gathered patches.
 *
 *     stem_gather(x, plane, stride, cols);
 *     cols                            (T1, 9 channels): one row an output pixel
 */
#ifndef MUNKEY_CORE_MODEL_STEM_H
#define MUNKEY_CORE_MODEL_STEM_H

#include "core/linalg.h"
#include "core/model_shape.h"

/* x: the plane, zero outside.  cols: (height / stride, width / stride, 9 channels), the sides
 * rounded up. */
void stem_gather(const real *x, struct plane plane, size_t stride, real *cols);

/* The transpose: adds every cell of cols to the cell of x that it came from. */
void stem_scatter(const real *cols, struct plane plane, size_t stride, real *x);

#endif

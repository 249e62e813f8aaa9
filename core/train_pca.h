/* SPDX-License-Identifier: Apache-2.0 */
/* Principal components of the encoder's outputs: the P of "key = int8(normalise(P
 * enc(x)))".
 *
 *     pca_fit(z, 15000, 128, 128, mean, matrix);
 */
#ifndef MUNKEY_CORE_TRAIN_PCA_H
#define MUNKEY_CORE_TRAIN_PCA_H

#include <stddef.h>

/* z: (rows, d).  ret_mean: (d).  ret_matrix: (d, n): the n <= d directions of the largest
 * variance, one a column, not whitened.  Returns 0 or MK_ENOMEM. */
int pca_fit(const float *z, size_t rows, size_t d, size_t n, float *ret_mean,
            float *ret_matrix);

/* Jacobi's method: a (d, d), symmetric, becomes diagonal, and the columns of v (d, d) its
 * eigenvectors. */
void pca_diagonalise(double *a, size_t d, double *ret_v);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Principal components, by Jacobi's rotations: slow beside LAPACK, but for a matrix of
 * 128 by 128, once a training run, it need not be fast. */
#include "core/train_pca.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"

/* Rotates rows or columns p and q of x; step: between the elements of one of them. */
static void rotate(double *p, double *q, size_t n, size_t step, double c, double s)
{
    for (size_t i = 0; i < n; i++, p += step, q += step) {
        double x = *p, y = *q;
        *p = c * x - s * y;
        *q = s * x + c * y;
    }
}

/* Makes a[p][q] zero. */
static void annihilate(double *a, size_t d, size_t p, size_t q, double *v)
{
    double apq = a[p * d + q];
    if (apq == 0)
        return;
    double theta = (a[q * d + q] - a[p * d + p]) / (2 * apq);
    double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1));
    double c = 1 / sqrt(t * t + 1), s = t * c;
    rotate(a + p * d, a + q * d, d, 1, c, s);
    rotate(a + p, a + q, d, d, c, s);
    rotate(v + p, v + q, d, d, c, s);
}

static double off_diagonal(const double *a, size_t d)
{
    double sum = 0;
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < i; j++)
            sum += a[i * d + j] * a[i * d + j];
    return sum;
}

void pca_diagonalise(double *a, size_t d, double *ret_v)
{
    double trace = 0;
    memset(ret_v, 0, d * d * sizeof *ret_v);
    for (size_t i = 0; i < d; i++) {
        ret_v[i * d + i] = 1;
        trace += a[i * d + i] * a[i * d + i];
    }
    for (int sweep = 0; sweep < 30 && off_diagonal(a, d) > 1e-24 * trace; sweep++)
        for (size_t p = 0; p < d; p++)
            for (size_t q = p + 1; q < d; q++)
                annihilate(a, d, p, q, ret_v);
}

static void centre(const float *z, size_t rows, size_t d, double *mean)
{
    memset(mean, 0, d * sizeof *mean);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < d; j++)
            mean[j] += z[i * d + j] / (double)rows;
}

static void covariance(const float *z, size_t rows, size_t d, const double *mean,
                       double *a)
{
    double row[d];
    memset(a, 0, d * d * sizeof *a);
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < d; j++)
            row[j] = z[i * d + j] - mean[j];
        for (size_t j = 0; j < d; j++)
            for (size_t k = 0; k < d; k++)
                a[j * d + k] += row[j] * row[k];
    }
}

/* Column of the largest eigenvalue that is not taken yet. */
static size_t largest(const double *a, size_t d, const char *taken)
{
    size_t best = d;
    for (size_t i = 0; i < d; i++)
        if (!taken[i] && (best == d || a[i * d + i] > a[best * d + best]))
            best = i;
    return best;
}

int pca_fit(const float *z, size_t rows, size_t d, size_t n, float *ret_mean,
            float *ret_matrix)
{
    double *a = calloc(2 * d * d + d, sizeof *a), *v = a + d * d, *mean = v + d * d;
    if (!a)
        return fail(MK_ENOMEM, "no memory for principal components");
    centre(z, rows, d, mean);
    covariance(z, rows, d, mean, a);
    pca_diagonalise(a, d, v);
    char taken[d];
    memset(taken, 0, d);
    for (size_t i = 0; i < d; i++)
        ret_mean[i] = (float)mean[i];
    for (size_t column = 0; column < n; column++) {
        size_t best = largest(a, d, taken);
        taken[best] = 1;
        for (size_t i = 0; i < d; i++)
            ret_matrix[i * n + column] = (float)v[i * d + best];
    }
    free(a);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Matrices in row-major order, and the few row-wise functions that a transformer needs.
 *
 *     linalg_linear(x, rows, in, w, b, out, y);                 y = x w + b
 *     linalg_layer_norm(y, rows, out, gain, bias, z, stats);
 *     linalg_linear_weights(x, dy, rows, in, out, dw, db);      the way back
 *     linalg_linear_input(dy, rows, in, out, w, 0, dx);
 *
 * One BLAS thread: callers spread images over threads themselves, so that the order of
 * every sum depends on shapes alone.  Built with LINALG_DOUBLE everything is in double,
 * for the tests that compare gradients with central differences.
 */
#ifndef MUNKEY_CORE_LINALG_H
#define MUNKEY_CORE_LINALG_H

#include <stddef.h>

#ifdef LINALG_DOUBLE
typedef double real;
#else
typedef float real;
#endif

/* c (m, n) = alpha a b + beta c, where a is (m, k) and b is (k, n); `t` marks an operand
 * that is stored transposed; ld is the distance between rows. */
void linalg_nn(size_t m, size_t n, size_t k, real alpha, const real *a, size_t lda,
               const real *b, size_t ldb, real beta, real *c, size_t ldc);
void linalg_nt(size_t m, size_t n, size_t k, real alpha, const real *a, size_t lda,
               const real *b, size_t ldb, real beta, real *c, size_t ldc);
void linalg_tn(size_t m, size_t n, size_t k, real alpha, const real *a, size_t lda,
               const real *b, size_t ldb, real beta, real *c, size_t ldc);

/* BLAS copies operands into buffers of its own and leaves them there.  linalg_scrub()
 * waits until nobody is between enter and leave, and overwrites what products of up to
 * (m, k) by (k, n) that were computed between them have left, on all threads. */
void linalg_enter(void);
void linalg_leave(void);
void linalg_scrub(size_t m, size_t n, size_t k);

/* y (rows, out) = x (rows, in) w (in, out) + b (out); or y is x w + b + skip (rows, out).
 */
void linalg_linear(const real *x, size_t rows, size_t in, const real *w, const real *b,
                   size_t out, real *y);
void linalg_linear_skip(const real *x, size_t rows, size_t in, const real *w,
                        const real *b, size_t out, const real *skip, real *y);

/* Backward: dw += x^T dy and db += the sum of dy's rows; dx = dy w^T + beta dx. */
void linalg_linear_weights(const real *x, const real *dy, size_t rows, size_t in,
                           size_t out, real *dw, real *db);
void linalg_linear_input(const real *dy, size_t rows, size_t in, size_t out,
                         const real *w, real beta, real *dx);

real linalg_dot(const real *a, const real *b, size_t n);
void linalg_axpy(real alpha, const real *x, real *y, size_t n); /* y += alpha x */

/* Each row to mean 0 and variance 1, times gain, plus bias.  stats: (rows, 2), the mean
 * and the reciprocal deviation, which the backward pass reads. */
void linalg_layer_norm(const real *x, size_t rows, size_t n, const real *gain,
                       const real *bias, real *y, real *stats);

/* ... with another number than 1e-5 added to the variance; no statistics are kept. */
void linalg_layer_norm_eps(const real *x, size_t rows, size_t n, const real *gain,
                           const real *bias, double eps, real *y);

/* dx, dgain and dbias are added to. */
void linalg_layer_norm_backward(const real *dy, const real *x, const real *stats,
                                size_t rows, size_t n, const real *gain, real *dx,
                                real *dgain, real *dbias);

/* QuickGELU, x sigmoid(1.702 x), and its derivative times dy; dx may be dy. */
void linalg_gelu(const real *x, size_t n, real *y);
void linalg_gelu_backward(const real *dy, const real *x, size_t n, real *dx);

/* GELU by the error function, x/2 (1 + erf(x / sqrt 2)) within 2e-7 (1 + |x|), and by
 * tanh, x/2 (1 + tanh(sqrt(2/pi) (x + .044715 x^3))); y may be x. */
void linalg_gelu_erf(const real *x, size_t n, real *y);
void linalg_gelu_tanh(const real *x, size_t n, real *y);

/* max(x, 0), and dy where y is positive; in place. */
void linalg_relu(real *x, size_t n);
void linalg_relu_backward(const real *y, size_t n, real *dy);

/* x becomes exp(x) / sum exp(x). */
void linalg_softmax(real *x, size_t n);

/* ds = p (dp - sum p dp), the softmax's backward pass for one row; in place of dp. */
void linalg_softmax_backward(const real *p, size_t n, real *dp);

#endif

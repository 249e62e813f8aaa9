/* SPDX-License-Identifier: Apache-2.0 */
/* Matrices: products by OpenBLAS, row-wise functions by loops that a compiler can
 * vectorise.
 *
 * Sums run over LANES partial sums in a fixed order: wide registers are used, and the
 * result depends on the length alone.
 */
#include "core/linalg.h"

#include <assert.h>
#include <cblas.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 16 };

/* The widest registers that the machine has.  Sanitizers cannot run the choice at load
 * time. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                   \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDE
#endif

#define INLINE static inline __attribute__((always_inline))

#ifdef LINALG_DOUBLE
#define GEMM cblas_dgemm
#else
#define GEMM cblas_sgemm
#endif

static void __attribute__((constructor)) use_one_blas_thread(void)
{
    openblas_set_num_threads(1);
}

void linalg_nn(size_t m, size_t n, size_t k, real alpha, const real *a, size_t lda,
               const real *b, size_t ldb, real beta, real *c, size_t ldc)
{
    GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, alpha, a, lda, b, ldb, beta,
         c, ldc);
}

void linalg_nt(size_t m, size_t n, size_t k, real alpha, const real *a, size_t lda,
               const real *b, size_t ldb, real beta, real *c, size_t ldc)
{
    GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, alpha, a, lda, b, ldb, beta, c,
         ldc);
}

void linalg_tn(size_t m, size_t n, size_t k, real alpha, const real *a, size_t lda,
               const real *b, size_t ldb, real beta, real *c, size_t ldc)
{
    GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, alpha, a, lda, b, ldb, beta, c,
         ldc);
}

/* Buffers are numbered; a product takes the lowest that is free. So as many are in use as
 * there have been products at a time. */
static struct {
    pthread_rwlock_t lock;
    atomic_size_t inside, most;
} buffers = {.lock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP};

/* OpenBLAS exports these, but no header of it declares them. */
extern void *blas_memory_alloc(int procpos);
extern void blas_memory_free(void *buffer);

void linalg_enter(void)
{
    pthread_rwlock_rdlock(&buffers.lock);
    size_t now = atomic_fetch_add(&buffers.inside, 1) + 1,
           most = atomic_load(&buffers.most);
    while (now > most && !atomic_compare_exchange_weak(&buffers.most, &most, now))
        ;
}

void linalg_leave(void)
{
    atomic_fetch_sub(&buffers.inside, 1);
    pthread_rwlock_unlock(&buffers.lock);
}

/* A product of zeros in every buffer: each is held until the last one is done, or the
 * next product would take the first again. */
void linalg_scrub(size_t m, size_t n, size_t k)
{
    real *zeros = calloc(m * k + k * n + m * n, sizeof *zeros);
    assert(zeros);
    pthread_rwlock_wrlock(&buffers.lock);
    size_t most = atomic_load(&buffers.most);
    void **held = calloc(most + 1, sizeof *held);
    assert(held);
    for (size_t i = 0; i < most; i++) {
        linalg_nn(m, n, k, 1, zeros, k, zeros + m * k, n, 0, zeros + m * k + k * n, n);
        held[i] = blas_memory_alloc(0);
    }
    for (size_t i = 0; i < most; i++)
        blas_memory_free(held[i]);
    pthread_rwlock_unlock(&buffers.lock);
    free(held);
    free(zeros);
}

INLINE real total(const real lane[LANES])
{
    real sum = 0;
    for (size_t l = 0; l < LANES; l++)
        sum += lane[l];
    return sum;
}

WIDE real linalg_dot(const real *a, const real *b, size_t n)
{
    real lane[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lane[l] += a[i + l] * b[i + l];
    for (size_t l = 0; i + l < n; l++)
        lane[l] += a[i + l] * b[i + l];
    return total(lane);
}

INLINE real sum_of(const real *x, size_t n)
{
    real lane[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lane[l] += x[i + l];
    for (size_t l = 0; i + l < n; l++)
        lane[l] += x[i + l];
    return total(lane);
}

INLINE real max_of(const real *x, size_t n)
{
    real lane[LANES], max = x[0];
    size_t i = 0;
    for (size_t l = 0; l < LANES; l++)
        lane[l] = x[0];
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lane[l] = x[i + l] > lane[l] ? x[i + l] : lane[l];
    for (size_t l = 0; i + l < n; l++)
        lane[l] = x[i + l] > lane[l] ? x[i + l] : lane[l];
    for (size_t l = 0; l < LANES; l++)
        max = lane[l] > max ? lane[l] : max;
    return max;
}

#ifdef LINALG_DOUBLE
INLINE real exponential(real x)
{
    return exp(x);
}
#else
/* exp() of libm is a call for each number.  Here: x = n ln 2 + r with |r| <= ln 2 / 2, a
 * Taylor polynomial of degree 7 for e^r (relative error below 3e-7), and n put into the
 * exponent's bits. */
INLINE real exponential(real x)
{
    const float shift = 12582912; /* 1.5 * 2^23: adding it rounds to an integer */
    x = x < -87 ? -87 : x;
    x = x > 88 ? 88 : x;
    float shifted = x * 1.44269504f + shift, n = shifted - shift;
    float r = (x - n * 0.693145752f) - n * 1.42860677e-6f;
    float e = 1.98412698e-4f;
    e = e * r + 1.38888889e-3f;
    e = e * r + 8.33333333e-3f;
    e = e * r + 4.16666667e-2f;
    e = e * r + 1.66666667e-1f;
    e = e * r + 0.5f;
    e = e * r + 1;
    e = e * r + 1;
    union {
        float f;
        uint32_t u;
    } bits = {.f = e}, exponent = {.f = shifted};
    bits.u += exponent.u << 23;
    return bits.f;
}
#endif

WIDE void linalg_axpy(real alpha, const real *restrict x, real *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += alpha * x[i];
}

void linalg_linear(const real *x, size_t rows, size_t in, const real *w, const real *b,
                   size_t out, real *y)
{
    for (size_t i = 0; i < rows; i++)
        memcpy(y + i * out, b, out * sizeof *b);
    linalg_nn(rows, out, in, 1, x, in, w, out, 1, y, out);
}

void linalg_linear_skip(const real *x, size_t rows, size_t in, const real *w,
                        const real *b, size_t out, const real *skip, real *y)
{
    if (y != skip)
        memcpy(y, skip, rows * out * sizeof *y);
    for (size_t i = 0; i < rows; i++)
        linalg_axpy(1, b, y + i * out, out);
    linalg_nn(rows, out, in, 1, x, in, w, out, 1, y, out);
}

void linalg_linear_weights(const real *x, const real *dy, size_t rows, size_t in,
                           size_t out, real *dw, real *db)
{
    linalg_tn(in, out, rows, 1, x, in, dy, out, 1, dw, out);
    for (size_t i = 0; i < rows; i++)
        linalg_axpy(1, dy + i * out, db, out);
}

void linalg_linear_input(const real *dy, size_t rows, size_t in, size_t out,
                         const real *w, real beta, real *dx)
{
    linalg_nt(rows, in, out, 1, dy, out, w, out, beta, dx, in);
}

INLINE void norm_row(const real *restrict x, size_t n, const real *restrict gain,
                     const real *restrict bias, real eps, real *restrict y,
                     real *restrict stats)
{
    real mean = sum_of(x, n) / n;
    for (size_t i = 0; i < n; i++)
        y[i] = (x[i] - mean) * (x[i] - mean);
    real scale = 1 / (real)sqrt(sum_of(y, n) / n + eps);
    for (size_t i = 0; i < n; i++)
        y[i] = (x[i] - mean) * scale * gain[i] + bias[i];
    stats[0] = mean;
    stats[1] = scale;
}

WIDE void linalg_layer_norm(const real *x, size_t rows, size_t n, const real *gain,
                            const real *bias, real *y, real *stats)
{
    for (size_t i = 0; i < rows; i++)
        norm_row(x + i * n, n, gain, bias, (real)1e-5, y + i * n, stats + 2 * i);
}

WIDE void linalg_layer_norm_eps(const real *x, size_t rows, size_t n, const real *gain,
                                const real *bias, double eps, real *y)
{
    real stats[2];
    for (size_t i = 0; i < rows; i++)
        norm_row(x + i * n, n, gain, bias, (real)eps, y + i * n, stats);
}

/* With h = (x - mean) scale:  dx = scale (g dy - mean(g dy) - h mean(g dy h)). */
INLINE void norm_row_backward(const real *restrict dy, const real *restrict x, real mean,
                              real scale, size_t n, const real *restrict gain,
                              real *restrict dx, real *restrict dgain,
                              real *restrict dbias)
{
    real h[n], dh[n], dh_h[n];
    for (size_t i = 0; i < n; i++) {
        h[i] = (x[i] - mean) * scale;
        dh[i] = gain[i] * dy[i];
        dh_h[i] = dh[i] * h[i];
        dgain[i] += dy[i] * h[i];
        dbias[i] += dy[i];
    }
    real mean_dh = sum_of(dh, n) / n, mean_dh_h = sum_of(dh_h, n) / n;
    for (size_t i = 0; i < n; i++)
        dx[i] += scale * (dh[i] - mean_dh - h[i] * mean_dh_h);
}

WIDE void linalg_layer_norm_backward(const real *dy, const real *x, const real *stats,
                                     size_t rows, size_t n, const real *gain, real *dx,
                                     real *dgain, real *dbias)
{
    for (size_t i = 0; i < rows; i++)
        norm_row_backward(dy + i * n, x + i * n, stats[2 * i], stats[2 * i + 1], n, gain,
                          dx + i * n, dgain, dbias);
}

WIDE void linalg_gelu(const real *restrict x, size_t n, real *restrict y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] / (1 + exponential((real)-1.702 * x[i]));
}

/* d/dx x s(a x) = s (1 + a x (1 - s)) */
WIDE void linalg_gelu_backward(const real *dy, const real *x, size_t n, real *dx)
{
    for (size_t i = 0; i < n; i++) {
        real s = 1 / (1 + exponential((real)-1.702 * x[i]));
        dx[i] = dy[i] * s * (1 + (real)1.702 * x[i] * (1 - s));
    }
}

/* Abramowitz and Stegun, 7.1.26: |error| <= 1.5e-7. */
INLINE real erf_of(real x)
{
    real size = x < 0 ? -x : x, t = 1 / (1 + (real)0.3275911 * size);
    real p = (real)1.061405429;
    p = p * t - (real)1.453152027;
    p = p * t + (real)1.421413741;
    p = p * t - (real)0.284496736;
    p = p * t + (real)0.254829592;
    real y = 1 - p * t * exponential(-size * size);
    return x < 0 ? -y : y;
}

WIDE void linalg_gelu_erf(const real *x, size_t n, real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * (real).5 * (1 + erf_of(x[i] * (real)0.70710678118654752));
}

/* (1 + tanh u) / 2 is sigmoid(2 u). */
WIDE void linalg_gelu_tanh(const real *x, size_t n, real *y)
{
    for (size_t i = 0; i < n; i++) {
        real u = (real)0.79788456080286536 * (x[i] + (real)0.044715 * x[i] * x[i] * x[i]);
        y[i] = x[i] / (1 + exponential(-2 * u));
    }
}

WIDE void linalg_relu(real *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] > 0 ? x[i] : 0;
}

WIDE void linalg_relu_backward(const real *restrict y, size_t n, real *restrict dy)
{
    for (size_t i = 0; i < n; i++)
        dy[i] = y[i] > 0 ? dy[i] : 0;
}

WIDE void linalg_softmax(real *x, size_t n)
{
    real max = max_of(x, n);
    for (size_t i = 0; i < n; i++)
        x[i] = exponential(x[i] - max);
    real scale = 1 / sum_of(x, n);
    for (size_t i = 0; i < n; i++)
        x[i] *= scale;
}

WIDE void linalg_softmax_backward(const real *restrict p, size_t n, real *restrict dp)
{
    real weighted = linalg_dot(p, dp, n);
    for (size_t i = 0; i < n; i++)
        dp[i] = p[i] * (dp[i] - weighted);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Row-wise functions against their definitions, products against loops, and the scrub. */
#include "tests/check.h"
#include "tests/marks.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/linalg.h"
#include "core/rng.h"

enum { N = 51, ROWS = 3 };

static void draw(float *x, size_t n, uint64_t item)
{
    struct rng rng = rng_at(1, RNG_TEST, 0, item);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(3 * rng_normal(&rng));
}

static void softmax_is_right_for_every_length(void **state)
{
    (void)state;
    float x[N], y[N];
    for (size_t n = 1; n <= N; n++) {
        double sum = 0, max = -1e9;
        draw(x, n, n);
        memcpy(y, x, sizeof y);
        linalg_softmax(y, n);
        for (size_t i = 0; i < n; i++)
            max = fmax(max, x[i]);
        for (size_t i = 0; i < n; i++)
            sum += exp(x[i] - max);
        for (size_t i = 0; i < n; i++)
            assert_float_equal(y[i], exp(x[i] - max) / sum, 1e-6);
    }
}

static void softmax_bears_what_exp_does_not(void **state)
{
    (void)state;
    float x[] = {1e30f, -1e30f, 0, 1e30f};
    linalg_softmax(x, 4);
    assert_float_equal(x[0], .5, 1e-6);
    assert_float_equal(x[1], 0, 1e-6);
    assert_float_equal(x[2], 0, 1e-6);
}

static void gelu_is_x_sigmoid_of_1_702_x(void **state)
{
    (void)state;
    for (double at = -30; at < 30; at += .37) {
        float x[] = {(float)at}, y[1];
        double want = x[0] / (1 + exp(-1.702 * x[0]));
        linalg_gelu(x, 1, y);
        assert_float_equal(y[0], want, 1e-6 * fmax(1, fabs(want)));
    }
}

static void layer_norm_leaves_mean_0_and_variance_1(void **state)
{
    (void)state;
    float x[ROWS * N], y[ROWS * N], stats[2 * ROWS], gain[N], bias[N] = {0};
    draw(x, ROWS * N, 1);
    for (size_t i = 0; i < N; i++)
        gain[i] = 1;
    linalg_layer_norm(x, ROWS, N, gain, bias, y, stats);
    for (size_t row = 0; row < ROWS; row++) {
        double mean = 0, square = 0;
        for (size_t i = 0; i < N; i++) {
            mean += y[row * N + i] / N;
            square += y[row * N + i] * y[row * N + i] / N;
        }
        assert_float_equal(mean, 0, 1e-6);
        assert_float_equal(square, 1, 1e-4);
    }
}

/* Leading dimensions larger than a row, as attention uses them. */
static void products_of_parts_of_matrices_are_right(void **state)
{
    (void)state;
    enum { M = 5, K = 7, COLS = 6, LD = 9 };
    float a[M * LD], b[K * LD], bt[COLS * LD], at[K * LD];
    float nn[M * LD], nt[M * LD], tn[M * LD];
    draw(a, M * LD, 2);
    draw(b, K * LD, 3);
    for (size_t i = 0; i < K; i++)
        for (size_t j = 0; j < COLS; j++)
            bt[j * LD + i] = b[i * LD + j];
    for (size_t i = 0; i < M; i++)
        for (size_t j = 0; j < K; j++)
            at[j * LD + i] = a[i * LD + j];
    linalg_nn(M, COLS, K, 2, a, LD, b, LD, 0, nn, LD);
    linalg_nt(M, COLS, K, 2, a, LD, bt, LD, 0, nt, LD);
    linalg_tn(M, COLS, K, 2, at, LD, b, LD, 0, tn, LD);
    for (size_t i = 0; i < M; i++)
        for (size_t j = 0; j < COLS; j++) {
            double want = 0;
            for (size_t k = 0; k < K; k++)
                want += 2.0 * a[i * LD + k] * b[k * LD + j];
            assert_float_equal(nn[i * LD + j], want, 1e-4);
            assert_float_equal(nt[i * LD + j], want, 1e-4);
            assert_float_equal(tn[i * LD + j], want, 1e-4);
        }
}

static void linear_adds_bias_and_skip(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 4}, w[] = {1, 0, 0, 1}, b[] = {10, 20},
                skip[] = {5, 6, 7, 8};
    float y[4];
    linalg_linear(x, 2, 2, w, b, 2, y);
    assert_float_equal(y[3], 24, 0);
    linalg_linear_skip(x, 2, 2, w, b, 2, skip, y);
    assert_float_equal(y[0], 16, 0);
    assert_float_equal(y[3], 32, 0);
}

enum { SIDE = 192 };

static void *multiply(void *context)
{
    pthread_barrier_t *barrier = context;
    float *a = malloc(SIDE * SIDE * sizeof *a), *b = malloc(SIDE * SIDE * sizeof *b);
    mark(a, SIDE * SIDE);
    for (size_t i = 0; i < SIDE * SIDE; i++)
        b[i] = 1;
    float *c = malloc(SIDE * SIDE * sizeof *c);
    linalg_enter();
    pthread_barrier_wait(barrier); /* at a time, or one buffer would serve both */
    for (int i = 0; i < 50; i++)
        linalg_nn(SIDE, SIDE, SIDE, 1, a, SIDE, b, SIDE, 0, c, SIDE);
    linalg_leave();
    explicit_bzero(a, SIDE * SIDE * sizeof *a);
    free(a);
    free(b);
    free(c);
    return NULL;
}

static void a_scrub_leaves_no_operand_in_any_threads_buffer(void **state)
{
    (void)state;
    pthread_t thread[3];
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, multiply, &barrier), 0);
    for (size_t i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&barrier);
    assert_true(marks_left() > SIDE); /* or the search finds nothing at all */
    linalg_scrub(SIDE, SIDE, SIDE);
    assert_int_equal(marks_left(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax_is_right_for_every_length),
        cmocka_unit_test(softmax_bears_what_exp_does_not),
        cmocka_unit_test(gelu_is_x_sigmoid_of_1_702_x),
        cmocka_unit_test(layer_norm_leaves_mean_0_and_variance_1),
        cmocka_unit_test(products_of_parts_of_matrices_are_right),
        cmocka_unit_test(linear_adds_bias_and_skip),
        cmocka_unit_test(a_scrub_leaves_no_operand_in_any_threads_buffer),
    };
    return cmocka_run_group_tests_name("linalg", tests, NULL, NULL);
}

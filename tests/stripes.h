/* SPDX-License-Identifier: Apache-2.0 */
/* Images that a small net learns in a few steps: a bright stripe in noise, as high as the
 * label says.
 *
 *     stripes_draw();
 *     plain_train(&plan, &stripes, list_of(rows, 100), NULL, NULL, &params);
 */
#ifndef MUNKEY_TESTS_STRIPES_H
#define MUNKEY_TESTS_STRIPES_H

#include <math.h>

#include "core/plain.h"
#include "core/rng.h"
#include "tests/check.h"

enum { STRIPES = 400, STRIPES_SIDE = 28, STRIPES_CLASSES = 4 };

static uint8_t stripes_pixels[STRIPES * STRIPES_SIDE * STRIPES_SIDE];
static uint32_t stripes_labels[STRIPES];
static const struct images stripes = {STRIPES, STRIPES_SIDE,   STRIPES_SIDE,
                                      1,       stripes_pixels, stripes_labels};

static inline int stripes_draw(void **state)
{
    (void)state;
    struct rng rng = rng_at(1, RNG_TEST, 2, 0);
    for (size_t i = 0; i < sizeof stripes_pixels; i++)
        stripes_pixels[i] = (uint8_t)rng_below(&rng, 100);
    for (size_t row = 0; row < STRIPES; row++) {
        stripes_labels[row] = rng_below(&rng, STRIPES_CLASSES);
        memset(stripes_pixels +
                   (row * STRIPES_SIDE + 5 + 5 * stripes_labels[row]) * STRIPES_SIDE,
               200, 3 * STRIPES_SIDE);
    }
    return 0;
}

/* Rows [begin, end). */
static inline struct row_list stripes_rows(size_t begin, size_t end)
{
    static uint32_t all[STRIPES];
    for (uint32_t i = 0; i < STRIPES; i++)
        all[i] = i;
    return (struct row_list){all + begin, end - begin};
}

static inline struct plain_plan stripes_plan(size_t threads, double epochs)
{
    struct plain_plan plan = {.seed = 5,
                              .threads = threads,
                              .epochs = epochs,
                              .batch = 32,
                              .rate = 2e-3,
                              .smoothing = .1};
    assert_ok(shape_of_profile("T", STRIPES_CLASSES, &plan.shape));
    return plan;
}

static inline struct params *stripes_trained(const struct plain_plan *plan,
                                             struct row_list rows)
{
    struct params *params;
    assert_int_equal(plain_train(plan, &stripes, rows, NULL, NULL, &params), 0);
    return params;
}

static inline void assert_same_params(const struct params *a, const struct params *b)
{
    assert_int_equal(a->n, b->n);
    assert_memory_equal(a->values, b->values, a->n * sizeof *a->values);
}

/* Mean -log p(label). */
static inline double stripes_loss(const struct params *params, struct row_list rows)
{
    float p[STRIPES * STRIPES_CLASSES];
    double loss = 0;
    assert_ok(plain_probabilities(params, &stripes, rows, 2, p));
    for (size_t i = 0; i < rows.n; i++)
        loss -= log(fmax(p[i * STRIPES_CLASSES + stripes_labels[rows.row[i]]], 1e-30));
    return loss / (double)rows.n;
}

#endif

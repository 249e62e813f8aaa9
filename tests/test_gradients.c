/* SPDX-License-Identifier: Apache-2.0 */
/* Backward passes against central differences.  Built with LINALG_DOUBLE. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/model_stem.h"
#include "core/rng.h"
#include "core/train_backward.h"

static const struct shape tiny = {
    .profile = "tiny",
    .height = 5,
    .width = 6,
    .channels = 2,
    .stem = 3,
    .d = 8,
    .layers = 2,
    .heads = 2,
    .hidden = 12,
    .classes = 3,
    .key_dim = 6,
    .label_dim = 4,
    .writer_hidden = 5,
    .token_dim = 7,
};

enum { IMAGES = 2, HITS = 2, PASSES = 1 + 2 * HITS };

/* The model, two images, two hits each, one of them missing. */
struct problem {
    struct params *params, *grad;
    struct forward *f;
    struct writing *w;
    uint8_t pixels[IMAGES * 5 * 6 * 2];
    struct hit hit[IMAGES * HITS];
    const struct hit *hits[IMAGES * HITS];
    real dlogits[IMAGES * PASSES * 3];
};

static void randomise(real *x, size_t n, double size, uint64_t item)
{
    struct rng rng = rng_at(7, RNG_TEST, 0, item);
    for (size_t i = 0; i < n; i++)
        x[i] = (real)(size * rng_normal(&rng));
}

static int set_up(void **state)
{
    struct problem *p = calloc(1, sizeof *p);
    struct rng rng = rng_at(7, RNG_TEST, 0, 0);
    assert_int_equal(params_new(&tiny, PARAMS_CLASSIFIER, &p->params), 0);
    assert_int_equal(params_new(&tiny, PARAMS_CLASSIFIER, &p->grad), 0);
    randomise(p->params->values, p->params->n, .5, 1);
    for (size_t i = 0; i < sizeof p->pixels; i++)
        p->pixels[i] = (uint8_t)rng_below(&rng, 256);
    for (size_t i = 0; i < IMAGES * HITS; i++) {
        p->hit[i].similarity = .25f + .125f * (float)i;
        p->hit[i].label = (uint32_t)i % 3;
        p->hit[i].key.scale = .01f;
        for (size_t c = 0; c < tiny.key_dim; c++)
            p->hit[i].key.q[c] = (int8_t)(rng_below(&rng, 255) - 127);
        p->hits[i] = i == 3 ? NULL : &p->hit[i];
    }
    p->f = forward_new(&tiny, IMAGES, HITS, FORWARD_KEEP | FORWARD_BLIND);
    p->w = writing_new(&tiny, IMAGES * HITS);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct problem *p = *state;
    params_free(p->params);
    params_free(p->grad);
    forward_free(p->f);
    writing_free(p->w);
    free(p);
    return 0;
}

static double loss_of(struct problem *p)
{
    double loss = 0;
    writing_run(p->w, p->params, p->hits);
    forward_run(p->f, &p->params->net, p->pixels, p->w->exemplar);
    for (uint32_t i = 0; i < IMAGES * PASSES; i++)
        loss +=
            cross_entropy(p->f->logits + 3 * i, 3, i % 3, .1, 1 + i, p->dlogits + 3 * i);
    return loss;
}

/* (f(x + h) - f(x - h)) / 2 h, of any one number of the model. */
static double slope(struct problem *p, real *x)
{
    const real h = 1e-5, was = *x;
    *x = was + h;
    double above = loss_of(p);
    *x = was - h;
    double below = loss_of(p);
    *x = was;
    return (above - below) / (2 * h);
}

static void every_weight_of_net_and_writer_has_the_right_gradient(void **state)
{
    struct problem *p = *state;
    struct backward *b = backward_new(p->f);
    loss_of(p);
    backward_run(b, p->f, &p->params->net, p->dlogits, &p->grad->net);
    writing_backward(p->w, p->params, b->dexemplars, p->grad);
    for (size_t t = 0; t < p->params->n_tensors; t++) {
        const struct tensor *tensor = &p->params->tensor[t];
        double largest = 0;
        for (size_t i = tensor->offset; i < tensor->offset + tensor->n; i++) {
            double want = slope(p, &p->params->values[i]), got = p->grad->values[i];
            largest = fmax(largest, fabs(want));
            if (fabs(want - got) > 1e-6 * fmax(1, fabs(want)))
                fail_msg("%s[%zu]: %.9g, central difference %.9g", tensor->name,
                         i - tensor->offset, got, want);
        }
        assert_true(largest > 1e-4); /* or the check would show nothing */
    }
    backward_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            every_weight_of_net_and_writer_has_the_right_gradient, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("gradients", tests, NULL, NULL);
}

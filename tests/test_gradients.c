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
#include "core/rac_head.h"
#include "core/rng.h"
#include "core/train_backward.h"
#include "core/unlearn_loss.h"
#include "core/train_naming.h"

static const struct shape tiny = {
    .profile = "tiny",
    .height = 5,
    .width = 6,
    .channels = 2,
    .convs = 3,
    .stem = {{3, 1}, {4, 2}, {8, 2}},
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

enum { IMAGES = 2, HITS = 2, PASSES = 1 + 2 * HITS, CLASSES = 3 };

/* The model, two images, two hits each, one of them missing. */
struct problem {
    struct params *params, *grad;
    struct forward *f;
    struct writing *w;
    uint8_t pixels[IMAGES * 5 * 6 * 2];
    struct naming *naming; /* where labels are open */
    struct hit hit[IMAGES * HITS];
    const struct hit *hits[IMAGES * HITS];
    real dlogits[IMAGES * PASSES * LABEL_CODE_DIM];
};

static void randomise(real *x, size_t n, double size, uint64_t item)
{
    struct rng rng = rng_at(7, RNG_TEST, 0, item);
    for (size_t i = 0; i < n; i++)
        x[i] = (real)(size * rng_normal(&rng));
}

static const uint64_t codes[CLASSES] = {0x0123456789abcdef, 0xf0e1d2c3b4a59687,
                                        0x5555aaaa3333cccc};

static void name_hits(struct problem *p)
{
    struct rng rng = rng_at(9, RNG_TEST, 0, 0);
    p->naming = naming_new(codes, CLASSES);
    naming_draw(p->naming, .5, &rng);
    for (size_t i = 0; i < IMAGES * HITS; i++)
        p->hit[i].label = naming_codes(p->naming, i % 2)[p->hit[i].label];
}

static int set_up_shape(const struct shape *shape, void **state)
{
    struct problem *p = calloc(1, sizeof *p);
    struct rng rng = rng_at(7, RNG_TEST, 0, 0);
    assert_int_equal(params_new(shape, PARAMS_CLASSIFIER, &p->params), 0);
    assert_int_equal(params_new(shape, PARAMS_CLASSIFIER, &p->grad), 0);
    randomise(p->params->values, p->params->n, .5, 1);
    for (size_t i = 0; i < sizeof p->pixels; i++)
        p->pixels[i] = (uint8_t)rng_below(&rng, 256);
    for (size_t i = 0; i < IMAGES * HITS; i++) {
        p->hit[i].similarity = .25f + .125f * (float)i;
        p->hit[i].label = i % CLASSES;
        p->hit[i].token = (uint32_t)i;
        p->hit[i].key.scale = .01f;
        for (size_t c = 0; c < tiny.key_dim; c++)
            p->hit[i].key.q[c] = (int8_t)(rng_below(&rng, 255) - 127);
        p->hits[i] = i == 3 ? NULL : &p->hit[i];
    }
    p->f = forward_new(shape, IMAGES, HITS, FORWARD_KEEP | FORWARD_BLIND);
    p->w = writing_new(shape, IMAGES * HITS);
    if (shape->open_labels)
        name_hits(p);
    *state = p;
    return 0;
}

static int set_up(void **state)
{
    return set_up_shape(&tiny, state);
}

static int set_up_symmetric(void **state)
{
    struct shape shape = tiny;
    shape.symmetric = true;
    return set_up_shape(&shape, state);
}

static int set_up_free(void **state)
{
    struct shape shape = tiny;
    shape.own_tokens = IMAGES * HITS - 1; /* the last one is missing */
    return set_up_shape(&shape, state);
}

static int set_up_open(void **state)
{
    struct shape shape = tiny;
    shape.open_labels = true;
    shape.label_dim = LABEL_CODE_DIM;
    return set_up_shape(&shape, state);
}

static int tear_down(void **state)
{
    struct problem *p = *state;
    params_free(p->params);
    params_free(p->grad);
    forward_free(p->f);
    writing_free(p->w);
    naming_free(p->naming);
    free(p);
    return 0;
}

static double loss_of(struct problem *p)
{
    double loss = 0;
    writing_run(p->w, p->params, p->hits);
    forward_run(p->f, &p->params->net, p->pixels, p->w->exemplar);
    for (uint32_t i = 0; i < IMAGES * PASSES; i++) {
        size_t at = i * shape_outputs(&p->f->shape);
        const real *readout = p->f->logits + at;
        real z[2 * CLASSES];
        loss += p->naming ? naming_loss(p->naming, i % 2, readout, i % CLASSES, .1, 1 + i,
                                        z, p->dlogits + at)
                          : cross_entropy(readout, CLASSES, i % CLASSES, .1, 1 + i,
                                          p->dlogits + at);
    }
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

/* One operator of n numbers to m; back adds nothing but writes dx. */
enum { OP_MAX = 1024 };
struct op {
    const char *name;
    size_t n, m;
    void (*run)(const real *x, real *y);
    void (*back)(const real *x, const real *dy, real *dx);
};

/* The loss is a sum of outputs, each times a drawn number. */
static double op_loss(const struct op *op, const real *x, const real *share)
{
    real y[OP_MAX] = {0};
    double loss = 0;
    op->run(x, y);
    for (size_t i = 0; i < op->m; i++)
        loss += y[i] * share[i];
    return loss;
}

static void check_op(const struct op *op)
{
    real x[OP_MAX], share[OP_MAX], dx[OP_MAX] = {0};
    const real h = 1e-5;
    randomise(x, op->n, 1, 10);
    randomise(share, op->m, 1, 11);
    op->back(x, share, dx);
    for (size_t i = 0; i < op->n; i++) {
        real was = x[i];
        x[i] = was + h;
        double above = op_loss(op, x, share);
        x[i] = was - h;
        double want = (above - op_loss(op, x, share)) / (2 * h);
        x[i] = was;
        if (fabs(want - dx[i]) > 1e-7 * fmax(1, fabs(want)))
            fail_msg("%s[%zu]: %.9g, central difference %.9g", op->name, i, (double)dx[i],
                     want);
    }
}

enum { WIDE = 19, TALL = 3 }; /* more than one register, and a rest */

static const real gain[WIDE] = {1, 2, -1, .5, 3}, bias[WIDE] = {4, 5};

static void norm_run(const real *x, real *y)
{
    real stats[2 * TALL];
    linalg_layer_norm(x, TALL, WIDE, gain, bias, y, stats);
}

static void norm_back(const real *x, const real *dy, real *dx)
{
    real y[TALL * WIDE], stats[2 * TALL], dgain[WIDE], dbias[WIDE];
    linalg_layer_norm(x, TALL, WIDE, gain, bias, y, stats);
    linalg_layer_norm_backward(dy, x, stats, TALL, WIDE, gain, dx, dgain, dbias);
}

static void gelu_run(const real *x, real *y)
{
    linalg_gelu(x, WIDE, y);
}

static void gelu_back(const real *x, const real *dy, real *dx)
{
    linalg_gelu_backward(dy, x, WIDE, dx);
}

static void relu_run(const real *x, real *y)
{
    memcpy(y, x, WIDE * sizeof *x);
    linalg_relu(y, WIDE);
}

static void relu_back(const real *x, const real *dy, real *dx)
{
    real y[WIDE];
    relu_run(x, y);
    memcpy(dx, dy, WIDE * sizeof *dx);
    linalg_relu_backward(y, WIDE, dx);
}

static void softmax_run(const real *x, real *y)
{
    memcpy(y, x, WIDE * sizeof *x);
    linalg_softmax(y, WIDE);
}

static void softmax_back(const real *x, const real *dy, real *dx)
{
    real y[WIDE];
    softmax_run(x, y);
    memcpy(dx, dy, WIDE * sizeof *dx);
    linalg_softmax_backward(y, WIDE, dx);
}

/* x: (4, 3) input, (3, 2) weights, (2) bias, (4, 2) skip. */
static void linear_run(const real *x, real *y)
{
    linalg_linear_skip(x, 4, 3, x + 12, x + 18, 2, x + 20, y);
}

static void linear_back(const real *x, const real *dy, real *dx)
{
    linalg_linear_input(dy, 4, 3, 2, x + 12, 0, dx);
    linalg_linear_weights(x, dy, 4, 3, 2, dx + 12, dx + 18);
    memcpy(dx + 20, dy, 8 * sizeof *dx);
}

static void gather_run(const real *x, real *y)
{
    stem_gather(x, (struct plane){5, 4, 2}, 2, y);
}

static void gather_back(const real *x, const real *dy, real *dx)
{
    (void)x;
    stem_scatter(dy, (struct plane){5, 4, 2}, 2, dx);
}

static void entropy_run(const real *x, real *y)
{
    real dlogits[5];
    *y = cross_entropy(x, 5, 2, .1, 3, dlogits);
}

static void entropy_back(const real *x, const real *dy, real *dx)
{
    cross_entropy(x, 5, 2, .1, 3, dx);
    for (size_t i = 0; i < 5; i++)
        dx[i] *= *dy;
}

static void negative_run(const real *x, real *y)
{
    real dlogits[5];
    *y = cross_entropy(x, 5, 2, .1, -3, dlogits);
}

static void negative_back(const real *x, const real *dy, real *dx)
{
    cross_entropy(x, 5, 2, .1, -3, dx);
    for (size_t i = 0; i < 5; i++)
        dx[i] *= *dy;
}

/* x: all numbers of g.  Two rows; the second has no neighbours. */
enum { RAC_CLASSES = 3, RAC_IN = RAC_CLASSES + RETRIEVED_K };
enum { RAC_W2 = RAC_IN * RETRIEVED_HIDDEN + RETRIEVED_HIDDEN };
enum { RAC_N = RAC_W2 + RETRIEVED_HIDDEN * RAC_CLASSES + RAC_CLASSES };

static struct retrieved retrieved_at(real *x)
{
    return (struct retrieved){x, x + RAC_IN * RETRIEVED_HIDDEN, x + RAC_W2,
                              x + RAC_N - RAC_CLASSES};
}

static struct rac_head *read_two_rows(void)
{
    const struct near near[MIXTURE_K] = {{2, .8f}, {0, .5f}, {2, .25f}, {NO_LABEL, 0}};
    struct rac_head *head = rac_head_new(RAC_CLASSES, 2);
    rac_head_read(near, RAC_CLASSES, head->x);
    rac_head_read(near + 3, RAC_CLASSES, head->x + RAC_IN);
    return head;
}

static void retrieved_run(const real *x, real *y)
{
    struct rac_head *head = read_two_rows();
    struct retrieved g = retrieved_at((real *)x);
    rac_head_run(&g, RAC_CLASSES, 2, head);
    memcpy(y, head->z, 2 * RAC_CLASSES * sizeof *y);
    free(head);
}

static void retrieved_back(const real *x, const real *dy, real *dx)
{
    struct rac_head *head = read_two_rows();
    struct retrieved g = retrieved_at((real *)x), grad = retrieved_at(dx);
    rac_head_run(&g, RAC_CLASSES, 2, head);
    rac_head_backward(&g, RAC_CLASSES, 2, head, dy, &grad);
    free(head);
}

static const real teacher[5] = {.5, -1, 2, 0, 1.5};

static void divergence_run(const real *x, real *y)
{
    real dlogits[5] = {0};
    *y = kl_divergence(teacher, x, 5, 4, 3, dlogits);
}

/* Adds to what is there: here, nothing. */
static void divergence_back(const real *x, const real *dy, real *dx)
{
    kl_divergence(teacher, x, 5, 4, 3, dx);
    for (size_t i = 0; i < 5; i++)
        dx[i] *= *dy;
}

static void l1_run(const real *x, real *y)
{
    real grad[WIDE] = {0};
    *y = l1_norm(x, WIDE, .7, grad);
}

static void l1_back(const real *x, const real *dy, real *dx)
{
    l1_norm(x, WIDE, .7, dx);
    for (size_t i = 0; i < WIDE; i++)
        dx[i] *= *dy;
}

/* T = 3, one seeing and one blind pass, heads of size 4.  x: q, then keys and values. */
enum { AT = 3, AROWS = AT + 4, ASIZE = 4, AQ = AROWS * ASIZE, AKV = AROWS * 2 * ASIZE };

static struct attention small_attention(const real *x, bool readouts_only, real *weight,
                                        real *out)
{
    return (struct attention){
        .tokens = AT,
        .seeing = 1,
        .passes = 2,
        .readouts_only = readouts_only,
        .size = ASIZE,
        .q = x,
        .kv = x + AQ,
        .q_ld = ASIZE,
        .kv_ld = 2 * ASIZE,
        .value_offset = ASIZE,
        .weight = weight,
        .out = out,
        .out_ld = ASIZE,
    };
}

static void attention_through(const real *x, bool readouts_only, const real *dy, real *dx)
{
    real weight[AROWS * (AT + 2)], dweight[AROWS * (AT + 2)], out[AQ];
    struct attention a = small_attention(x, readouts_only, weight, out);
    attention_forward(&a);
    attention_backward(&a, dy, dweight, dx, dx + AQ);
}

static void attention_run(const real *x, real *y)
{
    real weight[AROWS * (AT + 2)];
    struct attention a = small_attention(x, false, weight, y);
    attention_forward(&a);
}

static void attention_back(const real *x, const real *dy, real *dx)
{
    attention_through(x, false, dy, dx);
}

static void readouts_run(const real *x, real *y)
{
    real weight[AROWS * (AT + 2)];
    struct attention a = small_attention(x, true, weight, y);
    attention_forward(&a);
}

static void readouts_back(const real *x, const real *dy, real *dx)
{
    attention_through(x, true, dy, dx);
}

static void every_operator_has_the_right_gradient(void **state)
{
    (void)state;
    const struct op ops[] = {
        {"layer norm", TALL * WIDE, TALL * WIDE, norm_run, norm_back},
        {"gelu", WIDE, WIDE, gelu_run, gelu_back},
        {"relu", WIDE, WIDE, relu_run, relu_back},
        {"softmax", WIDE, WIDE, softmax_run, softmax_back},
        {"linear", 28, 8, linear_run, linear_back},
        {"gathered patches", 40, 6 * 18, gather_run, gather_back},
        {"cross-entropy", 5, 1, entropy_run, entropy_back},
        {"negative cross-entropy", 5, 1, negative_run, negative_back},
        {"KL at temperature 4", 5, 1, divergence_run, divergence_back},
        {"retrieved labels", RAC_N, 2 * RAC_CLASSES, retrieved_run, retrieved_back},
        {"l1 norm", WIDE, 1, l1_run, l1_back},
        {"attention", AQ + AKV, AQ, attention_run, attention_back},
        {"attention of readouts", AQ + AKV, 2 * ASIZE, readouts_run, readouts_back},
    };
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        check_op(&ops[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator_has_the_right_gradient),
        cmocka_unit_test_setup_teardown(
            every_weight_of_net_and_writer_has_the_right_gradient, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            every_weight_of_net_and_writer_has_the_right_gradient, set_up_symmetric,
            tear_down),
        cmocka_unit_test_setup_teardown(
            every_weight_of_net_and_writer_has_the_right_gradient, set_up_free,
            tear_down),
        cmocka_unit_test_setup_teardown(
            every_weight_of_net_and_writer_has_the_right_gradient, set_up_open,
            tear_down),
    };
    return cmocka_run_group_tests_name("gradients", tests, NULL, NULL);
}

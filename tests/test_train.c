/* SPDX-License-Identifier: Apache-2.0 */
/* Training: the same bits whoever computes them, and a model that has learnt something.
 */
#include "tests/check.h"

#include <assert.h>
#include <math.h>

#include "core/train.h"
#include "core/train_calibrate.h"
#include "core/train_neighbours.h"
#include "core/train_optimizer.h"
#include "core/train_parallel.h"
#include "core/train_pca.h"
#include "core/train_step.h"

enum { ROWS = 400, SIDE = 28, SIZE = SIDE * SIDE, CLASSES = 4 };

static uint8_t pixels[ROWS * SIZE];
static uint32_t labels[ROWS];

static const struct images images = {ROWS, SIDE, SIDE, 1, pixels, labels};

/* A bright stripe, as high as the label says, in noise. */
static int draw_images(void **state)
{
    (void)state;
    struct rng rng = rng_at(1, RNG_TEST, 2, 0);
    for (size_t i = 0; i < ROWS * SIZE; i++)
        pixels[i] = (uint8_t)rng_below(&rng, 100);
    for (size_t row = 0; row < ROWS; row++) {
        labels[row] = rng_below(&rng, CLASSES);
        memset(pixels + row * SIZE + (5 + 5 * labels[row]) * SIDE, 200, 3 * SIDE);
    }
    return 0;
}

static struct train_plan plan_of(size_t threads, size_t steps)
{
    struct train_plan plan = {
        .b1 = {0, 150},
        .b2 = {150, 320},
        .val = {320, 400},
        .seed = 5,
        .threads = threads,
        .steps_encoder = steps,
        .steps_fusion = steps,
        .batch = 32,
        .rate = 2e-3,
        .method = train_method_default,
    };
    assert_ok(shape_of_profile("T", CLASSES, &plan.shape));
    return plan;
}

static bool go_on(void *context, const struct train_news *news)
{
    (void)context;
    (void)news;
    return true;
}

static struct trainer *trained(size_t threads, size_t steps)
{
    struct train_plan plan = plan_of(threads, steps);
    struct trainer *t;
    assert_ok(trainer_new(&plan, &images, &t));
    assert_int_equal(trainer_run(t, go_on, NULL), 0);
    return t;
}

static void assert_same_model(struct trainer *a, struct trainer *b)
{
    const struct model *x = trainer_model(a), *y = trainer_model(b);
    assert_memory_equal(x->encoder->values, y->encoder->values, 4 * x->encoder->n);
    assert_memory_equal(x->projection->values, y->projection->values,
                        4 * x->projection->n);
    assert_memory_equal(x->classifier->values, y->classifier->values,
                        4 * x->classifier->n);
    assert_memory_equal(&x->info.lambda, &y->info.lambda, sizeof x->info.lambda);
    assert_int_equal(x->info.k, y->info.k);
}

static void the_same_seed_gives_the_same_bits_on_any_number_of_threads(void **state)
{
    (void)state;
    struct trainer *one = trained(1, 6), *again = trained(1, 6), *three = trained(3, 6);
    assert_same_model(one, again);
    assert_same_model(one, three);
    trainer_free(one);
    trainer_free(again);
    trainer_free(three);
}

/* Stops once, at the given call. */
static bool stop_at(void *context, const struct train_news *news)
{
    (void)news;
    int *calls = context;
    return --*calls != 0;
}

static struct trainer *interrupted_and_resumed(int calls)
{
    struct train_plan plan = plan_of(1, 6);
    struct trainer *t;
    void *bytes;
    size_t len;
    assert_ok(trainer_new(&plan, &images, &t));
    assert_int_equal(trainer_run(t, stop_at, &calls), 1);
    assert_ok(trainer_save(t, &bytes, &len));
    trainer_free(t);
    assert_ok(trainer_new(&plan, &images, &t));
    assert_ok(trainer_resume(t, bytes, len));
    assert_int_equal(trainer_run(t, go_on, NULL), 0);
    free(bytes);
    return t;
}

static void an_interrupted_run_goes_on_to_the_same_bits(void **state)
{
    (void)state;
    struct trainer *unbroken = trained(1, 6);
    for (int calls = 2; calls < 16; calls += 3) { /* in every stage */
        struct trainer *broken = interrupted_and_resumed(calls);
        assert_same_model(unbroken, broken);
        trainer_free(broken);
    }
    trainer_free(unbroken);
}

/* A plan with a frozen encoder; each trainer takes one of its own. */
static struct train_plan plan_around_vit(size_t threads)
{
    const char text[] = "{\"model_type\": \"vit\", \"hidden_size\": 48, "
                        "\"num_hidden_layers\": 1, \"num_attention_heads\": 2, "
                        "\"intermediate_size\": 16, \"image_size\": 16, "
                        "\"patch_size\": 4, \"num_channels\": 1, "
                        "\"image_mean\": [0.5], \"image_std\": [0.5]}";
    struct train_plan plan = plan_of(threads, 6);
    struct rng rng = rng_at(1, RNG_TEST, 3, 0);
    struct vit_config config;
    assert_ok(vit_config_parse(text, sizeof text - 1, text, sizeof text - 1, &config));
    assert_ok(vit_new(&config, 0, SIZE_MAX, &plan.encoder_take));
    for (size_t i = 0; i < plan.encoder_take->n; i++)
        plan.encoder_take->values[i] = (float)(.2 * rng_normal(&rng));
    return plan;
}

static struct trainer *trained_around_vit(size_t threads)
{
    struct train_plan plan = plan_around_vit(threads);
    struct trainer *t;
    assert_ok(trainer_new(&plan, &images, &t));
    assert_int_equal(trainer_run(t, go_on, NULL), 0);
    return t;
}

static void assert_same_around_vit(struct trainer *a, struct trainer *b)
{
    const struct model *x = trainer_model(a), *y = trainer_model(b);
    assert_null(x->encoder);
    assert_memory_equal(x->vit->values, y->vit->values, 4 * x->vit->n);
    assert_memory_equal(x->projection->values, y->projection->values,
                        4 * x->projection->n);
    assert_memory_equal(x->classifier->values, y->classifier->values,
                        4 * x->classifier->n);
}

static void a_frozen_encoder_stays_as_it_is_and_a_run_around_it_goes_on(void **state)
{
    (void)state;
    struct trainer *unbroken = trained_around_vit(1), *three = trained_around_vit(3), *t;
    struct train_plan plan = plan_around_vit(1), again = plan_around_vit(1);
    int calls = 5; /* in the classifier's stage */
    void *bytes;
    size_t len;
    assert_memory_equal(trainer_model(unbroken)->vit->values, plan.encoder_take->values,
                        4 * plan.encoder_take->n);
    assert_same_around_vit(unbroken, three);
    assert_ok(trainer_new(&plan, &images, &t));
    assert_int_equal(trainer_run(t, stop_at, &calls), 1);
    assert_ok(trainer_save(t, &bytes, &len));
    trainer_free(t);
    assert_ok(trainer_new(&again, &images, &t));
    assert_ok(trainer_resume(t, bytes, len));
    assert_int_equal(trainer_run(t, go_on, NULL), 0);
    assert_same_around_vit(unbroken, t);
    trainer_free(t);
    again = plan_around_vit(1);
    again.encoder_sha256[0] = 1;
    assert_ok(trainer_new(&again, &images, &t));
    assert_int_equal(trainer_resume(t, bytes, len), MK_EINPUT);
    free(bytes);
    trainer_free(t);
    trainer_free(unbroken);
    trainer_free(three);
}

/* Only the rows that come after the encoder change: keys and P stay, and so do a run's bits. */
static void a_model_is_retrained_around_the_keys_of_another(void **state)
{
    (void)state;
    struct trainer *first = trained(2, 6), *broken, *again, *t;
    struct train_plan plan = plan_of(1, 6);
    void *bytes;
    size_t len;
    int calls = 5; /* in the classifier's stage */
    plan.keys_of = trainer_model(first);
    plan.encoder_sha256[0] = 7;
    plan.b2.begin += 20;
    assert_ok(trainer_new(&plan, &images, &again));
    assert_int_equal(trainer_run(again, go_on, NULL), 0);
    const struct model *x = trainer_model(first), *y = trainer_model(again);
    assert_memory_equal(x->encoder->values, y->encoder->values, 4 * x->encoder->n);
    assert_memory_equal(x->projection->values, y->projection->values,
                        4 * x->projection->n);
    assert_memory_not_equal(x->classifier->values, y->classifier->values,
                            4 * x->classifier->n);
    assert_ok(trainer_new(&plan, &images, &broken));
    assert_int_equal(trainer_run(broken, stop_at, &calls), 1);
    assert_ok(trainer_save(broken, &bytes, &len));
    trainer_free(broken);
    assert_ok(trainer_new(&plan, &images, &broken));
    assert_ok(trainer_resume(broken, bytes, len));
    assert_int_equal(trainer_run(broken, go_on, NULL), 0);
    assert_same_model(again, broken);
    plan.encoder_sha256[0] = 8;
    assert_ok(trainer_new(&plan, &images, &t));
    assert_int_equal(trainer_resume(t, bytes, len), MK_EINPUT);
    trainer_free(t);
    plan.shape.symmetric = true;
    assert_int_equal(trainer_new(&plan, &images, &t), MK_EINPUT);
    plan.shape.symmetric = false;
    plan.shape.key_dim = 16;
    assert_int_equal(trainer_new(&plan, &images, &t), MK_EINPUT);
    free(bytes);
    trainer_free(first);
    trainer_free(broken);
    trainer_free(again);
}

static void a_checkpoint_of_another_plan_is_refused(void **state)
{
    (void)state;
    struct train_plan plan = plan_of(1, 2);
    struct trainer *t, *other;
    void *bytes;
    size_t len;
    assert_ok(trainer_new(&plan, &images, &t));
    assert_ok(trainer_save(t, &bytes, &len));
    for (int i = 0; i < 4; i++) {
        plan = plan_of(1, 2);
        plan.data_sha256[31] = i == 3;
        plan.seed += i == 0;
        plan.shape.hidden += i == 1;
        plan.method.drop /= i == 2 ? 2 : 1;
        assert_ok(trainer_new(&plan, &images, &other));
        assert_int_equal(trainer_resume(other, bytes, len), MK_EINPUT);
        trainer_free(other);
    }
    trainer_free(t);
    free(bytes);
}

static void a_plan_that_cannot_be_is_refused(void **state)
{
    (void)state;
    struct trainer *t;
    struct train_plan plan = plan_of(1, 2);
    plan.val.end = ROWS + 1;
    assert_int_equal(trainer_new(&plan, &images, &t), MK_EINPUT);
    plan = plan_of(1, 2);
    plan.batch = 12;
    assert_int_equal(trainer_new(&plan, &images, &t), MK_EINPUT);
    plan = plan_of(0, 2);
    assert_int_equal(trainer_new(&plan, &images, &t), MK_EINPUT);
    plan = plan_of(1, 2);
    plan.shape.height = 32;
    assert_int_equal(trainer_new(&plan, &images, &t), MK_EINPUT);
    plan = plan_of(1, 2);
    plan.shape.classes = 3; /* but there is a label 3 */
    assert_int_equal(trainer_new(&plan, &images, &t), MK_EINPUT);
}

static void stripes_are_learnt_and_recognised(void **state)
{
    (void)state;
    struct trainer *t = trained(2, 300);
    struct train_findings found = trainer_findings(t);
    assert_true(found.val_accuracy > .95);
    assert_true(found.val_null > .95);
    assert_true(found.agreement_val > .95);
    trainer_free(t);
}

/* Symmetric attention, free tokens, self retrieval, the mean of the passes. */
static void the_papers_form_learns_them_too(void **state)
{
    (void)state;
    struct train_plan plan = plan_of(2, 300);
    struct trainer *t;
    plan.shape.symmetric = true;
    plan.method.free_tokens = plan.method.retrieve_self = true;
    plan.method.aggregation = AGGREGATE_MEAN;
    assert_ok(trainer_new(&plan, &images, &t));
    assert_int_equal(trainer_run(t, go_on, NULL), 0);
    struct train_findings found = trainer_findings(t);
    const struct model_info *info = model_info(trainer_model(t));
    assert_int_equal(info->own_tokens, 170);
    assert_int_equal(info->aggregation, AGGREGATE_MEAN);
    assert_true(found.val_accuracy > .95);
    trainer_free(t);
}

static void draw_keys(struct key *keys, size_t n)
{
    struct rng rng = rng_at(1, RNG_TEST, 3, 0);
    for (size_t i = 0; i < n; i++) {
        keys[i] = (struct key){.scale = .01f};
        for (size_t c = 0; c < 3; c++)
            keys[i].q[c] = (int8_t)(rng_below(&rng, 255) - 127);
    }
    keys[n - 1] = keys[0]; /* a copy */
}

static float similarity(const struct key *a, const struct key *b)
{
    int dot = 0;
    for (size_t c = 0; c < 3; c++)
        dot += a->q[c] * b->q[c];
    return (float)dot * a->scale * b->scale;
}

static void neighbours_are_the_nearest_but_no_query_and_no_copy(void **state)
{
    (void)state;
    enum { KEYS = 70, NEAR = 5, FIRST = 1000 };
    struct key keys[KEYS];
    struct neighbour list[KEYS * NEAR];
    draw_keys(keys, KEYS);
    const float tau = similarity(&keys[0], &keys[KEYS - 1]);
    const struct key_list all = {{FIRST, FIRST + KEYS}, keys, 3};
    assert_ok(neighbours_find(&all, &all, NEAR, tau, 2, list));
    for (size_t i = 0; i < KEYS; i++) {
        size_t nearer = 0;
        const struct neighbour *last = &list[i * NEAR + NEAR - 1];
        for (size_t j = 0; j < NEAR; j++)
            assert_int_not_equal(list[i * NEAR + j].row, FIRST + i);
        for (size_t j = 0; j < KEYS; j++) {
            float s = similarity(&keys[j], &keys[i]);
            nearer += j != i && s < tau && s > last->similarity;
        }
        assert_true(nearer <= NEAR - 1);
        assert_true(list[i * NEAR].similarity < tau);
    }
}

static void fewer_neighbours_than_asked_for_end_with_no_row(void **state)
{
    (void)state;
    struct key keys[3];
    struct neighbour list[3 * 4];
    draw_keys(keys, 3);
    keys[2].q[0] = 3;
    const struct key_list all = {{0, 3}, keys, 3};
    assert_ok(neighbours_find(&all, &all, 4, 100, 1, list));
    assert_int_not_equal(list[1].row, NO_ROW);
    assert_int_equal(list[2].row, NO_ROW);
    assert_int_equal(list[3].row, NO_ROW);
}

static void without_a_bound_a_query_is_its_own_nearest(void **state)
{
    (void)state;
    struct key keys[20];
    struct neighbour list[20];
    draw_keys(keys, 20);
    const struct key_list all = {{7, 27}, keys, 3};
    assert_ok(neighbours_find(&all, &all, 1, TAU_ANY, 2, list));
    for (uint32_t i = 0; i < 20; i++)
        assert_true(list[i].similarity >= similarity(&keys[i], &keys[i]));
}

/* rho ~ U(0, .5), two of the first eight survivors, uniformly. */
static void training_retrieves_two_different_ones_of_the_first_survivors(void **state)
{
    (void)state;
    static struct key keys[NEAREST + 1];
    struct neighbour list[(NEAREST + 1) * NEAREST];
    struct hit hits[HITS_TRAINED];
    const struct hit *found[HITS_TRAINED];
    size_t drawn[NEAREST] = {0};
    const struct retrieval r = {{{0, NEAREST + 1}, keys, 3}, list};
    for (size_t i = 0; i < NEAREST; i++)
        list[i] = (struct neighbour){(uint32_t)i + 1, 1 - .01f * (float)i};
    for (uint64_t i = 0; i < 4000; i++) {
        struct rng rng = rng_at(1, RNG_TEST, 0, i);
        stepper_retrieve(&r, &images, .5, 0, &rng, hits, found);
        assert_true(found[0] && found[1] && hits[0].similarity != hits[1].similarity);
        for (size_t j = 0; j < HITS_TRAINED; j++)
            drawn[(size_t)lroundf((1 - hits[j].similarity) * 100)]++;
    }
    assert_in_range(drawn[0], 600, 900); /* 8000 draws, an eighth each, 3/4 survive */
    assert_in_range(drawn[7], 600, 900);
    assert_in_range(drawn[9], 100, 700);
    assert_int_equal(drawn[40], 0);
}

static void a_query_without_neighbours_retrieves_nothing(void **state)
{
    (void)state;
    struct key key = {0};
    struct neighbour list[NEAREST];
    struct hit hits[HITS_TRAINED];
    const struct hit *found[HITS_TRAINED];
    struct rng rng = rng_at(1, RNG_TEST, 0, 0);
    for (size_t i = 0; i < NEAREST; i++)
        list[i].row = NO_ROW;
    const struct retrieval r = {{{0, 1}, &key, 3}, list};
    stepper_retrieve(&r, &images, .5, 0, &rng, hits, found);
    assert_null(found[0]);
    assert_null(found[1]);
}

static void principal_components_are_the_widest_directions(void **state)
{
    (void)state;
    enum { D = 6, N = 400 };
    float z[N * D], mean[D], matrix[D * 2];
    const double angle = .6;
    struct rng rng = rng_at(1, RNG_TEST, 4, 0);
    for (size_t i = 0; i < N; i++) {
        double wide = 10 * rng_normal(&rng), narrow = 3 * rng_normal(&rng);
        for (size_t j = 0; j < D; j++)
            z[i * D + j] = (float)(.1 * rng_normal(&rng) + 5);
        z[i * D + 1] += (float)(wide * cos(angle) - narrow * sin(angle));
        z[i * D + 4] += (float)(wide * sin(angle) + narrow * cos(angle));
    }
    assert_ok(pca_fit(z, N, D, 2, mean, matrix));
    assert_float_equal(mean[0], 5, .1);
    assert_float_equal(fabs(matrix[1 * 2] * cos(angle) + matrix[4 * 2] * sin(angle)), 1,
                       .01);
    assert_float_equal(
        fabs(matrix[4 * 2 + 1] * cos(angle) - matrix[1 * 2 + 1] * sin(angle)), 1, .01);
}

static void a_diagonalised_matrix_is_what_its_parts_say(void **state)
{
    (void)state;
    enum { D = 20 };
    double a[D * D], was[D * D], v[D * D];
    struct rng rng = rng_at(1, RNG_TEST, 5, 0);
    for (size_t i = 0; i < D; i++)
        for (size_t j = 0; j <= i; j++)
            a[i * D + j] = a[j * D + i] = rng_normal(&rng);
    memcpy(was, a, sizeof a);
    pca_diagonalise(a, D, v);
    for (size_t i = 0; i < D; i++)
        for (size_t j = 0; j < D; j++) {
            double sum = 0;
            for (size_t k = 0; k < D; k++)
                sum += v[i * D + k] * a[k * D + k] * v[j * D + k];
            assert_true(fabs(sum - was[i * D + j]) < 1e-9);
        }
}

static void an_epoch_shows_every_row_once(void **state)
{
    (void)state;
    struct stream *s = stream_new((struct row_range){10, 47}, 1, 0);
    uint32_t first[37];
    for (size_t epoch = 0; epoch < 3; epoch++) {
        uint64_t seen = 0;
        for (size_t i = 0; i < 37; i++) {
            uint32_t row = stream_at(s, epoch * 37 + i);
            assert_in_range(row, 10, 46);
            seen |= 1ull << (row - 10);
            if (epoch == 0)
                first[i] = row;
        }
        assert_true(seen == (1ull << 37) - 1);
    }
    assert_int_equal(stream_at(s, 0), first[0]); /* back to the first epoch */
    stream_free(s);
}

/* Where a dot at row 10, column 5 comes to stand.  Returns how many places those are. */
static size_t places_of_a_dot(bool upright, size_t seen[static SIZE])
{
    static uint8_t dot[SIZE], out[SIZE];
    const struct images one = {1, SIDE, SIDE, 1, dot, labels};
    size_t places = 0;
    dot[10 * SIDE + 5] = 255;
    for (uint64_t i = 0; i < 2000; i++) {
        struct rng rng = rng_at(1, RNG_AUGMENT, 0, i);
        size_t lit = 0;
        augment(&one, 0, upright, &rng, out);
        for (size_t at = 0; at < SIZE; at++)
            if (out[at]) {
                assert_int_equal(out[at], 255);
                seen[at]++;
                lit++;
            }
        assert_int_equal(lit, 1);
    }
    for (size_t at = 0; at < SIZE; at++)
        places += seen[at] > 0;
    return places;
}

static void augmentation_moves_and_flips_but_draws_nothing_new(void **state)
{
    (void)state;
    size_t seen[SIZE] = {0}, upright[SIZE] = {0};
    assert_int_equal(places_of_a_dot(false, seen), 50); /* 5 x 5, and as many mirrored */
    assert_int_equal(places_of_a_dot(true, upright), 25);
    assert_int_equal(upright[10 * SIDE + SIDE - 1 - 5], 0);
    assert_true(seen[10 * SIDE + 5] > 0 && seen[10 * SIDE + SIDE - 1 - 5] > 0);
    assert_true(seen[8 * SIDE + 3] > 0 && seen[12 * SIDE + 7] > 0);
}

/* AdamW's first step is the rate times the gradient's sign, however long the gradient. */
static void the_first_step_of_the_optimizer_goes_down_by_the_rate(void **state)
{
    (void)state;
    struct train_plan plan = plan_of(1, 1);
    struct params *x, *g;
    struct optimizer *o;
    assert_ok(params_new(&plan.shape, PARAMS_PROJECTION, &x));
    assert_ok(params_new(&plan.shape, PARAMS_PROJECTION, &g));
    assert_ok(
        optimizer_new(x, 20, .1, &o)); /* of 20 steps, the first is all the warm-up */
    g->values[0] = 1e6f;
    g->values[1] = -1e6f;
    optimizer_step(o, &g, 1);
    assert_float_equal(x->values[0], -.1, 1e-5);
    assert_float_equal(x->values[1], .1, 1e-5);
    assert_float_equal(x->values[2], 0, 0);
    assert_int_equal(o->step, 1);
    optimizer_free(o);
    params_free(x);
    params_free(g);
}

/* Hits that are always right, and a null pass that never is; then the reverse. */
static void calibration_trusts_whoever_is_right(void **state)
{
    (void)state;
    enum { N = 30 };
    static float p[N * (1 + K_TRIED) * CLASSES];
    static struct hit hits[N * K_TRIED];
    uint32_t truth[N], n_hits[N];
    struct train_plan plan = plan_of(1, 1);
    struct model *model;
    assert_ok(model_new(&plan.shape, &model));
    for (int memory_is_right = 0; memory_is_right < 2; memory_is_right++) {
        for (size_t i = 0; i < N * (1 + K_TRIED); i++) {
            bool right = (i % (1 + K_TRIED) > 0) == memory_is_right;
            truth[i / (1 + K_TRIED)] = 1;
            n_hits[i / (1 + K_TRIED)] = K_TRIED;
            for (size_t c = 0; c < CLASSES; c++)
                p[i * CLASSES + c] = c == (right ? 1 : 2) ? .97f : .01f;
        }
        struct held_out held_out = {N, truth, p, hits, n_hits};
        struct calibration found = calibrate(model, &held_out);
        assert_float_equal(model->info.lambda, memory_is_right ? 0 : 1, 0);
        assert_float_equal(found.accuracy, 1, 0);
        assert_float_equal(found.null_accuracy, !memory_is_right, 0);
    }
    model_free(model);
}

static void count_piece(void *context, size_t worker, size_t number)
{
    unsigned char *done = context;
    assert(worker < 7);
    done[number]++;
}

static void every_piece_is_done_once(void **state)
{
    (void)state;
    unsigned char done[1000] = {0};
    parallel_for(7, 1000, count_piece, done);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(done[i], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_bits_on_any_number_of_threads),
        cmocka_unit_test(an_interrupted_run_goes_on_to_the_same_bits),
        cmocka_unit_test(a_model_is_retrained_around_the_keys_of_another),
        cmocka_unit_test(a_checkpoint_of_another_plan_is_refused),
        cmocka_unit_test(a_frozen_encoder_stays_as_it_is_and_a_run_around_it_goes_on),
        cmocka_unit_test(a_plan_that_cannot_be_is_refused),
        cmocka_unit_test(stripes_are_learnt_and_recognised),
        cmocka_unit_test(the_papers_form_learns_them_too),
        cmocka_unit_test(neighbours_are_the_nearest_but_no_query_and_no_copy),
        cmocka_unit_test(fewer_neighbours_than_asked_for_end_with_no_row),
        cmocka_unit_test(without_a_bound_a_query_is_its_own_nearest),
        cmocka_unit_test(training_retrieves_two_different_ones_of_the_first_survivors),
        cmocka_unit_test(a_query_without_neighbours_retrieves_nothing),
        cmocka_unit_test(principal_components_are_the_widest_directions),
        cmocka_unit_test(a_diagonalised_matrix_is_what_its_parts_say),
        cmocka_unit_test(an_epoch_shows_every_row_once),
        cmocka_unit_test(augmentation_moves_and_flips_but_draws_nothing_new),
        cmocka_unit_test(the_first_step_of_the_optimizer_goes_down_by_the_rate),
        cmocka_unit_test(calibration_trusts_whoever_is_right),
        cmocka_unit_test(every_piece_is_done_once),
    };
    return cmocka_run_group_tests_name("train", tests, draw_images, NULL);
}

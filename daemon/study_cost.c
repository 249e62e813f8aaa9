/* SPDX-License-Identifier: Apache-2.0 */
/* What a prediction costs: seconds of its parts, on one thread, and bytes of an instance. */
#include <stdlib.h>

#include "core/err.h"
#include "core/model_forward.h"
#include "daemon/study_models.h"
#include "daemon/study_views.h"

enum { ROUNDS = 15, PAPER_K = 4, PAPER_BYTES = 3584 };

/* Interleaved, so that a busy moment meets all of them. */
enum { COST_CLASSIFIER, COST_MEMORY, COST_ENCODER, COST_SEARCH, COST_PREDICTION, COSTS };

struct found {
    struct hit hit[PAPER_K];
    size_t n;
};

struct costing {
    const struct seed_run *s;
    struct memory *bank;
    struct forward *alone;   /* a null pass and nothing else */
    struct scratch *scratch; /* with K hits */
    struct found *found;     /* (images): what a search finds for each */
    size_t images;
    double seconds[COSTS][ROUNDS];
};

static void search(const struct costing *c, const struct key *key, struct found *found)
{
    memory_lock_shared(c->bank);
    found->n = memory_search(c->bank, key, PAPER_K, found->hit);
    memory_unlock_shared(c->bank);
}

static void run_one(const struct costing *c, int what, size_t image)
{
    const struct model *model = c->s->munkey;
    const uint8_t *pixels = images_at(&c->s->test.images, image);
    float logits[(1 + PAPER_K) * shape_outputs(&model->shape)];
    struct found found = c->found[image];
    struct key key = c->s->test_keys[image];
    if (what == COST_ENCODER || what == COST_PREDICTION)
        model_key(model, c->scratch, pixels, &key);
    if (what == COST_SEARCH || what == COST_PREDICTION)
        search(c, &key, &found);
    if (what == COST_CLASSIFIER)
        forward_run(c->alone, &model->classifier->net, pixels, NULL);
    if (what == COST_MEMORY || what == COST_PREDICTION)
        model_logits(model, c->scratch, pixels, found.hit, found.n, logits);
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, by_value);
    return values[ROUNDS / 2];
}

static void time_all(struct costing *c)
{
    for (int round = 0; round < ROUNDS; round++)
        for (int what = 0; what < COSTS; what++) {
            double began = run_now();
            for (size_t i = 0; i < c->images; i++)
                run_one(c, what, i);
            c->seconds[what][round] = (run_now() - began) / (double)c->images;
        }
}

/* Of the same round: both met the same moment. */
static double passes(const struct costing *c)
{
    double ratio[ROUNDS];
    for (int round = 0; round < ROUNDS; round++)
        ratio[round] =
            c->seconds[COST_MEMORY][round] / c->seconds[COST_CLASSIFIER][round];
    return median(ratio);
}

static int put(struct costing *c, const char *id)
{
    static const char *const names[COSTS] = {"classifier", "with_memory", "encoder",
                                             "search", "prediction"};
    json_t *line = run_line("cost", c->s->seed);
    json_object_set_new(line, "passes", json_real(passes(c)));
    for (int what = 0; what < COSTS; what++)
        json_object_set_new(line, names[what], json_real(median(c->seconds[what])));
    json_object_set_new(line, "searched",
                        json_integer((json_int_t)range_length(c->s->all.b2)));
    json_object_set_new(line, "record_bytes",
                        json_integer((json_int_t)seed_record_bytes(c->s)));
    json_object_set_new(line, "paper_bytes", json_integer(PAPER_BYTES));
    return run_put(c->s->run, id, line);
}

static int measure_cost(struct seed_run *s, const char *id)
{
    int rc = seed_munkey(s);
    if (rc != 0)
        return rc;
    const struct banking banking = {
        .images = &s->all.pixels.images, .keys = s->keys, .range = s->all.b2};
    struct costing c = {.s = s,
                        .images = s->test.images.n < 200 ? s->test.images.n : 200};
    c.alone = forward_new(&s->munkey->shape, 1, 0, FORWARD_ONCE);
    c.scratch = scratch_new_for(s->munkey, PAPER_K, false);
    c.found = calloc(c.images, sizeof *c.found);
    rc = c.alone && c.scratch && c.found
             ? bank_of(s->run->data.shape.key_dim, &banking, &c.bank)
             : fail(MK_ENOMEM, "no memory for activations");
    for (size_t i = 0; rc == 0 && i < c.images; i++)
        search(&c, &s->test_keys[i], &c.found[i]);
    if (rc == 0) {
        time_all(&c);
        rc = put(&c, id);
    }
    forward_free(c.alone);
    scratch_free(c.scratch);
    free(c.found);
    memory_free(c.bank);
    return rc;
}

/* Of the first seed: it does not depend on the seed. */
int study_cost(struct seed_run *s)
{
    char id[ID_SIZE];
    if (!s->run->study->cost || s->seed != s->run->study->seed[0])
        return 0;
    run_id(id, "cost", s->seed, "", "");
    int rc = run_wants(s->run, id) ? measure_cost(s, id) : 0;
    return rc < 0 ? rc : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Ablations: what each choice of the method does to accuracy, and to what a memory gives away. */
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "daemon/study_measure.h"
#include "daemon/study_models.h"
#include "daemon/study_views.h"

/* A value of a choice: another training, or another way to ask the same model. */
struct variant {
    enum ablation name;
    const char *value;
    bool symmetric, free_tokens, retrieve_self; /* trained */
    uint32_t k;                                 /* 0: the model's own */
    bool null_alone, suppress_self, unrounded, no_null;
    int aggregation; /* one more than the enum; 0: the model's own */
};

static const struct variant variants[] = {
    {ABLATE_ATTENTION, .value = "asym"},
    {ABLATE_ATTENTION, .value = "sym", .symmetric = true},
    {ABLATE_TOKENS, .value = "writer"},
    {ABLATE_TOKENS, .value = "free", .free_tokens = true},
    {ABLATE_RETRIEVE, .value = "leave-out"},
    {ABLATE_RETRIEVE, .value = "self", .retrieve_self = true},
    {ABLATE_K, .value = "0", .null_alone = true},
    {ABLATE_K, .value = "1", .k = 1},
    {ABLATE_K, .value = "2", .k = 2},
    {ABLATE_K, .value = "4", .k = 4},
    {ABLATE_K, .value = "8", .k = 8},
    {ABLATE_AGGREGATION, .value = "softmax", .aggregation = 1 + AGGREGATE_SOFTMAX},
    {ABLATE_AGGREGATION, .value = "mean", .aggregation = 1 + AGGREGATE_MEAN},
    {ABLATE_AGGREGATION, .value = "rank", .aggregation = 1 + AGGREGATE_RANK},
    {ABLATE_AGGREGATION, .value = "paper", .k = 4, .no_null = true,
     .aggregation = 1 + AGGREGATE_MEAN},
    {ABLATE_SUPPRESS_SELF, .value = "no"},
    {ABLATE_SUPPRESS_SELF, .value = "yes", .suppress_self = true},
    {ABLATE_KEYS, .value = "int8"},
    {ABLATE_KEYS, .value = "fp32", .unrounded = true},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

static bool is_trained(const struct variant *v)
{
    return v->symmetric || v->free_tokens || v->retrieve_self;
}

/* The model of a variant, with its keys: another one's are freed by done(). */
struct subject_model {
    struct model *model;
    struct key *keys, *test_keys;
    bool owned, owned_keys;
};

static void done(struct subject_model *m)
{
    if (m->owned)
        model_free(m->model);
    if (m->owned_keys) {
        free(m->keys);
        free(m->test_keys);
    }
}

/* Symmetric attention is that of the encoder, too; all others keep the keys. */
static int train(struct seed_run *s, const struct variant *v, struct subject_model *m)
{
    char name[40];
    struct model_wish munkey = model_wish_new(s, "munkey"),
                      wish = model_wish_new(s, name);
    size_t threads = s->run->options->threads;
    snprintf(name, sizeof name, "munkey-%s", v->value);
    wish.symmetric = v->symmetric;
    wish.method.free_tokens = v->free_tokens;
    wish.method.retrieve_self = v->retrieve_self;
    wish.keys = v->symmetric ? NULL : &munkey;
    wish.keys_of = v->symmetric ? NULL : s->munkey;
    int rc = study_munkey(&wish, &m->model);
    m->owned = rc == 0;
    m->owned_keys = v->symmetric;
    if (rc == 0 && v->symmetric)
        rc = views_keys(m->model, &s->all.pixels.images, threads, &m->keys);
    if (rc == 0 && v->symmetric)
        rc = views_keys(m->model, &s->test.images, threads, &m->test_keys);
    return rc;
}

static int find_model(struct seed_run *s, const struct variant *v,
                      struct subject_model *m)
{
    int rc = seed_munkey(s);
    if (rc < 0)
        return rc;
    int listed = rc;
    *m = (struct subject_model){s->munkey, s->keys, s->test_keys, false, false};
    if (is_trained(v)) {
        m->model = NULL;
        if (v->symmetric)
            m->keys = m->test_keys = NULL;
        rc = train(s, v, m);
    }
    return rc < 0 ? rc : rc || listed;
}

/* The members themselves, as many as test rows, are asked about before any deletion. */
static int members(const struct seed_run *s, struct queries *ret_queries)
{
    size_t n = range_length(s->all.b2), most = s->test.images.n;
    bool *none = calloc(n, sizeof *none);
    if (!none)
        return fail(MK_ENOMEM, "no memory for %zu rows", n);
    for (size_t i = 1; i < n && i <= most; i++)
        none[i] = true;
    const struct asked asked = {
        &s->all.pixels, &s->test, s->all.b2, none, s->run->data.shape.classes, 1,
        s->seed};
    int rc = queries_new(&asked, ret_queries);
    free(none);
    return rc;
}

struct asked_twice {
    struct views test, member;
};

/* Both sides by keys that were never rounded. */
static int ask_unrounded(struct seed_run *s, struct asking *a, const struct queries *q,
                         struct asked_twice *ret)
{
    size_t threads = s->run->options->threads, dim = s->run->data.shape.key_dim;
    float *mine = NULL, *tests = NULL;
    int rc = views_unrounded(s->munkey, &s->all.pixels.images, threads, &mine);
    if (rc == 0)
        rc = views_unrounded(s->munkey, &s->test.images, threads, &tests);
    struct unrounded u = {.key = s->keys + s->all.b2.begin,
                          .labels = s->all.pixels.labels + s->all.b2.begin,
                          .n = range_length(s->all.b2),
                          .dim = dim};
    if (rc == 0) {
        u.bank = mine + s->all.b2.begin * dim;
        u.queries = tests;
        a->unrounded = &u;
        rc = views_ask(a, &ret->test);
    }
    if (rc == 0) {
        u.queries = mine;
        a->images = &s->all.pixels.images;
        a->row = q->forget;
        a->n = q->forgotten;
        rc = views_ask(a, &ret->member);
    }
    free(mine);
    free(tests);
    return rc;
}

static int ask(struct seed_run *s, const struct variant *v, const struct subject_model *m,
               const struct queries *q, struct asked_twice *ret)
{
    const struct banking banking = {
        .images = &s->all.pixels.images, .keys = m->keys, .range = s->all.b2};
    struct asking a = {.model = m->model,
                       .images = &s->test.images,
                       .keys = m->test_keys,
                       .n = s->test.images.n,
                       .threads = s->run->options->threads,
                       .suppress_self = v->suppress_self,
                       .first_token = s->all.b2.begin};
    int rc = bank_of(s->run->data.shape.key_dim, &banking, &a.bank);
    if (rc == 0 && v->unrounded)
        rc = ask_unrounded(s, &a, q, ret);
    else if (rc == 0 && (rc = views_ask(&a, &ret->test)) == 0) {
        a.images = &s->all.pixels.images;
        a.keys = m->keys;
        a.row = q->forget;
        a.n = q->forgotten;
        rc = views_ask(&a, &ret->member);
    }
    memory_free(a.bank);
    return rc;
}

/* The model answers in another way while it is asked. */
static int ask_changed(struct seed_run *s, const struct variant *v,
                       const struct subject_model *m, const struct queries *q,
                       struct asked_twice *ret)
{
    const struct model_info info = m->model->info;
    if (v->k > 0)
        m->model->info.k = v->k;
    if (v->aggregation > 0)
        m->model->info.aggregation = (enum aggregation)(v->aggregation - 1);
    if (v->no_null)
        m->model->info.lambda = 0;
    int rc = ask(s, v, m, q, ret);
    m->model->info = info;
    return rc;
}

static int put(struct seed_run *s, const struct variant *v, const struct queries *q,
               const struct asked_twice *views, const char *id)
{
    const struct views *t = &views->test;
    const struct answers all = {v->null_alone ? t->null : t->full, NULL,
                                v->null_alone ? views->member.null : views->member.full};
    const uint32_t *label = s->test.labels;
    struct attack before;
    int rc = measure_confidence(q, &all, &before);
    if (rc < 0)
        return rc;
    json_t *line = run_line("ablation", s->seed);
    json_object_set_new(line, "name", json_string(ablation_name(v->name)));
    json_object_set_new(line, "value", json_string(v->value));
    json_object_set_new(line, "trained", json_boolean(is_trained(v)));
    json_object_set_new(line, "ta",
                        json_real(100 * gap_accuracy(all.test, label, t->n, q->classes)));
    json_object_set_new(line, "null",
                        json_real(100 * gap_accuracy(t->null, label, t->n, q->classes)));
    json_object_set_new(line, "before", json_real(100 * before.auroc));
    return run_put(s->run, id, line);
}

static int measure_variant(struct seed_run *s, const struct variant *v, const char *id)
{
    struct subject_model m = {0};
    struct queries q = {0};
    struct asked_twice views = {{0}, {0}};
    int rc = find_model(s, v, &m);
    if (rc == 0)
        rc = members(s, &q);
    if (rc == 0)
        rc = ask_changed(s, v, &m, &q, &views);
    if (rc == 0)
        rc = put(s, v, &q, &views, id);
    views_done(&views.test);
    views_done(&views.member);
    queries_done(&q);
    done(&m);
    return rc;
}

int study_ablations(struct seed_run *s)
{
    char id[ID_SIZE];
    int rc = 0;
    for (size_t i = 0; rc >= 0 && i < VARIANTS; i++) {
        const struct variant *v = &variants[i];
        if (!s->run->study->ablation[v->name])
            continue;
        run_id(id, "ablation", s->seed, ablation_name(v->name), v->value);
        if (run_wants(s->run, id))
            rc = measure_variant(s, v, id);
    }
    return rc < 0 ? rc : 0;
}

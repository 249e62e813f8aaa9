/* SPDX-License-Identifier: Apache-2.0 */
/* Exact class: rows that the weights never saw are forgotten, bit for bit; and what it costs that
 * they do not see them. */
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/forget_set.h"
#include "daemon/study_measure.h"
#include "daemon/study_models.h"
#include "daemon/study_plain.h"
#include "daemon/study_views.h"

/* As munkey-train shares out what the weights may see. */
static struct arrangement_wish wish_of(const struct seed_run *s, double base)
{
    return (struct arrangement_wish){s->run->study->images, base, 12, 15, 3};
}

/* A model whose weights saw a share, and what can be enrolled: B2 and the rest. */
struct partial {
    struct seed_run *s;
    struct arrangement all;
    struct model *model;
    struct key *keys, *test_keys;
};

static void partial_done(struct partial *p)
{
    arrangement_done(&p->all);
    model_free(p->model);
    free(p->keys);
    free(p->test_keys);
}

/* 1: only listed. */
static int partial_new(struct seed_run *s, double base, struct partial *p)
{
    char name[40] = "";
    struct model_wish wish = model_wish_new(s, name);
    size_t threads = s->run->options->threads;
    p->s = s;
    snprintf(name, sizeof name, "munkey-seen-%g", 100 * base);
    wish.share = wish_of(s, base);
    int rc = arrangement_draw(&s->run->data, &wish.share, s->seed, &p->all);
    wish.rows = &p->all;
    if (rc == 0)
        rc = study_munkey(&wish, &p->model);
    if (rc == 0)
        rc = views_keys(p->model, &p->all.pixels.images, threads, &p->keys);
    if (rc == 0)
        rc = views_keys(p->model, &s->test.images, threads, &p->test_keys);
    return rc;
}

/* B2 and the rest but who is left out, one way or the other. */
static int partial_bank(const struct partial *p, const bool *without, bool backwards,
                        struct memory **ret_bank)
{
    struct banking rest = {.images = &p->all.pixels.images,
                           .keys = p->keys,
                           .without = without,
                           .range = p->all.rest,
                           .backwards = backwards};
    struct banking b2 = rest;
    b2.without = NULL;
    b2.range = p->all.b2;
    int rc = bank_of(p->s->run->data.shape.key_dim, backwards ? &rest : &b2, ret_bank);
    if (rc < 0)
        return rc;
    if ((rc = bank_add(*ret_bank, backwards ? &b2 : &rest)) < 0) {
        memory_free(*ret_bank);
        *ret_bank = NULL;
    }
    return rc;
}

static int partial_ask(const struct partial *p, struct memory *bank,
                       const struct images *images, const struct key *keys,
                       const uint32_t *row, size_t n, struct views *ret_views)
{
    const struct asking a = {.model = p->model,
                             .bank = bank,
                             .images = images,
                             .keys = keys,
                             .row = row,
                             .n = n,
                             .threads = p->s->run->options->threads};
    return views_ask(&a, ret_views);
}

static int ask_all(const struct partial *p, const struct queries *q, struct memory *bank,
                   struct views v[SETS])
{
    const struct images *mine = &p->all.pixels.images;
    int rc = partial_ask(p, bank, &p->s->test.images, p->test_keys, NULL, q->tests,
                         &v[SET_TEST]);
    if (rc == 0)
        rc = partial_ask(p, bank, mine, p->keys, q->retain, q->retained, &v[SET_RETAIN]);
    if (rc == 0)
        rc = partial_ask(p, bank, mine, p->keys, q->forget, q->forgotten, &v[SET_FORGET]);
    return rc;
}

/* One service that forgot, another that never held them. */
struct exact {
    struct partial *p;
    const struct forget_wish *wish;
    bool *forget; /* (rows of the rest) */
    struct queries q;
    struct views forgot[SETS], never[SETS];
    struct plain_answers reference; /* of what saw none of either */
    double deletion;
};

static int choose_among(const struct arrangement *all, uint64_t seed,
                        const struct forget_wish *wish, bool *forget)
{
    size_t n = range_length(all->rest);
    switch (wish->kind) {
    case FORGET_CLASS:
        return forget_class(all->pixels.labels + all->rest.begin, n, wish->class, forget);
    case FORGET_SUBJECTS:
        return arrangement_subjects(all, all->rest, seed, wish->share, forget);
    default:
        return forget_random(seed, n, wish->share, forget);
    }
}

static int choose(struct exact *e)
{
    const struct arrangement *all = &e->p->all;
    size_t n = range_length(all->rest);
    uint64_t seed = e->p->s->seed;
    if (!(e->forget = calloc(n, sizeof *e->forget)))
        return fail(MK_ENOMEM, "no memory for %zu rows", n);
    int count = choose_among(all, seed, e->wish, e->forget);
    const struct asked asked = {&all->pixels,
                                &e->p->s->test,
                                all->rest,
                                e->forget,
                                e->p->s->run->data.shape.classes,
                                e->p->s->run->study->tests,
                                seed};
    return count < 0 ? count : queries_new(&asked, &e->q);
}

static int ask_both(struct exact *e)
{
    struct memory *one = NULL, *other = NULL;
    int rc = partial_bank(e->p, NULL, false, &one);
    if (rc == 0)
        rc = partial_bank(e->p, e->forget, true, &other);
    if (rc == 0) {
        e->deletion = bank_forget(one, e->p->all.rest, e->forget);
        rc = ask_all(e->p, &e->q, one, e->forgot);
    }
    if (rc == 0)
        rc = ask_all(e->p, &e->q, other, e->never);
    memory_free(one);
    memory_free(other);
    return rc;
}

/* RMIA's reference: a plain classifier of the rows that this model's weights saw. */
static int ask_reference(struct exact *e)
{
    struct model_wish wish = model_wish_new(e->p->s, "plain-seen-50");
    struct params *params = NULL;
    wish.rows = &e->p->all;
    wish.share = wish_of(e->p->s, .5);
    int rc = study_plain(&wish, &params);
    if (rc == 0)
        rc = plain_answers_ask(params, &e->q, e->p->s->run->options->threads,
                               &e->reference);
    params_free(params);
    return rc;
}

static struct answers full(const struct views v[SETS])
{
    return (struct answers){v[SET_TEST].full, v[SET_RETAIN].full, v[SET_FORGET].full};
}

/* All passes of the answers: an equal mixture of different ones would not do. */
static size_t different(const struct exact *e)
{
    const struct views *a = &e->forgot[SET_TEST], *b = &e->never[SET_TEST];
    size_t n = 0, classes = e->q.classes;
    for (size_t i = 0; i < a->n; i++) {
        size_t at = i * classes;
        n += measure_different(a->full + at, b->full + at, 1, classes) ||
             measure_different(a->null + at, b->null + at, 1, classes) ||
             measure_different(a->memory + at, b->memory + at, 1, classes) ||
             measure_different(a->blind + at, b->blind + at, 1, classes) ||
             measure_different(a->knn + at, b->knn + at, 1, classes);
    }
    return n;
}

static void count(json_t *line, const char *name, size_t value)
{
    json_object_set_new(line, name, json_integer((json_int_t)value));
}

static int put_exact(const struct exact *e, const char *const id[2])
{
    struct run *run = e->p->s->run;
    const struct answers target = full(e->forgot), self = full(e->never);
    const struct answers reference = plain_view(&e->reference);
    size_t enrolled = range_length(e->p->all.rest);
    struct figures figures;
    int rc = measure_self(&e->q, &target, &self, &reference, 1, &figures);
    if (rc < 0)
        return rc;
    json_t *row = run_line("forgetting", e->p->s->seed);
    json_t *line = run_line("exact", e->p->s->seed);
    json_object_set_new(row, "forget", json_string(e->wish->name));
    json_object_set_new(row, "method", json_string("munkey-exact"));
    json_object_set_new(row, "oracle", json_string("self"));
    json_object_set_new(row, "share",
                        json_real(100 * (double)e->q.forgotten / (double)enrolled));
    count(row, "forgotten", e->q.forgotten);
    json_object_set_new(row, "seconds", json_real(e->deletion));
    count(row, "bytes", seed_record_bytes(e->p->s));
    json_object_set_new(row, "knobs", json_string(""));
    count(row, "different", different(e));
    json_figures(row, &figures);
    json_object_set_new(line, "forget", json_string(e->wish->name));
    count(line, "enrolled", enrolled);
    count(line, "forgotten", e->q.forgotten);
    count(line, "queries", e->q.tests);
    count(line, "different", different(e));
    json_object_set_new(line, "gap", json_real(figures.gap));
    rc = run_put(run, id[0], line);
    if (rc < 0)
        json_decref(row);
    return rc == 0 ? run_put(run, id[1], row) : rc;
}

static void exact_done(struct exact *e)
{
    free(e->forget);
    queries_done(&e->q);
    for (int set = 0; set < SETS; set++) {
        views_done(&e->forgot[set]);
        views_done(&e->never[set]);
    }
    plain_answers_done(&e->reference);
}

static int measure_exact(struct seed_run *s, struct partial *p,
                         const struct forget_wish *wish)
{
    char id[2][ID_SIZE];
    const char *const ids[] = {id[0], id[1]};
    struct exact e = {.p = p, .wish = wish};
    run_id(id[0], "exact", s->seed, wish->name, "");
    run_id(id[1], "forgetting", s->seed, wish->name, "munkey-exact");
    bool wanted = run_wants(s->run, id[0]);
    wanted |= run_wants(s->run, id[1]);
    if (!wanted)
        return 0;
    int rc = p->s ? 0 : partial_new(s, .5, p);
    if (rc >= 0 && (rc = choose(&e)) == 0 && (rc = ask_reference(&e)) == 0)
        rc = ask_both(&e);
    if (rc == 0)
        rc = put_exact(&e, ids);
    exact_done(&e);
    return rc;
}

/* Whoever is chosen without a model; who is remembered best only one that saw them says. */
static bool can_be_chosen(const struct forget_wish *wish)
{
    return wish->kind == FORGET_RANDOM || wish->kind == FORGET_CLASS ||
           wish->kind == FORGET_SUBJECTS;
}

int study_exact(struct seed_run *s)
{
    struct partial p = {0};
    int rc = 0;
    for (size_t i = 0; rc >= 0 && s->run->study->exact && i < s->run->study->forgets;
         i++) {
        const struct forget_wish *wish = &s->run->study->forget[i];
        if (can_be_chosen(wish))
            rc = measure_exact(s, &p, wish);
    }
    partial_done(&p);
    return rc < 0 ? rc : 0;
}

static int measure_price(struct seed_run *s, double share, const char *id)
{
    struct partial p = {0};
    struct memory *bank = NULL;
    struct views v = {0};
    const struct pixels *test = &s->test;
    size_t classes = s->run->data.shape.classes;
    int rc = partial_new(s, share, &p);
    if (rc == 0)
        rc = partial_bank(&p, NULL, false, &bank);
    if (rc == 0)
        rc = partial_ask(&p, bank, &test->images, p.test_keys, NULL, test->images.n, &v);
    if (rc == 0) {
        json_t *line = run_line("price", s->seed);
        json_object_set_new(line, "share", json_real(100 * share));
        json_object_set_new(
            line, "ta",
            json_real(100 * gap_accuracy(v.full, test->labels, v.n, classes)));
        json_object_set_new(
            line, "null",
            json_real(100 * gap_accuracy(v.null, test->labels, v.n, classes)));
        count(line, "held", range_length(p.all.b2) + range_length(p.all.rest));
        rc = run_put(s->run, id, line);
    }
    views_done(&v);
    memory_free(bank);
    partial_done(&p);
    return rc;
}

int study_price(struct seed_run *s)
{
    char id[ID_SIZE], name[32];
    int rc = 0;
    for (size_t i = 0; rc >= 0 && i < s->run->study->prices; i++) {
        double share = s->run->study->price[i];
        snprintf(name, sizeof name, "%g", 100 * share);
        run_id(id, "price", s->seed, name, "");
        if (run_wants(s->run, id))
            rc = measure_price(s, share, id);
    }
    return rc < 0 ? rc : 0;
}

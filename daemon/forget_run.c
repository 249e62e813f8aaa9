/* SPDX-License-Identifier: Apache-2.0 */
/* One forget set of one seed: who is forgotten. */
#include "daemon/forget_run.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/forget_set.h"
#include "core/train_neighbours.h"

struct model_wish forget_oracle_wish(const struct forget_run *f, size_t r,
                                     const struct model_wish *munkey,
                                     char name[static 32])
{
    struct model_wish wish = model_wish_new(f->s, name);
    snprintf(name, 32, "%s-oracle-%zu", munkey ? "munkey" : "plain", r + 1);
    wish.train_seed = model_seed(f->s->seed, r + 1);
    wish.rows = &f->without;
    wish.without = &f->who;
    wish.keys = munkey;
    wish.keys_of = munkey ? f->s->munkey : NULL;
    return wish;
}

static int ask_oracle(struct forget_run *f, size_t r)
{
    char name[32];
    struct model_wish munkey = model_wish_new(f->s, "munkey");
    struct model_wish wish = forget_oracle_wish(f, r, &munkey, name);
    struct model *model = NULL;
    struct memory *bank = NULL;
    int rc = study_munkey(&wish, &model);
    if (rc == 0)
        rc = forget_bank(f, true, &bank);
    if (rc == 0)
        rc = forget_ask(f, model, bank, f->oracle[r]);
    memory_free(bank);
    model_free(model);
    return rc;
}

int forget_oracles(struct forget_run *f)
{
    int rc = seed_munkey(f->s), listed = rc;
    for (size_t r = 0; rc >= 0 && r < f->s->run->study->oracles; r++)
        if (!f->oracle[r][SET_TEST].full && (rc = ask_oracle(f, r)) > 0)
            listed = 1;
    return rc < 0 ? rc : listed;
}

/* Nearest other member of each. */
static int choose_near_duplicates(struct seed_run *s, const struct forget_wish *w,
                                  bool *forget)
{
    size_t n = range_length(s->all.b2);
    const struct key_list keys = {s->all.b2, s->keys + s->all.b2.begin,
                                  s->run->data.shape.key_dim};
    struct neighbour *near = calloc(n, sizeof *near);
    uint32_t *nearest = calloc(n, sizeof *nearest);
    double *similarity = calloc(n, sizeof *similarity);
    int rc =
        near && nearest && similarity
            ? neighbours_find(&keys, &keys, 1, FLT_MAX, s->run->options->threads, near)
            : fail(MK_ENOMEM, "no memory for %zu neighbours", n);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        nearest[i] = near[i].row - (uint32_t)s->all.b2.begin;
        similarity[i] = near[i].similarity;
    }
    if (rc == 0)
        rc = forget_copied(nearest, similarity, n, forget_count(n, w->share), forget);
    free(near);
    free(nearest);
    free(similarity);
    return rc;
}

/* log p(label) of one row, in the mean over models. */
static double mean_log(const struct views *const *views, size_t n, size_t row,
                       size_t classes, uint32_t label)
{
    double sum = 0;
    for (size_t r = 0; r < n; r++)
        sum += views[r]->null[row * classes + label];
    return attack_log(sum / (double)n);
}

/* What weights know of a row that others, which never saw it, do not: log p_full - log mean_r p_ref of
 * null passes, since a memory knows all that it holds. */
static int score_memorised(struct forget_run *among, double *score)
{
    struct seed_run *s = among->s;
    size_t classes = s->run->data.shape.classes, n = among->q.forgotten;
    const struct views *oracles[STUDY_ORACLES];
    struct views full[SETS] = {{0}};
    const struct views *mine = &full[SET_FORGET];
    struct memory *bank = NULL;
    int rc = forget_oracles(among);
    if (rc == 0)
        rc = forget_bank(among, false, &bank);
    if (rc == 0)
        rc = forget_ask(among, s->munkey, bank, full);
    for (size_t r = 0; r < s->run->study->oracles; r++)
        oracles[r] = &among->oracle[r][SET_FORGET];
    for (size_t i = 0; rc == 0 && i < n; i++) {
        uint32_t label = among->q.forget_label[i];
        score[among->q.forget[i] - s->all.b2.begin] =
            mean_log(&mine, 1, i, classes, label) -
            mean_log(oracles, s->run->study->oracles, i, classes, label);
    }
    for (int set = 0; set < SETS; set++)
        views_done(&full[set]);
    memory_free(bank);
    return rc;
}

static int choose_memorised(struct seed_run *s, const struct forget_wish *w, bool *forget)
{
    size_t n = range_length(s->all.b2);
    struct forget_wish random = {.kind = FORGET_RANDOM, .share = w->among};
    struct forget_run among = {0};
    double *score = calloc(n, sizeof *score);
    snprintf(random.name, sizeof random.name, "random-%g", 100 * w->among);
    int rc = score ? forget_run_new(s, &random, &among)
                   : fail(MK_ENOMEM, "no memory for %zu rows", n);
    for (size_t i = 0; rc == 0 && i < n; i++)
        score[i] = -HUGE_VAL;
    if (rc == 0)
        rc = score_memorised(&among, score);
    if (rc == 0)
        rc = forget_highest(score, n, forget_count(n, w->share), forget);
    forget_run_done(&among);
    free(score);
    return rc;
}

/* As many, for a list: but what finding the memorised needs is listed too. */
static int choose_any(struct seed_run *s, const struct forget_wish *w, bool *forget)
{
    int rc = w->kind == FORGET_MEMORISED ? choose_memorised(s, w, forget) : 1;
    return rc < 0 ? rc
                  : forget_random(s->seed, range_length(s->all.b2), w->share, forget);
}

/* How many are forgotten. */
static int choose(struct seed_run *s, const struct forget_wish *w, bool *forget)
{
    size_t n = range_length(s->all.b2);
    bool by_model = w->kind == FORGET_MEMORISED || w->kind == FORGET_NEAR_DUPLICATES;
    if (by_model && s->run->options->list)
        return choose_any(s, w, forget);
    int rc = by_model ? seed_munkey(s) : 0;
    if (rc != 0)
        return rc;
    switch (w->kind) {
    case FORGET_CLASS:
        return forget_class(s->all.pixels.labels + s->all.b2.begin, n, w->class, forget);
    case FORGET_SUBJECTS:
        return arrangement_subjects(&s->all, s->all.b2, s->seed, w->share, forget);
    case FORGET_MEMORISED:
        return choose_memorised(s, w, forget);
    case FORGET_NEAR_DUPLICATES:
        return choose_near_duplicates(s, w, forget);
    default:
        return forget_random(s->seed, n, w->share, forget);
    }
}

int forget_run_new(struct seed_run *s, const struct forget_wish *wish,
                   struct forget_run *ret_run)
{
    struct forget_run f = {.s = s, .who = {.wish = wish}};
    f.who.forget = calloc(range_length(s->all.b2), sizeof *f.who.forget);
    int rc = f.who.forget ? choose(s, wish, f.who.forget)
                          : fail(MK_ENOMEM, "no memory for a forget set");
    if (rc > 0) {
        f.who.n = (size_t)rc;
        rc = 0;
    }
    const struct asked asked = {&s->all.pixels,
                                &s->test,
                                s->all.b2,
                                f.who.forget,
                                s->run->data.shape.classes,
                                s->run->study->tests,
                                s->seed};
    if (rc == 0)
        rc = queries_new(&asked, &f.q);
    if (rc == 0)
        rc = arrangement_without(&s->all, f.who.forget, &f.without);
    if (rc < 0)
        forget_run_done(&f);
    else
        *ret_run = f; /* transferred */
    return rc < 0 ? fail(rc, "%s, seed %llu: %s", wish->name, (unsigned long long)s->seed,
                         err_why())
                  : 0;
}

void forget_run_done(struct forget_run *f)
{
    free(f->who.forget);
    arrangement_done(&f->without);
    queries_done(&f->q);
    for (size_t r = 0; r < STUDY_ORACLES; r++)
        for (int set = 0; set < SETS; set++)
            views_done(&f->oracle[r][set]);
    *f = (struct forget_run){0};
}

json_t *forget_line(const struct forget_run *f, const char *kind, const char *method)
{
    json_t *line = run_line(kind, f->s->seed);
    json_object_set_new(line, "forget", json_string(f->who.wish->name));
    if (method)
        json_object_set_new(line, "method", json_string(method));
    return line;
}

void forget_row(const struct forget_run *f, json_t *line, const char *oracle,
                double seconds, size_t bytes, const char *knobs)
{
    double members = (double)range_length(f->s->all.b2);
    json_object_set_new(line, "oracle", json_string(oracle));
    json_object_set_new(line, "share", json_real(100 * (double)f->who.n / members));
    json_object_set_new(line, "forgotten", json_integer((json_int_t)f->who.n));
    json_object_set_new(line, "seconds", json_real(seconds));
    json_object_set_new(line, "bytes", json_integer((json_int_t)bytes));
    json_object_set_new(line, "knobs", json_string(knobs));
}

int forget_ask(const struct forget_run *f, const struct model *model, struct memory *bank,
               struct views ret_views[SETS])
{
    const struct seed_run *s = f->s;
    struct asking a = {.model = model,
                       .bank = bank,
                       .images = &s->test.images,
                       .keys = s->test_keys,
                       .n = f->q.tests,
                       .threads = s->run->options->threads,
                       .first_token = s->all.b2.begin};
    int rc = views_ask(&a, &ret_views[SET_TEST]);
    a.images = &s->all.pixels.images;
    a.keys = s->keys;
    a.row = f->q.retain;
    a.n = f->q.retained;
    if (rc == 0)
        rc = views_ask(&a, &ret_views[SET_RETAIN]);
    a.row = f->q.forget;
    a.n = f->q.forgotten;
    return rc == 0 ? views_ask(&a, &ret_views[SET_FORGET]) : rc;
}

int forget_bank(const struct forget_run *f, bool without, struct memory **ret_bank)
{
    const struct seed_run *s = f->s;
    const struct banking banking = {.images = &s->all.pixels.images,
                                    .keys = s->keys,
                                    .without = without ? f->who.forget : NULL,
                                    .range = s->all.b2};
    return bank_of(s->run->data.shape.key_dim, &banking, ret_bank);
}

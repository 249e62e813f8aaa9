/* SPDX-License-Identifier: Apache-2.0 */
/* Post-hoc methods on the plain classifier: tuned on the first seed, then measured. */
#include "daemon/study_baselines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "daemon/progress.h"

static int ask(const struct baseline_run *b, const struct params *params,
               struct plain_answers *ret_answers)
{
    return plain_answers_ask(params, &b->f->q, b->f->s->run->options->threads,
                             ret_answers);
}

/* One is kept to make others of; the oracles' answers too.  1: only listed. */
static int find_plain(struct baseline_run *b)
{
    struct forget_run *f = b->f;
    const struct model_wish wish = model_wish_new(f->s, "plain");
    int rc = b->plain ? 0 : study_plain(&wish, &b->plain), listed = rc;
    if (rc == 0 && !b->answers.p[0])
        rc = ask(b, b->plain, &b->answers);
    for (size_t r = 0; rc >= 0 && r < f->s->run->study->oracles; r++) {
        char name[32];
        const struct model_wish oracle = forget_oracle_wish(f, r, NULL, name);
        if (b->oracle[r])
            continue;
        if ((rc = study_plain(&oracle, &b->oracle[r])) > 0)
            listed = 1;
        else if (rc == 0 && (rc = ask(b, b->oracle[r], &b->oracle_answers[r])) == 0)
            b->oracle_view[r] = plain_view(&b->oracle_answers[r]);
    }
    return rc < 0 ? rc : listed;
}

static void id_of(const struct baseline_run *b, char id[static ID_SIZE], const char *kind,
                  const char *rest)
{
    run_id(id, kind, b->f->s->seed, b->f->who.wish->name, rest);
}

int baseline_put(const struct baseline_run *b, const char *method, const char *oracle,
                 const struct figures *figures, double seconds, size_t bytes,
                 const char *knobs)
{
    char id[ID_SIZE];
    json_t *line = forget_line(b->f, "forgetting", method);
    forget_row(b->f, line, oracle, seconds, bytes, knobs);
    json_figures(line, figures);
    id_of(b, id, "forgetting", method);
    return run_put(b->f->s->run, id, line);
}

static int put_plain(struct baseline_run *b)
{
    const struct queries *q = &b->f->q;
    size_t n = b->f->s->run->study->oracles;
    const struct answers target = plain_view(&b->answers);
    struct figures figures;
    char name[32];
    double seconds = 0;
    for (size_t r = 0; r < n; r++) {
        const struct model_wish wish = forget_oracle_wish(b->f, r, NULL, name);
        seconds += study_seconds(&wish, true) / (double)n;
    }
    int rc = measure_figures(q, &target, b->oracle_view, n, &figures);
    if (rc == 0)
        rc = baseline_put(b, "plain", "plain", &figures, 0, 0, "");
    if (rc == 0)
        rc = measure_oracles(q, b->oracle_view, n, &figures);
    return rc == 0 ? baseline_put(b, "plain-oracle", "plain", &figures, seconds,
                                  seed_image_bytes(b->f->s), "")
                   : rc;
}

static struct unlearn_plan plan_of(const struct baseline_run *b)
{
    const struct seed_run *s = b->f->s;
    const struct plain_plan plain = study_plain_plan(s, s->seed);
    return (struct unlearn_plan){
        .seed = s->seed,
        .threads = plain.threads,
        .batch = plain.batch,
        .smoothing = plain.smoothing,
        .upright = plain.upright,
        .budget = plain_steps(&plain, b->f->without.b2.end) / 10,
    };
}

/* The rows of training without the forgotten, and those. */
static int unlearn_with(struct baseline_run *b, const struct unlearn_plan *plan,
                        struct figures *ret_figures, double *ret_seconds)
{
    const struct arrangement *a = &b->f->without;
    size_t retained = a->b2.end, n = a->pixels.images.n, forgotten = b->f->who.n;
    struct progress progress = {0};
    struct unlearned result = {0};
    struct plain_answers answers = {{0}};
    uint32_t *row = calloc(n, sizeof *row);
    if (!row)
        return fail(MK_ENOMEM, "no memory for %zu rows", n);
    for (uint32_t i = 0; i < n; i++)
        row[i] = i;
    double began = run_now();
    int rc = unlearn(b->plain, &a->pixels.images, (struct row_list){row, retained},
                     (struct row_list){row + n - forgotten, forgotten}, plan, study_tell,
                     &progress, &result);
    *ret_seconds = run_now() - began;
    progress_end(&progress);
    if (rc == 1)
        rc = run_check();
    if (rc == 0)
        rc = ask(b, result.params, &answers);
    const struct answers target = plain_view(&answers);
    if (rc == 0)
        rc = measure_figures(&b->f->q, &target, b->oracle_view,
                             b->f->s->run->study->oracles, ret_figures);
    params_free(result.params);
    plain_answers_done(&answers);
    free(row);
    return rc;
}

/* "tuning/1/random-10/salun/3", of the first seed. */
static void tuning_id(const struct baseline_run *b, enum unlearn_method method, size_t i,
                      char id[static ID_SIZE])
{
    char rest[64];
    snprintf(rest, sizeof rest, "%s/%zu", unlearn_name(method), i);
    run_id(id, "tuning", b->f->s->run->study->seed[0], b->f->who.wish->name, rest);
}

static int try_knobs(struct baseline_run *b, const struct unlearn_plan *plan, size_t i,
                     const char *id)
{
    struct figures figures;
    double seconds;
    char knobs[UNLEARN_TEXT_SIZE];
    int rc = run_check();
    unlearn_text(plan, knobs);
    fprintf(stderr, "%s of %s: %s\n", unlearn_name(plan->method), b->f->who.wish->name,
            knobs);
    if (rc == 0)
        rc = unlearn_with(b, plan, &figures, &seconds);
    if (rc < 0)
        return rc;
    json_t *line = forget_line(b->f, "tuning", unlearn_name(plan->method));
    json_object_set_new(line, "number", json_integer((json_int_t)i));
    json_object_set_new(line, "knobs", json_string(knobs));
    json_object_set_new(line, "gap", json_real(figures.gap));
    json_object_set_new(line, "ta", json_real(figures.outcome.ta));
    json_object_set_new(line, "seconds", json_real(seconds));
    return run_put(b->f->s->run, id, line);
}

/* Every combination that the rule tries has a line afterwards; of the first seed alone. */
static int tune(struct baseline_run *b, enum unlearn_method method)
{
    struct unlearn_plan plan = plan_of(b);
    const struct run *run = b->f->s->run;
    char id[ID_SIZE];
    int rc = 0;
    for (size_t i = 0; rc == 0 && unlearn_choose(method, i, &plan); i++) {
        tuning_id(b, method, i, id);
        if (b->f->s->seed == run->study->seed[0] && !study_store_line(run->store, id))
            rc = try_knobs(b, &plan, i, id);
    }
    return rc;
}

/* The combination with the least gap. */
static int choose(const struct baseline_run *b, enum unlearn_method method,
                  struct unlearn_plan *plan)
{
    double least = HUGE_VAL;
    size_t best = SIZE_MAX;
    char id[ID_SIZE];
    for (size_t i = 0; unlearn_choose(method, i, plan); i++) {
        tuning_id(b, method, i, id);
        const json_t *line = study_store_line(b->f->s->run->store, id);
        double gap = json_number_value(json_object_get(line, "gap"));
        if (line && gap < least) {
            least = gap;
            best = i;
        }
    }
    if (best == SIZE_MAX)
        return fail(MK_EINPUT, "%s was not tuned: the first seed comes first",
                    unlearn_name(method));
    unlearn_choose(method, best, plan);
    return 0;
}

static int put_post_hoc(struct baseline_run *b, enum unlearn_method method)
{
    struct unlearn_plan plan = plan_of(b);
    struct figures figures;
    double seconds = 0;
    char knobs[UNLEARN_TEXT_SIZE];
    int rc = tune(b, method);
    if (rc == 0)
        rc = choose(b, method, &plan);
    if (rc == 0)
        rc = unlearn_with(b, &plan, &figures, &seconds);
    unlearn_text(&plan, knobs);
    return rc == 0 ? baseline_put(b, unlearn_name(method), "plain", &figures, seconds,
                                  seed_image_bytes(b->f->s), knobs)
                   : rc;
}

/* Counted, and listed, all at once. */
static bool wants(const struct baseline_run *b, bool ret_wanted[static BASELINES + 2])
{
    const struct run *run = b->f->s->run;
    char id[ID_SIZE];
    bool any = false, chosen = false;
    for (int i = 0; i < BASELINES; i++)
        chosen |= run->study->baseline[i];
    for (int i = 0; i < BASELINES + 2; i++) {
        bool wanted = i < BASELINES ? run->study->baseline[i] : chosen;
        id_of(b, id, "forgetting",
              i < BASELINES    ? baseline_name((enum baseline)i)
              : i == BASELINES ? "plain"
                               : "plain-oracle");
        ret_wanted[i] = wanted && run_wants(b->f->s->run, id);
        any |= ret_wanted[i];
    }
    return any;
}

static int put_one(struct baseline_run *b, enum baseline baseline)
{
    switch (baseline) {
    case BASELINE_KNN:
        return baseline_knn(b);
    case BASELINE_KNN_LM:
        return baseline_knn_lm(b);
    case BASELINE_RAC:
        return baseline_rac(b);
    case BASELINE_SISA:
        return baseline_sisa(b);
    default:
        return put_post_hoc(b, (enum unlearn_method)baseline);
    }
}

static void baseline_done(struct baseline_run *b)
{
    params_free(b->plain);
    plain_answers_done(&b->answers);
    for (size_t r = 0; r < STUDY_ORACLES; r++) {
        params_free(b->oracle[r]);
        plain_answers_done(&b->oracle_answers[r]);
    }
}

int study_baselines_forget(struct forget_run *f)
{
    struct baseline_run b = {.f = f};
    bool wanted[BASELINES + 2];
    if (!wants(&b, wanted))
        return 0;
    int rc = find_plain(&b);
    if (rc == 0 && (wanted[BASELINES] || wanted[BASELINES + 1]))
        rc = put_plain(&b);
    for (int i = 0; rc == 0 && i < BASELINES; i++)
        if (wanted[i] && (rc = run_check()) == 0)
            rc = put_one(&b, (enum baseline)i);
    baseline_done(&b);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Methods that forget by their design: kNN-LM, RAC with deletion, SISA; kNN is in study_knn.c. */
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/mixture.h"
#include "core/rac.h"
#include "core/sisa.h"
#include "daemon/progress.h"
#include "daemon/study_near.h"

/* Fitted on the rows of calibration, with the bank that it then has. */
static int fit(const struct baseline_run *b, const struct params *params,
               const struct near_bank *bank, struct mixture *ret_mixture)
{
    const struct seed_run *s = b->f->s;
    size_t n = range_length(s->all.val), threads = s->run->options->threads;
    uint32_t *row = calloc(n, sizeof *row);
    float *p = calloc(n * b->f->q.classes, sizeof *p);
    struct near *near = calloc(n * MIXTURE_K, sizeof *near);
    int rc = row && p && near ? 0 : fail(MK_ENOMEM, "no memory for %zu rows", n);
    for (size_t i = 0; rc == 0 && i < n; i++)
        row[i] = (uint32_t)(s->all.val.begin + i);
    if (rc == 0)
        rc = plain_probabilities(params, &s->all.pixels.images, (struct row_list){row, n},
                                 threads, p);
    if (rc == 0)
        rc = mixture_nearest(&bank->view, s->keys + s->all.val.begin, n, false, threads,
                             near);
    if (rc == 0)
        mixture_fit(p, near, s->all.pixels.labels + s->all.val.begin, n, b->f->q.classes,
                    ret_mixture);
    free(row);
    free(p);
    free(near);
    return rc;
}

static int mix_all(const struct baseline_run *b, const struct plain_answers *plain,
                   const struct near_bank *bank, const struct mixture *mixture,
                   struct plain_answers *answers)
{
    size_t classes = b->f->q.classes;
    int rc = plain_answers_new(&b->f->q, answers);
    for (int set = 0; rc == 0 && set < SETS; set++) {
        struct near *near = NULL;
        rc = near_find(b, bank, set, &near);
        for (size_t i = 0; rc == 0 && i < queries_rows(&b->f->q, set).n; i++)
            mixture_answer(mixture, plain->p[set] + i * classes, near + i * MIXTURE_K,
                           classes, answers->p[set] + i * classes);
        free(near);
    }
    return rc;
}

/* A method, and the same made by an oracle: compared, and its row written. */
struct compared {
    struct plain_answers target, oracle[STUDY_ORACLES];
};

static void compared_done(struct compared *c)
{
    plain_answers_done(&c->target);
    for (size_t r = 0; r < STUDY_ORACLES; r++)
        plain_answers_done(&c->oracle[r]);
}

static int put_compared(struct baseline_run *b, const char *method,
                        const struct compared *c, double seconds)
{
    size_t n = b->f->s->run->study->oracles;
    struct answers oracle[STUDY_ORACLES], target = plain_view(&c->target);
    struct figures figures;
    for (size_t r = 0; r < n; r++)
        oracle[r] = plain_view(&c->oracle[r]);
    int rc = measure_figures(&b->f->q, &target, oracle, n, &figures);
    return rc == 0 ? baseline_put(b, method, method, &figures, seconds,
                                  seed_record_bytes(b->f->s), "")
                   : rc;
}

int baseline_knn_lm(struct baseline_run *b)
{
    struct seed_run *s = b->f->s;
    struct near_bank all = {0}, without = {0};
    struct compared c = {0};
    struct mixture mixture;
    double seconds = 0;
    int rc = seed_munkey(s);
    if (rc == 0)
        rc = near_bank_new(s, seed_keys(s), NULL, &all);
    if (rc == 0)
        rc = fit(b, b->plain, &all, &mixture);
    if (rc == 0) {
        double began = run_now();
        rc = near_bank_new(s, seed_keys(s), b->f->who.forget, &without);
        seconds = run_now() - began;
    }
    if (rc == 0)
        rc = mix_all(b, &b->answers, &without, &mixture, &c.target);
    for (size_t r = 0; rc == 0 && r < s->run->study->oracles; r++)
        if ((rc = fit(b, b->oracle[r], &without, &mixture)) == 0)
            rc = mix_all(b, &b->oracle_answers[r], &without, &mixture, &c.oracle[r]);
    if (rc == 0)
        rc = put_compared(b, "knn-lm", &c, seconds);
    compared_done(&c);
    near_bank_done(&all);
    near_bank_done(&without);
    return rc;
}

/* g is trained around a frozen f, on the members that the bank holds, each without itself. */
static int train_rac(const struct baseline_run *b, const struct params *f,
                     const struct near_bank *bank, const bool *without, uint64_t seed,
                     struct rac **ret_rac)
{
    const struct seed_run *s = b->f->s;
    const struct plain_plan plan = study_plain_plan(s, seed);
    size_t n = bank->view.n, at = 0;
    uint32_t *row = calloc(n, sizeof *row);
    struct near *near = calloc(n * MIXTURE_K, sizeof *near);
    struct progress progress = {0};
    int rc = row && near ? run_check() : fail(MK_ENOMEM, "no memory for %zu rows", n);
    for (size_t i = 0; rc == 0 && i < range_length(s->all.b2); i++)
        if (!without || !without[i])
            row[at++] = (uint32_t)(s->all.b2.begin + i);
    if (rc == 0)
        rc = mixture_nearest(&bank->view, bank->key, n, true, plan.threads, near);
    if (rc == 0)
        rc = rac_train(&plan, RAC_FROZEN, f, &s->all.pixels.images,
                       (struct row_list){row, n}, near, study_tell, &progress, ret_rac);
    progress_end(&progress);
    free(row);
    free(near);
    return rc == 1 ? run_check() : rc;
}

static int ask_rac(const struct baseline_run *b, const struct rac *rac,
                   const struct near_bank *bank, struct plain_answers *answers)
{
    size_t threads = b->f->s->run->options->threads;
    int rc = plain_answers_new(&b->f->q, answers);
    for (int set = 0; rc == 0 && set < SETS; set++) {
        struct near *near = NULL;
        rc = near_find(b, bank, set, &near);
        if (rc == 0)
            rc = rac_probabilities(rac, queries_images(&b->f->q, set),
                                   queries_rows(&b->f->q, set), near, threads,
                                   answers->p[set]);
        free(near);
    }
    return rc;
}

static int make_rac(const struct baseline_run *b, const struct params *f,
                    const struct near_bank *trained, const bool *trained_without,
                    const struct near_bank *asked, uint64_t seed,
                    struct plain_answers *answers)
{
    struct rac *rac = NULL;
    int rc = train_rac(b, f, trained, trained_without, seed, &rac);
    if (rc == 0)
        rc = ask_rac(b, rac, asked, answers);
    rac_free(rac);
    return rc;
}

int baseline_rac(struct baseline_run *b)
{
    struct seed_run *s = b->f->s;
    const bool *forget = b->f->who.forget;
    struct near_bank all = {0}, without = {0};
    struct compared c = {0};
    double seconds = 0;
    int rc = seed_munkey(s);
    if (rc == 0)
        rc = near_bank_new(s, seed_keys(s), NULL, &all);
    if (rc == 0) {
        double began = run_now();
        rc = near_bank_new(s, seed_keys(s), forget, &without);
        seconds = run_now() - began;
    }
    if (rc == 0)
        rc = make_rac(b, b->plain, &all, NULL, &without, s->seed, &c.target);
    for (size_t r = 0; rc == 0 && r < s->run->study->oracles; r++)
        rc = make_rac(b, b->oracle[r], &without, forget, &without,
                      model_seed(s->seed, r + 1), &c.oracle[r]);
    if (rc == 0)
        rc = put_compared(b, "rac", &c, seconds);
    compared_done(&c);
    near_bank_done(&all);
    near_bank_done(&without);
    return rc;
}

static int ask_sisa(const struct baseline_run *b, const struct sisa *sisa,
                    struct plain_answers *answers)
{
    size_t threads = b->f->s->run->options->threads;
    int rc = plain_answers_new(&b->f->q, answers);
    for (int set = 0; rc == 0 && set < SETS; set++)
        rc = sisa_probabilities(sisa, queries_images(&b->f->q, set),
                                queries_rows(&b->f->q, set), threads, answers->p[set]);
    return rc;
}

/* Its shards are, bit for bit, those of a service that never held the rows (tests/test_sisa.c):
 * its oracle is itself. */
static int put_sisa(struct baseline_run *b, const struct plain_answers *answers,
                    double seconds)
{
    const struct answers target = plain_view(answers);
    struct figures figures;
    int rc = measure_self(&b->f->q, &target, &target, b->oracle_view,
                          b->f->s->run->study->oracles, &figures);
    return rc == 0 ? baseline_put(b, "sisa", "self", &figures, seconds,
                                  seed_image_bytes(b->f->s), "")
                   : rc;
}

/* All that a plain classifier sees, and how many of them are retained, which come first. */
static uint32_t *rows_of(const struct baseline_run *b, bool without, size_t *ret_n)
{
    const struct arrangement *all = &b->f->s->all;
    uint32_t *row = calloc(all->b2.end, sizeof *row);
    size_t n = 0;
    for (uint32_t i = 0; row && i < all->b2.end; i++)
        if (!without || i < all->b2.begin || !b->f->who.forget[i - all->b2.begin])
            row[n++] = i;
    *ret_n = n;
    return row;
}

int baseline_sisa(struct baseline_run *b)
{
    const struct seed_run *s = b->f->s;
    const struct plain_plan plan = study_plain_plan(s, s->seed);
    const struct images *images = &s->all.pixels.images;
    struct row_list all, retain;
    uint32_t *row[] = {rows_of(b, false, &all.n), rows_of(b, true, &retain.n)};
    struct progress progress = {0};
    struct plain_answers answers = {{0}};
    struct sisa *sisa = NULL;
    double began = 0, seconds = 0;
    all.row = row[0];
    retain.row = row[1];
    int rc = row[0] && row[1] ? 0 : fail(MK_ENOMEM, "no memory for %zu rows", all.n);
    if (rc == 0)
        rc = sisa_train(&plan, s->run->study->shards, images, all, study_tell, &progress,
                        &sisa);
    if (rc == 0) {
        began = run_now();
        rc = sisa_forget(sisa, &plan, images, retain, study_tell, &progress);
        seconds = run_now() - began;
    }
    progress_end(&progress);
    if (rc == 1)
        rc = run_check();
    if (rc == 0)
        rc = ask_sisa(b, sisa, &answers);
    if (rc == 0)
        rc = put_sisa(b, &answers, seconds);
    sisa_free(sisa);
    plain_answers_done(&answers);
    free(row[0]);
    free(row[1]);
    return rc;
}

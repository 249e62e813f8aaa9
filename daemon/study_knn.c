/* SPDX-License-Identifier: Apache-2.0 */
/* kNN on the keys.  Its deletion leaves P, which was fitted to the deleted rows too: it is compared
 * with a kNN whose P never saw them. */
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/train_pca.h"
#include "daemon/study_near.h"

static int vote_all(const struct baseline_run *b, const struct near_bank *bank,
                    struct plain_answers *answers)
{
    size_t classes = b->f->q.classes;
    int rc = plain_answers_new(&b->f->q, answers);
    for (int set = 0; rc == 0 && set < SETS; set++) {
        struct near *near = NULL;
        rc = near_find(b, bank, set, &near);
        for (size_t i = 0; rc == 0 && i < queries_rows(&b->f->q, set).n; i++)
            knn_vote(near + i * MIXTURE_K, MIXTURE_K, classes,
                     answers->p[set] + i * classes);
        free(near);
    }
    return rc;
}

/* What one kNN answers: a bank without the deleted, of these keys. */
static int ask(const struct baseline_run *b, struct row_keys keys, double *ret_deletion,
               struct plain_answers *answers)
{
    struct near_bank bank = {.key = NULL};
    double began = run_now();
    int rc = near_bank_new(b->f->s, keys, b->f->who.forget, &bank);
    *ret_deletion = run_now() - began;
    if (rc == 0)
        rc = vote_all(b, &bank, answers);
    near_bank_done(&bank);
    return rc;
}

/* P of the members that stay.  z: (all rows, d), of the encoder. */
static int fit_again(const struct forget_run *f, const float *z, struct projection *p)
{
    const struct seed_run *s = f->s;
    size_t d = shape_embedding(&s->munkey->shape), n = 0,
           members = range_length(s->all.b2);
    float *stay = calloc(members * d, sizeof *stay);
    if (!stay)
        return fail(MK_ENOMEM, "no memory for %zu rows", members);
    for (size_t i = 0; i < members; i++)
        if (!f->who.forget[i])
            memcpy(stay + n++ * d, z + (s->all.b2.begin + i) * d, d * sizeof *stay);
    int rc = pca_fit(stay, n, d, s->munkey->shape.key_dim, p->mean, p->matrix);
    free(stay);
    return rc;
}

static int quantise_all(const struct model *model, const float *z, size_t n,
                        struct key **ret_keys)
{
    struct key *keys = calloc(n, sizeof *keys);
    if (!keys)
        return fail(MK_ENOMEM, "no memory for %zu keys", n);
    for (size_t i = 0; i < n; i++)
        model_quantise(model, z + i * shape_embedding(&model->shape), &keys[i]);
    *ret_keys = keys;
    return 0;
}

/* The kNN that never held the rows. */
static int ask_never(const struct baseline_run *b, struct plain_answers *answers)
{
    const struct seed_run *s = b->f->s;
    const struct images *all = &s->all.pixels.images, *tests = &s->test.images;
    size_t threads = s->run->options->threads;
    struct model never = *s->munkey;
    float *z = NULL, *test_z = NULL;
    struct key *keys = NULL, *test_keys = NULL;
    never.projection = NULL;
    int rc = params_new(&never.shape, PARAMS_PROJECTION, &never.projection);
    if (rc == 0)
        rc = views_embed(s->munkey, all, threads, &z);
    if (rc == 0)
        rc = views_embed(s->munkey, tests, threads, &test_z);
    if (rc == 0)
        rc = fit_again(b->f, z, &never.projection->projection);
    if (rc == 0)
        rc = quantise_all(&never, z, all->n, &keys);
    if (rc == 0)
        rc = quantise_all(&never, test_z, tests->n, &test_keys);
    if (rc == 0)
        rc = ask(b, (struct row_keys){keys, test_keys}, &(double){0}, answers);
    params_free(never.projection);
    free(z);
    free(test_z);
    free(keys);
    free(test_keys);
    return rc;
}

static int put(const struct baseline_run *b, const struct plain_answers *forgot,
               const struct plain_answers *never, double seconds)
{
    const struct answers target = plain_view(forgot), self = plain_view(never);
    struct figures figures;
    int rc = measure_self(&b->f->q, &target, &self, b->oracle_view,
                          b->f->s->run->study->oracles, &figures);
    return rc == 0 ? baseline_put(b, "knn", "self", &figures, seconds,
                                  seed_record_bytes(b->f->s), "")
                   : rc;
}

int baseline_knn(struct baseline_run *b)
{
    struct plain_answers forgot = {{0}}, never = {{0}};
    double seconds = 0;
    int rc = seed_munkey(b->f->s);
    if (rc == 0)
        rc = ask(b, seed_keys(b->f->s), &seconds, &forgot);
    if (rc == 0)
        rc = ask_never(b, &never);
    if (rc == 0)
        rc = put(b, &forgot, &never, seconds);
    plain_answers_done(&forgot);
    plain_answers_done(&never);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* From answers to the figures of a table's row. */
#include "daemon/study_measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/rng.h"

static int take_rows(const struct asked *asked, struct queries *q)
{
    size_t n = range_length(asked->range);
    uint32_t **const lists[] = {&q->retain, &q->forget, &q->retain_label,
                                &q->forget_label};
    for (size_t i = 0; i < 4; i++)
        if (!(*lists[i] = calloc(n, sizeof **lists[i])))
            return fail(MK_ENOMEM, "no memory for %zu rows", n);
    for (size_t i = 0; i < n; i++) {
        uint32_t row = (uint32_t)(asked->range.begin + i);
        if (asked->forget[i])
            q->forget[q->forgotten++] = row;
        else
            q->retain[q->retained++] = row;
    }
    return 0;
}

/* Keeps most of the retained rows: a partial shuffle. */
static void draw_retained(struct queries *q, size_t most, uint64_t seed)
{
    struct rng rng = rng_at(seed, RNG_SPLIT, 2, q->retained);
    if (most == 0 || q->retained <= most)
        return;
    for (size_t i = 0; i < most; i++) {
        size_t j = i + rng_below(&rng, (uint32_t)(q->retained - i));
        uint32_t row = q->retain[i];
        q->retain[i] = q->retain[j];
        q->retain[j] = row;
    }
    q->retained = most;
}

static int find_others(struct queries *q)
{
    bool *meant = calloc(q->classes, sizeof *meant);
    q->other = calloc(q->tests, sizeof *q->other);
    int rc = meant && q->other ? 0 : fail(MK_ENOMEM, "no memory for %zu rows", q->tests);
    for (size_t i = 0; rc == 0 && i < q->forgotten; i++)
        meant[q->forget_label[i]] = true;
    for (size_t i = 0; rc == 0 && i < q->tests; i++)
        if (meant[q->test_label[i]])
            q->other[q->others++] = (uint32_t)i;
    free(meant);
    if (rc == 0 && (q->forgotten == 0 || q->retained == 0 || q->others == 0))
        rc = fail(MK_EINPUT,
                  "a forget set of %zu rows leaves %zu, and %zu test rows have "
                  "its labels: nothing can be compared",
                  q->forgotten, q->retained, q->others);
    return rc;
}

int queries_new(const struct asked *asked, struct queries *ret_queries)
{
    const uint32_t *label = asked->all->labels;
    struct queries q = {.classes = asked->classes,
                        .tests = asked->test->images.n,
                        .test_images = &asked->test->images,
                        .images = &asked->all->images,
                        .test_label = asked->test->labels};
    int rc = take_rows(asked, &q);
    if (rc == 0 && !(q.test = calloc(q.tests, sizeof *q.test)))
        rc = fail(MK_ENOMEM, "no memory for %zu rows", q.tests);
    if (rc == 0) {
        for (uint32_t i = 0; i < q.tests; i++)
            q.test[i] = i;
        draw_retained(&q, asked->most, asked->seed);
        for (size_t i = 0; i < q.retained; i++)
            q.retain_label[i] = label[q.retain[i]];
        for (size_t i = 0; i < q.forgotten; i++)
            q.forget_label[i] = label[q.forget[i]];
        rc = find_others(&q);
    }
    if (rc < 0)
        queries_done(&q);
    else
        *ret_queries = q; /* transferred */
    return rc;
}

void queries_done(struct queries *q)
{
    free(q->test);
    free(q->retain);
    free(q->forget);
    free(q->retain_label);
    free(q->forget_label);
    free(q->other);
    *q = (struct queries){0};
}

struct row_list queries_rows(const struct queries *q, int set)
{
    return set == SET_TEST     ? (struct row_list){q->test, q->tests}
           : set == SET_RETAIN ? (struct row_list){q->retain, q->retained}
                               : (struct row_list){q->forget, q->forgotten};
}

const struct images *queries_images(const struct queries *q, int set)
{
    return set == SET_TEST ? q->test_images : q->images;
}

const uint32_t *queries_labels(const struct queries *q, int set)
{
    return set == SET_TEST     ? q->test_label
           : set == SET_RETAIN ? q->retain_label
                               : q->forget_label;
}

/* Scores of the forgotten rows, then of the others. */
typedef double score_of(const void *context, const struct queries *q, bool member,
                        size_t row, uint32_t label);

static int measure(const struct queries *q, score_of *score, const void *context,
                   struct attack *ret_attack)
{
    size_t n = q->forgotten, m = q->others;
    double *scores = calloc(n + m, sizeof *scores);
    if (!scores)
        return fail(MK_ENOMEM, "no memory for %zu scores", n + m);
    for (size_t i = 0; i < n; i++)
        scores[i] = score(context, q, true, i, q->forget_label[i]);
    for (size_t i = 0; i < m; i++)
        scores[n + i] = score(context, q, false, q->other[i], q->test_label[q->other[i]]);
    int rc = attack_measure(&(struct scores){scores, n, scores + n, m}, ret_attack);
    free(scores);
    return rc;
}

static const float *answer_of(const struct answers *a, const struct queries *q,
                              bool member, size_t row)
{
    return (member ? a->forget : a->test) + row * q->classes;
}

static double confidence(const void *context, const struct queries *q, bool member,
                         size_t row, uint32_t label)
{
    return attack_log(answer_of(context, q, member, row)[label]);
}

int measure_confidence(const struct queries *q, const struct answers *target,
                       struct attack *ret_attack)
{
    return measure(q, confidence, target, ret_attack);
}

struct rmia {
    const struct answers *target, *references;
    size_t n, skip, skip_too;
};

static double ratio(const void *context, const struct queries *q, bool member, size_t row,
                    uint32_t label)
{
    const struct rmia *r = context;
    double reference[STUDY_ORACLES];
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        if (i != r->skip && i != r->skip_too)
            reference[n++] = answer_of(&r->references[i], q, member, row)[label];
    return attack_rmia(answer_of(r->target, q, member, row)[label], reference, n);
}

int measure_rmia(const struct queries *q, const struct answers *target,
                 const struct answers *references, size_t n, size_t skip,
                 struct attack *ret_attack)
{
    struct rmia r = {target, references, n, skip, skip};
    return measure(q, ratio, &r, ret_attack);
}

static void add(struct attack *sum, const struct attack *a, double weight)
{
    sum->auroc += weight * a->auroc;
    sum->tpr += weight * a->tpr;
    sum->null_sd = a->null_sd;
    for (int i = 0; i < ROC_POINTS; i++) {
        sum->roc[i].fpr = a->roc[i].fpr;
        sum->roc[i].tpr += weight * a->roc[i].tpr;
    }
}

int measure_attack(const struct queries *q, const struct answers *target,
                   const struct answers *references, size_t n, struct attack *ret_attack)
{
    struct attack sum = {0}, one;
    int rc = 0;
    for (size_t r = 0; rc == 0 && r < n; r++)
        if ((rc = measure_rmia(q, target, references, n, r, &one)) == 0)
            add(&sum, &one, 1 / (double)n);
    *ret_attack = sum;
    return rc;
}

static double moved(const void *context, const struct queries *q, bool member, size_t row,
                    uint32_t label)
{
    const struct rmia *r = context;
    const float *before = answer_of(r->target, q, member, row),
                *after = answer_of(r->references, q, member, row);
    double sum = 0;
    (void)label;
    for (size_t c = 0; c < q->classes; c++)
        sum += fabs((double)before[c] - after[c]) / 2;
    return sum;
}

int measure_difference(const struct queries *q, const struct answers *before,
                       const struct answers *after, struct attack *ret_moved,
                       struct attack *ret_ratio)
{
    struct rmia r = {before, after, 1, 1, 1};
    int rc = measure(q, moved, &r, ret_moved);
    return rc == 0 ? measure(q, ratio, &r, ret_ratio) : rc;
}

static struct outcome outcome_of(const struct queries *q, const struct answers *a,
                                 double mia)
{
    return (struct outcome){
        100 * gap_accuracy(a->test, q->test_label, q->tests, q->classes),
        100 * gap_accuracy(a->retain, q->retain_label, q->retained, q->classes),
        100 * gap_accuracy(a->forget, q->forget_label, q->forgotten, q->classes),
        100 * mia,
    };
}

static void liken(const struct queries *q, const struct answers *target,
                  const struct answers *oracle, double weight, struct figures *f)
{
    f->agreement +=
        weight * 100 * gap_agreement(target->test, oracle->test, q->tests, q->classes);
    f->kl += weight * gap_kl(oracle->test, target->test, q->tests, q->classes);
}

int measure_figures(const struct queries *q, const struct answers *target,
                    const struct answers *oracles, size_t n, struct figures *ret_figures)
{
    struct figures f = {0};
    struct attack mine, its;
    int rc = measure_confidence(q, target, &f.confidence);
    for (size_t r = 0; rc == 0 && r < n; r++) {
        rc = measure_rmia(q, target, oracles, n, r, &mine);
        if (rc == 0)
            rc = measure_rmia(q, &oracles[r], oracles, n, r, &its);
        if (rc < 0)
            return rc;
        struct outcome a = outcome_of(q, target, mine.auroc),
                       b = outcome_of(q, &oracles[r], its.auroc);
        f.gap += gap_average(&a, &b) / (double)n;
        add(&f.rmia, &mine, 1 / (double)n);
        liken(q, target, &oracles[r], 1 / (double)n, &f);
    }
    f.outcome = outcome_of(q, target, f.rmia.auroc);
    *ret_figures = f;
    return rc;
}

/* Two oracles by what is neither of them; where there is no third, one by the other: what that
 * finds is half of how far they are apart, since the other one's is its mirror image. */
static int gap_of(const struct queries *q, const struct answers *oracles, size_t n,
                  size_t r, size_t s, double *ret_gap)
{
    struct rmia a = {&oracles[r], oracles, n, r, n > 2 ? s : r},
                b = {&oracles[s], oracles, n, r, s};
    struct attack mine, its = {.auroc = .5};
    int rc = measure(q, ratio, &a, &mine);
    if (rc == 0 && n > 2)
        rc = measure(q, ratio, &b, &its);
    if (rc < 0)
        return rc;
    struct outcome x = outcome_of(q, &oracles[r], mine.auroc),
                   y = outcome_of(q, &oracles[s], its.auroc);
    *ret_gap = gap_average(&x, &y);
    return 0;
}

int measure_oracles(const struct queries *q, const struct answers *oracles, size_t n,
                    struct figures *ret_figures)
{
    struct figures f = {0};
    struct attack confidence, rmia;
    double pairs = (double)(n * (n - 1) / 2), gap = 0;
    int rc = 0;
    for (size_t r = 0; rc == 0 && r < n; r++) {
        if ((rc = measure_confidence(q, &oracles[r], &confidence)) < 0 ||
            (rc = measure_rmia(q, &oracles[r], oracles, n, r, &rmia)) < 0)
            return rc;
        struct outcome o = outcome_of(q, &oracles[r], rmia.auroc);
        double w = 1 / (double)n;
        f.outcome = (struct outcome){f.outcome.ta + w * o.ta, f.outcome.ra + w * o.ra,
                                     f.outcome.fa + w * o.fa, f.outcome.mia + w * o.mia};
        add(&f.confidence, &confidence, w);
        add(&f.rmia, &rmia, w);
        for (size_t s = 0; rc == 0 && s < r; s++) {
            rc = gap_of(q, oracles, n, r, s, &gap);
            f.gap += gap / pairs;
            liken(q, &oracles[r], &oracles[s], 1 / pairs, &f);
        }
    }
    *ret_figures = f;
    return rc;
}

int measure_self(const struct queries *q, const struct answers *target,
                 const struct answers *self, const struct answers *references, size_t n,
                 struct figures *ret_figures)
{
    struct figures f = {0};
    struct attack its;
    int rc = measure_confidence(q, target, &f.confidence);
    if (rc == 0)
        rc = measure_rmia(q, target, references, n, n, &f.rmia);
    if (rc == 0)
        rc = measure_rmia(q, self, references, n, n, &its);
    if (rc < 0)
        return rc;
    f.outcome = outcome_of(q, target, f.rmia.auroc);
    struct outcome other = outcome_of(q, self, its.auroc);
    f.gap = gap_average(&f.outcome, &other);
    liken(q, target, self, 1, &f);
    *ret_figures = f;
    return 0;
}

size_t measure_different(const float *a, const float *b, size_t n, size_t classes)
{
    size_t different = 0;
    for (size_t i = 0; i < n; i++)
        different += memcmp(a + i * classes, b + i * classes, classes * sizeof *a) != 0;
    return different;
}

static void set(json_t *line, const char *name, double value)
{
    json_object_set_new(line, name, json_real(value));
}

void json_attack(json_t *line, const struct attack *confidence, const struct attack *rmia)
{
    json_t *roc = json_array();
    set(line, "auroc", 100 * confidence->auroc);
    set(line, "rmia", 100 * rmia->auroc);
    set(line, "tpr", 100 * rmia->tpr);
    set(line, "null_sd", 100 * rmia->null_sd);
    for (int i = 0; i < ROC_POINTS; i++)
        json_array_append_new(
            roc, json_pack("[f,f]", 100 * rmia->roc[i].fpr, 100 * rmia->roc[i].tpr));
    json_object_set_new(line, "roc", roc);
}

void json_figures(json_t *line, const struct figures *f)
{
    set(line, "ta", f->outcome.ta);
    set(line, "ra", f->outcome.ra);
    set(line, "fa", f->outcome.fa);
    set(line, "gap", f->gap);
    set(line, "agreement", f->agreement);
    set(line, "kl", f->kl);
    json_attack(line, &f->confidence, &f->rmia);
}

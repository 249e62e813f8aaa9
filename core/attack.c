/* SPDX-License-Identifier: Apache-2.0 */
/* Membership inference: how well scores tell members from others. */
#include "core/attack.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/err.h"

struct scored {
    double score;
    bool member;
};

static int by_score(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    return (x->score < y->score) - (x->score > y->score);
}

/* Falling scores: equal ones are passed together, since no threshold lies between them. */
struct walk {
    const struct scored *list;
    size_t n, at, members, others; /* passed so far */
};

static bool walk_on(struct walk *w)
{
    if (w->at == w->n)
        return false;
    double score = w->list[w->at].score;
    for (; w->at < w->n && w->list[w->at].score == score; w->at++)
        w->list[w->at].member ? w->members++ : w->others++;
    return true;
}

static double area(struct walk w, double members, double others)
{
    double sum = 0;
    size_t before_members = 0, before_others = 0;
    while (walk_on(&w)) {
        sum +=
            (double)(w.others - before_others) * (double)(w.members + before_members) / 2;
        before_members = w.members;
        before_others = w.others;
    }
    return sum / members / others;
}

/* The most members that can be found without taking more than share of the others. */
static double found(struct walk w, double members, double others, double share)
{
    size_t best = 0;
    while (walk_on(&w) && (double)w.others <= share * others * (1 + 1e-12))
        best = w.members;
    return (double)best / members;
}

double attack_null_sd(size_t n1, size_t n2)
{
    double a = (double)n1, b = (double)n2;
    return sqrt((a + b + 1) / (12 * a * b));
}

int attack_measure(const struct scores *scores, struct attack *ret_attack)
{
    size_t n1 = scores->members, n2 = scores->others;
    struct scored *list = calloc(n1 + n2, sizeof *list);
    if (!list)
        return fail(MK_ENOMEM, "no memory for %zu scores", n1 + n2);
    for (size_t i = 0; i < n1; i++)
        list[i] = (struct scored){scores->member[i], true};
    for (size_t i = 0; i < n2; i++)
        list[n1 + i] = (struct scored){scores->other[i], false};
    qsort(list, n1 + n2, sizeof *list, by_score);
    struct walk walk = {.list = list, .n = n1 + n2};
    double members = (double)n1, others = (double)n2;
    ret_attack->auroc = area(walk, members, others);
    ret_attack->tpr = found(walk, members, others, .01);
    ret_attack->null_sd = attack_null_sd(n1, n2);
    for (int i = 0; i < ROC_POINTS; i++) {
        double fpr = pow(10, 4. * (i - ROC_POINTS + 1) / (ROC_POINTS - 1));
        ret_attack->roc[i].fpr = fpr;
        ret_attack->roc[i].tpr = found(walk, members, others, fpr);
    }
    free(list);
    return 0;
}

double attack_log(double p)
{
    return log(fmax(p, 1e-30));
}

double attack_rmia(double p_target, const double *p_reference, size_t references)
{
    double sum = 0;
    for (size_t r = 0; r < references; r++)
        sum += p_reference[r];
    return attack_log(p_target) - attack_log(sum / (double)references);
}

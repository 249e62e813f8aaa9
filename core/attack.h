/* SPDX-License-Identifier: Apache-2.0 */
/* Membership inference: how well scores tell members from others.
 *
 *     score[i] = attack_rmia(p_target, p_reference, references);   higher: likelier a member
 *     rc = attack_measure(&(struct scores){member, n1, other, n2}, &attack);
 *     attack.auroc, attack.tpr, attack.null_sd                     shares, 0 to 1
 *
 * Offline RMIA (Zarifzadeh, Liu and Shokri, 2024), with reference models that saw neither.
 */
#ifndef MUNKEY_CORE_ATTACK_H
#define MUNKEY_CORE_ATTACK_H

#include <stddef.h>

enum { ROC_POINTS = 49 };

struct scores {
    const double *member;
    size_t members;
    const double *other;
    size_t others;
};

struct attack {
    double auroc; /* ties count half */
    double tpr; /* true positives where at most 1 % of the others are taken for members */
    double null_sd; /* of the AUROC of scores that know nothing */
    struct {
        double fpr, tpr;
    } roc[ROC_POINTS]; /* the most true positives for each; 1e-4 to 1, equal ratios */
};

/* Needs a member and another.  Returns 0 or MK_ENOMEM. */
int attack_measure(const struct scores *scores, struct attack *ret_attack);

/* sqrt((n1 + n2 + 1) / (12 n1 n2)): Mann and Whitney, 1947. */
double attack_null_sd(size_t n1, size_t n2);

/* log p, bounded below where a probability is 0 in float. */
double attack_log(double p);

/* log p_target - log mean_r p_reference, each of the row's own label. */
double attack_rmia(double p_target, const double *p_reference, size_t references);

#endif

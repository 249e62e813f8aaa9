/* SPDX-License-Identifier: Apache-2.0 */
/* Post-hoc unlearning: what is asked for, and SSD. */
#include "core/unlearn.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/importance.h"
#include "core/train_step.h"
#include "core/unlearn_parts.h"

double unlearn_budget(const struct unlearning *u)
{
    return u->plan->part * (double)u->plan->budget;
}

int unlearn_sample(const struct unlearning *u, bool both, size_t n,
                   struct row_list *ret_rows)
{
    size_t all = u->forget.n + (both ? u->retain.n : 0);
    uint32_t *row = calloc(2 * all, sizeof *row), *order = row + all;
    if (!row)
        return fail(MK_ENOMEM, "no memory to draw rows");
    struct rng rng = rng_at(u->plan->seed, RNG_ORDER, 18 + both, 0);
    rng_permutation(&rng, order, (uint32_t)all);
    n = n < all ? n : all;
    for (size_t i = 0; i < n; i++)
        row[i] = order[i] < u->forget.n ? u->forget.row[order[i]]
                                        : u->retain.row[order[i] - u->forget.n];
    *ret_rows = (struct row_list){row, n};
    return 0;
}

/* The diagonal of F over some rows, as many as the budget leaves. */
static int measure(struct unlearning *u, bool both, size_t most, float *ret_fisher)
{
    struct row_list rows;
    int rc = unlearn_sample(u, both, most, &rows);
    if (rc < 0)
        return rc;
    rc = importance_of(u->start, u->images, rows, IMPORTANCE_FISHER, 0, u->plan->threads,
                       u->tell, u->context, ret_fisher);
    u->result.gradients += rows.n;
    free((void *)rows.row);
    return rc;
}

/* Selective Synaptic Dampening (Foster, Schoepf and Brintrup, 2024): "where F_f > 10 F_all,
 * w *= min(F_all / F_f, 1)". */
static int dampen(struct unlearning *u)
{
    const struct unlearn_plan *plan = u->plan;
    struct params *params = u->result.params;
    size_t images = (size_t)(unlearn_budget(u) * (double)plan->batch);
    float *all = calloc(2 * params->n, sizeof *all), *forget = all + params->n;
    int rc = all ? 0 : fail(MK_ENOMEM, "no memory for the importance of weights");
    if (rc == 0 && images >= 2)
        rc = measure(u, false, images / 2, forget);
    if (rc == 0 && images >= 2)
        rc = measure(u, true, images - u->result.gradients, all);
    if (rc == 0)
        importance_dampen(params->values, all, forget, params->n, plan->threshold,
                          plan->dampening);
    free(all);
    return rc;
}

static int check_apart(struct row_list retain, struct row_list forget, size_t n)
{
    bool *is_forgotten = calloc(n, sizeof *is_forgotten), both = false;
    if (!is_forgotten)
        return fail(MK_ENOMEM, "no memory to compare rows");
    for (size_t i = 0; i < forget.n; i++)
        is_forgotten[forget.row[i]] = true;
    for (size_t i = 0; i < retain.n; i++)
        both |= is_forgotten[retain.row[i]];
    free(is_forgotten);
    return both ? fail(MK_EINPUT, "a row is to be retained and to be forgotten") : 0;
}

static int check_knobs(const struct unlearn_plan *p)
{
    enum unlearn_method m = p->method;
    bool taught = m == UNLEARN_SCRUB || m == UNLEARN_BAD_TEACHER;
    bool shares = m == UNLEARN_SCRUB || m == UNLEARN_SALUN;
    if (m >= UNLEARN_METHODS)
        return fail(MK_EINPUT, "there is no method of unlearning number %u", m);
    if (!(p->part > 0 && p->part <= 1) || !(p->retain >= 0 && p->retain < 1) ||
        !(p->settle >= 0 && p->settle < 1) || !(p->penalty >= 0))
        return fail(
            MK_EINPUT,
            "part lies in (0, 1], retain and settle in [0, 1), penalty from 0 on");
    if (m != UNLEARN_SSD && !(p->rate > 0))
        return fail(MK_EINPUT, "%s needs a rate", unlearn_name(m));
    if (taught && !(p->temperature > 0))
        return fail(MK_EINPUT, "%s needs a temperature", unlearn_name(m));
    if (shares && !(p->share > 0 && p->share <= 1))
        return fail(MK_EINPUT, "%s needs a share in (0, 1]", unlearn_name(m));
    if (m == UNLEARN_SSD && !(p->threshold > 0 && p->dampening > 0))
        return fail(MK_EINPUT, "ssd needs a threshold and a dampening");
    return 0;
}

static int check(const struct params *start, const struct images *images,
                 struct row_list retain, struct row_list forget,
                 const struct unlearn_plan *plan)
{
    int rc = check_knobs(plan);
    if (rc == 0)
        rc = stepper_check(plan->batch, plan->threads);
    if (rc == 0)
        rc = images_check(images, retain, &start->shape);
    if (rc == 0)
        rc = images_check(images, forget, &start->shape);
    if (rc == 0 && start->kind != PARAMS_ENCODER)
        rc = fail(MK_EINPUT,
                  "only a plain classifier unlearns: its weights have no writer");
    return rc == 0 ? check_apart(retain, forget, images->n) : rc;
}

int unlearn(const struct params *start, const struct images *images,
            struct row_list retain, struct row_list forget,
            const struct unlearn_plan *plan, plain_tell *tell, void *context,
            struct unlearned *ret_unlearned)
{
    struct unlearning u = {plan, images, start, retain, forget, tell, context, {0}};
    int rc = check(start, images, retain, forget, plan);
    if (rc == 0)
        rc = params_new(&start->shape, start->kind, &u.result.params);
    if (rc < 0)
        return rc;
    memcpy(u.result.params->values, start->values, start->n * sizeof *start->values);
    rc = plan->method == UNLEARN_SSD ? dampen(&u) : unlearn_by_steps(&u);
    if (rc != 0) {
        params_free(u.result.params);
        return rc;
    }
    *ret_unlearned = u.result;
    return 0;
}

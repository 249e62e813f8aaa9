/* SPDX-License-Identifier: Apache-2.0 */
/* Post-hoc unlearning: steps on what is kept and on what is to be forgotten. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/importance.h"
#include "core/train_optimizer.h"
#include "core/unlearn_loss.h"
#include "core/unlearn_parts.h"
#include "core/unlearn_side.h"

struct run {
    struct unlearning *u;
    struct params *params, *random; /* params: of the result; random: the bad teacher */
    struct optimizer *optimizer;
    struct side retain, forget;
    bool *moves;              /* (n): SalUn; NULL: all do */
    struct params **gradient; /* (chunks of both sides) */
};

/* docs/EVALUATION.md has these as formulas. */
static void take_aim(struct run *run)
{
    double a = run->u->plan->retain;
    struct aim *r = &run->retain.aim, *f = &run->forget.aim;
    switch (run->u->plan->method) {
    case UNLEARN_FINETUNE:
    case UNLEARN_L1_SPARSE:
        *r = (struct aim){.ce = 1};
        break;
    case UNLEARN_NEGGRAD:
        *f = (struct aim){.ce = -1};
        break;
    case UNLEARN_NEGGRAD_PLUS:
        *r = (struct aim){.ce = a};
        *f = (struct aim){.ce = -(1 - a)};
        break;
    case UNLEARN_RANDOM_LABELS:
    case UNLEARN_SALUN:
        *r = (struct aim){.ce = a};
        *f = (struct aim){.ce = 1 - a, .relabel = true};
        break;
    case UNLEARN_SCRUB:
        *r = (struct aim){.ce = 1, .kl = 1, .teacher = run->u->start};
        *f = (struct aim){.kl = -1, .teacher = run->u->start};
        break;
    case UNLEARN_BAD_TEACHER:
        *r = (struct aim){.kl = 1, .teacher = run->u->start};
        *f = (struct aim){.kl = 1, .teacher = run->random};
        break;
    case UNLEARN_SSD:
    case UNLEARN_METHODS:
        break;
    }
}

/* Rows whose gradients say which weights are salient: half of what is spent, at most. */
static size_t surveyed(const struct run *run)
{
    const struct unlearn_plan *plan = run->u->plan;
    double most = unlearn_budget(run->u) * (double)plan->batch / 2;
    size_t n = run->u->forget.n;
    if (plan->method != UNLEARN_SALUN)
        return 0;
    return (double)n < most ? n : (size_t)most;
}

/* Steps that the budget pays for. */
static size_t affordable(const struct run *run)
{
    const struct unlearn_plan *plan = run->u->plan;
    double step = side_cost(&run->retain) + side_cost(&run->forget);
    double left = unlearn_budget(run->u) - (double)surveyed(run) / (double)plan->batch;
    if (plan->method == UNLEARN_SCRUB)
        step /= 2; /* on one of them */
    return (size_t)(left / step);
}

/* Steps that maximise lie evenly among the others, and the last ones minimise.  The first does
 * too, unless all maximise: at the start itself, KL to the start has no gradient. */
static bool maximises(const struct run *run, size_t step)
{
    const struct unlearn_plan *plan = run->u->plan;
    double last = (1 - plan->settle) * (double)run->optimizer->steps;
    return (double)step < last &&
           floor((double)(step + 1) * plan->share) > floor((double)step * plan->share);
}

/* "SalUn: restricted to the weights with the largest gradient": neither a gradient nor weight
 * decay moves the others. */
static void hold_weights(const struct run *run)
{
    for (size_t w = 0; w < run->params->n; w++)
        if (!run->moves[w])
            run->params->values[w] = run->u->start->values[w];
}

static double step(struct run *run)
{
    struct unlearned *spent = &run->u->result;
    const struct unlearn_plan *plan = run->u->plan;
    struct optimizer *o = run->optimizer;
    bool scrubs = plan->method == UNLEARN_SCRUB, up = scrubs && maximises(run, o->step);
    double loss = 0, left = 1 - (double)o->step / (double)o->steps;
    size_t n = 0;
    if (side_is_used(&run->retain) && !up)
        loss += side_gradient(&run->retain, run->gradient, &n, spent);
    if (side_is_used(&run->forget) && (!scrubs || up))
        loss += side_gradient(&run->forget, run->gradient, &n, spent);
    if (plan->method == UNLEARN_L1_SPARSE)
        loss += l1_norm(run->params->values, run->params->n, plan->penalty * left,
                        run->gradient[0]->values);
    optimizer_step(o, run->gradient, n);
    if (run->moves)
        hold_weights(run);
    return loss;
}

static int take_steps(struct run *run)
{
    const struct unlearning *u = run->u;
    struct optimizer *o = run->optimizer;
    double loss = 0;
    while (o->step < o->steps) {
        stepper_mean(&loss, step(run), o->step + 1);
        run->u->result.steps = o->step;
        if (u->tell && !u->tell(u->context, o->step, o->steps, loss))
            return 1;
    }
    return 0;
}

static int find_salient(struct run *run)
{
    struct unlearning *u = run->u;
    struct row_list rows = {0};
    size_t n = run->params->n;
    float *gradient = calloc(n, sizeof *gradient);
    run->moves = calloc(n, sizeof *run->moves);
    int rc = gradient && run->moves ? unlearn_sample(u, false, surveyed(run), &rows)
                                    : fail(MK_ENOMEM, "no memory for saliency");
    if (rc == 0)
        rc = importance_of(u->start, u->images, rows, IMPORTANCE_GRADIENT,
                           u->plan->smoothing, u->plan->threads, NULL, NULL, gradient);
    if (rc == 0)
        rc = importance_largest(gradient, n, u->plan->share, run->moves);
    u->result.gradients += rows.n;
    free((void *)rows.row);
    free(gradient);
    return rc;
}

enum { STAGE_RETAIN = 16, STAGE_FORGET }; /* apart from those of training */

static int open_sides(struct run *run)
{
    const struct unlearning *u = run->u;
    struct side *sides[] = {&run->retain, &run->forget};
    size_t chunks = 0;
    int rc = 0;
    run->retain = (struct side){u->plan, u->images, .rows = u->retain};
    run->forget = (struct side){u->plan, u->images, .rows = u->forget};
    take_aim(run);
    for (size_t i = 0; rc == 0 && i < 2; i++)
        if (side_is_used(sides[i])) {
            rc = side_open(sides[i], run->params, STAGE_RETAIN + i);
            chunks += u->plan->batch / CHUNK;
        }
    if (rc == 0 && !(run->gradient = calloc(chunks, sizeof *run->gradient)))
        rc = fail(MK_ENOMEM, "no memory to unlearn with");
    return rc;
}

static int open_random(struct run *run)
{
    const struct params *start = run->u->start;
    int rc = params_new(&start->shape, start->kind, &run->random);
    if (rc == 0)
        params_start(run->random, ~run->u->plan->seed);
    return rc;
}

static void run_close(struct run *run)
{
    side_close(&run->retain);
    side_close(&run->forget);
    optimizer_free(run->optimizer);
    params_free(run->random);
    free(run->gradient);
    free(run->moves);
}

int unlearn_by_steps(struct unlearning *u)
{
    struct run run = {.u = u, .params = u->result.params};
    int rc = u->plan->method == UNLEARN_BAD_TEACHER ? open_random(&run) : 0;
    if (rc == 0)
        rc = open_sides(&run);
    if (rc == 0)
        rc = optimizer_new(run.params, affordable(&run), u->plan->rate, &run.optimizer);
    if (rc == 0 && run.optimizer->steps > 0 && u->plan->method == UNLEARN_SALUN)
        rc = find_salient(&run);
    if (rc == 0)
        rc = take_steps(&run);
    run_close(&run);
    return rc;
}

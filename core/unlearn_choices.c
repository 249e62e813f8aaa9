/* SPDX-License-Identifier: Apache-2.0 */
/* What the tuning rule tries of each method of unlearning. */
#include <stdio.h>

#include "core/unlearn.h"

static const char *const names[UNLEARN_METHODS] = {
    [UNLEARN_FINETUNE] = "finetune",
    [UNLEARN_NEGGRAD] = "neggrad",
    [UNLEARN_NEGGRAD_PLUS] = "neggrad+",
    [UNLEARN_RANDOM_LABELS] = "random-labels",
    [UNLEARN_SALUN] = "salun",
    [UNLEARN_SCRUB] = "scrub",
    [UNLEARN_SSD] = "ssd",
    [UNLEARN_L1_SPARSE] = "l1-sparse",
    [UNLEARN_BAD_TEACHER] = "bad-teacher",
};

/* Rates around what the net was trained with, and below where nothing holds it back. */
static const struct unlearn_plan choices[] = {
    {UNLEARN_FINETUNE, .part = 1, .rate = 3e-5},
    {UNLEARN_FINETUNE, .part = 1, .rate = 1e-4},
    {UNLEARN_FINETUNE, .part = 1, .rate = 3e-4},
    {UNLEARN_FINETUNE, .part = 1, .rate = 1e-3},

    {UNLEARN_NEGGRAD, .part = .05, .rate = 1e-5},
    {UNLEARN_NEGGRAD, .part = .05, .rate = 1e-4},
    {UNLEARN_NEGGRAD, .part = .2, .rate = 1e-5},
    {UNLEARN_NEGGRAD, .part = .2, .rate = 1e-4},
    {UNLEARN_NEGGRAD, .part = 1, .rate = 1e-6},
    {UNLEARN_NEGGRAD, .part = 1, .rate = 1e-5},

    {UNLEARN_NEGGRAD_PLUS, .part = 1, .rate = 2e-4, .retain = .9},
    {UNLEARN_NEGGRAD_PLUS, .part = 1, .rate = 2e-4, .retain = .95},
    {UNLEARN_NEGGRAD_PLUS, .part = 1, .rate = 2e-4, .retain = .99},
    {UNLEARN_NEGGRAD_PLUS, .part = 1, .rate = 1e-3, .retain = .9},
    {UNLEARN_NEGGRAD_PLUS, .part = 1, .rate = 1e-3, .retain = .95},
    {UNLEARN_NEGGRAD_PLUS, .part = 1, .rate = 1e-3, .retain = .99},

    {UNLEARN_RANDOM_LABELS, .part = .2, .rate = 1e-5},
    {UNLEARN_RANDOM_LABELS, .part = .2, .rate = 1e-4},
    {UNLEARN_RANDOM_LABELS, .part = 1, .rate = 2e-4, .retain = .5},
    {UNLEARN_RANDOM_LABELS, .part = 1, .rate = 2e-4, .retain = .9},
    {UNLEARN_RANDOM_LABELS, .part = 1, .rate = 1e-3, .retain = .9},
    {UNLEARN_RANDOM_LABELS, .part = 1, .rate = 1e-3, .retain = .97},

    {UNLEARN_SALUN, .part = 1, .rate = 2e-4, .retain = .5, .share = .5},
    {UNLEARN_SALUN, .part = 1, .rate = 2e-4, .retain = .9, .share = .5},
    {UNLEARN_SALUN, .part = 1, .rate = 2e-4, .retain = .97, .share = .5},
    {UNLEARN_SALUN, .part = 1, .rate = 1e-3, .retain = .9, .share = .5},
    {UNLEARN_SALUN, .part = 1, .rate = 1e-3, .retain = .97, .share = .5},
    {UNLEARN_SALUN, .part = .2, .rate = 1e-4, .share = .5},

    {UNLEARN_SCRUB, .part = 1, .rate = 1e-4, .share = .1, .settle = .2, .temperature = 4},
    {UNLEARN_SCRUB, .part = 1, .rate = 1e-4, .share = .3, .settle = .2, .temperature = 4},
    {UNLEARN_SCRUB, .part = 1, .rate = 3e-4, .share = .1, .settle = .2, .temperature = 4},
    {UNLEARN_SCRUB, .part = 1, .rate = 3e-4, .share = .3, .settle = .2, .temperature = 4},
    {UNLEARN_SCRUB, .part = 1, .rate = 1e-3, .share = .1, .settle = .2, .temperature = 4},
    {UNLEARN_SCRUB, .part = 1, .rate = 1e-3, .share = .3, .settle = .2, .temperature = 4},

    {UNLEARN_SSD, .part = 1, .threshold = 10, .dampening = 1},
    {UNLEARN_SSD, .part = 1, .threshold = 2, .dampening = 1},
    {UNLEARN_SSD, .part = 1, .threshold = 5, .dampening = 1},
    {UNLEARN_SSD, .part = 1, .threshold = 20, .dampening = 1},
    {UNLEARN_SSD, .part = 1, .threshold = 50, .dampening = 1},

    {UNLEARN_L1_SPARSE, .part = 1, .rate = 2e-4, .penalty = 5e-5},
    {UNLEARN_L1_SPARSE, .part = 1, .rate = 2e-4, .penalty = 5e-4},
    {UNLEARN_L1_SPARSE, .part = 1, .rate = 1e-3, .penalty = 5e-5},
    {UNLEARN_L1_SPARSE, .part = 1, .rate = 1e-3, .penalty = 5e-4},

    {UNLEARN_BAD_TEACHER, .part = .2, .rate = 1e-4, .temperature = 1},
    {UNLEARN_BAD_TEACHER, .part = 1, .rate = 1e-5, .temperature = 1},
    {UNLEARN_BAD_TEACHER, .part = 1, .rate = 1e-4, .temperature = 1},
    {UNLEARN_BAD_TEACHER, .part = 1, .rate = 1e-3, .temperature = 1},
};

const char *unlearn_name(enum unlearn_method method)
{
    return names[method];
}

bool unlearn_choose(enum unlearn_method method, size_t i, struct unlearn_plan *plan)
{
    for (size_t at = 0; at < sizeof choices / sizeof *choices; at++) {
        if (choices[at].method != method || i-- > 0)
            continue;
        struct unlearn_plan chosen = choices[at];
        chosen.seed = plan->seed;
        chosen.threads = plan->threads;
        chosen.batch = plan->batch;
        chosen.smoothing = plan->smoothing;
        chosen.upright = plan->upright;
        chosen.budget = plan->budget;
        *plan = chosen;
        return true;
    }
    return false;
}

void unlearn_text(const struct unlearn_plan *plan,
                  char ret_text[static UNLEARN_TEXT_SIZE])
{
    const struct {
        const char *name;
        double value;
    } knobs[] = {
        {"rate", plan->rate},           {"retain", plan->retain},
        {"share", plan->share},         {"settle", plan->settle},
        {"T", plan->temperature},       {"penalty", plan->penalty},
        {"threshold", plan->threshold}, {"dampening", plan->dampening},
    };
    int at = snprintf(ret_text, UNLEARN_TEXT_SIZE, "part %g", plan->part);
    for (size_t i = 0; i < sizeof knobs / sizeof *knobs; i++)
        if (knobs[i].value != 0)
            at += snprintf(ret_text + at, (size_t)(UNLEARN_TEXT_SIZE - at), " %s %g",
                           knobs[i].name, knobs[i].value);
}

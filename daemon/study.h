/* SPDX-License-Identifier: Apache-2.0 */
/* A study: what munkey-eval is asked to measure, as its file says it (docs/EVALUATION.md).
 *
 *     struct study study;
 *     if ((rc = study_read("fashion-mnist.json", &study)) < 0)
 *         return rc;                              a sentence names the member that is wrong
 *     study.forget[0].name                        "random-10"
 *     study_done(&study);
 */
#ifndef MUNKEY_DAEMON_STUDY_H
#define MUNKEY_DAEMON_STUDY_H

#include <jansson.h>

#include "core/unlearn.h"
#include "daemon/train_method.h"
#include "daemon/train_source.h"

enum { STUDY_SEEDS = 32, STUDY_FORGETS = 16, STUDY_SHARES = 16, STUDY_ORACLES = 16 };

enum forget_kind {
    FORGET_RANDOM,
    FORGET_CLASS,
    FORGET_SUBJECTS,
    FORGET_MEMORISED,
    FORGET_NEAR_DUPLICATES
};

/* Who is forgotten. */
struct forget_wish {
    enum forget_kind kind;
    char name[40];  /* "random-10" */
    double share;   /* of members or subjects */
    uint32_t class; /* ... or this one */
    double among;   /* memorised: of members, a random share that oracles never saw */
};

/* Methods beside MUNKEY: post-hoc ones by their number, then those of a design of their own. */
enum baseline {
    BASELINE_KNN = UNLEARN_METHODS,
    BASELINE_KNN_LM,
    BASELINE_RAC,
    BASELINE_SISA,
    BASELINES
};
const char *baseline_name(enum baseline baseline);

enum ablation {
    ABLATE_ATTENTION,
    ABLATE_TOKENS,
    ABLATE_RETRIEVE,
    ABLATE_K,
    ABLATE_AGGREGATION,
    ABLATE_SUPPRESS_SELF,
    ABLATE_KEYS,
    ABLATIONS
};
const char *ablation_name(enum ablation ablation);

struct study {
    json_t *root; /* owns text */
    const char *name, *profile;
    struct train_source source;
    struct train_choices choices; /* sizes */
    char *settings[SETTINGS_MAX];
    size_t images, tests; /* 0: all */
    double epochs, encoder_epochs, rate;
    size_t batch, oracles, shards;
    uint64_t seed[STUDY_SEEDS];
    size_t seeds;
    struct forget_wish forget[STUDY_FORGETS];
    size_t forgets;
    double price[STUDY_SHARES]; /* shares that the weights see */
    size_t prices;
    bool baseline[BASELINES], ablation[ABLATIONS];
    bool exact, cost;
    bool mirror; /* half of the images are seen in a mirror, in training */
};

/* MK_EINPUT, MK_EIO, MK_ENOMEM. */
int study_read(const char *path, struct study *ret_study);
int study_parse(const char *text, size_t len, struct study *ret_study);
void study_done(struct study *study); /* takes zeros */

#endif

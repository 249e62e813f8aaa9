/* SPDX-License-Identifier: Apache-2.0 */
/* The models of a study, each trained once and kept by the hash of its settings.
 *
 *     struct model_wish wish = model_wish_new(&seed_run, "munkey");
 *     rc = study_munkey(&wish, &model);            0: here it is; 1: only listed
 *     struct model_wish oracle = model_wish_new(&seed_run, "munkey-oracle-1");
 *     oracle.without = &forgetting; oracle.keys = &wish; oracle.keys_of = model;
 */
#ifndef MUNKEY_DAEMON_STUDY_MODELS_H
#define MUNKEY_DAEMON_STUDY_MODELS_H

#include "core/rac.h"
#include "core/sisa.h"
#include "core/train.h"
#include "daemon/study_run.h"

/* Members of B2 that are forgotten, and how they were chosen. */
struct forgetting {
    const struct forget_wish *wish;
    bool *forget; /* (rows of B2) */
    size_t n;
};

struct model_wish {
    struct seed_run *seed_run;
    const char *name; /* "munkey-oracle-1" */
    uint64_t train_seed;
    const struct arrangement *rows;   /* what it learns from */
    struct arrangement_wish share;    /* how that was drawn ... */
    const struct forgetting *without; /* ... and who is left out; or NULL */
    struct train_method method;
    bool symmetric;
    const struct model_wish *keys; /* whose encoder it keeps; NULL: trains its own */
    const struct model *keys_of;
};

/* Paper mode, all rows.  Oracle r of R has a seed of its own. */
struct model_wish model_wish_new(struct seed_run *s, const char *name);
uint64_t model_seed(uint64_t seed, size_t oracle);

/* Returns 0 and what the caller frees, 1 when the run only lists and it is not there, or an
 * error. */
int study_munkey(const struct model_wish *wish, struct model **ret_model);
int study_plain(const struct model_wish *wish, struct params **ret_params);

/* What training it took; -1: it is not there. */
double study_seconds(const struct model_wish *wish, bool is_plain);

/* A training that tells of itself and ends when it is to. */
struct study_progress;
plain_tell study_tell;

struct plain_plan study_plain_plan(const struct seed_run *s, uint64_t train_seed);

#endif

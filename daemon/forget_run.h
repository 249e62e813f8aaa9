/* SPDX-License-Identifier: Apache-2.0 */
/* One forget set of one seed: who is forgotten, and what every method is compared with.
 *
 *     rc = forget_run_new(s, wish, &f);         1: only listed
 *     rc = study_munkey_forgets(&f);
 *     rc = study_baselines_forget(&f);
 *     forget_run_done(&f);
 */
#ifndef MUNKEY_DAEMON_FORGET_RUN_H
#define MUNKEY_DAEMON_FORGET_RUN_H

#include "daemon/study_measure.h"
#include "daemon/study_models.h"
#include "daemon/study_views.h"

struct forget_run {
    struct seed_run *s;
    struct forgetting who;
    struct arrangement without; /* for training: without them */
    struct queries q;
    struct views oracle[STUDY_ORACLES][SETS]; /* of MUNKEY */
};

/* Who is forgotten, from the rows; the memorised are found with oracles.  1: only listed. */
int forget_run_new(struct seed_run *s, const struct forget_wish *wish,
                   struct forget_run *ret_run);
void forget_run_done(struct forget_run *f);

/* A line of forgetting for a method, but for its figures. */
json_t *forget_line(const struct forget_run *f, const char *kind, const char *method);

/* ... and what stands in it beside them. */
void forget_row(const struct forget_run *f, json_t *line, const char *oracle,
                double seconds, size_t bytes, const char *knobs);

/* Answers of a MUNKEY model about the three sets. */
int forget_ask(const struct forget_run *f, const struct model *model, struct memory *bank,
               struct views ret_views[SETS]);
int forget_bank(const struct forget_run *f, bool without, struct memory **ret_bank);

/* The answers of all oracles of MUNKEY; and what oracle r is to be trained as: munkey NULL: a
 * plain one.  name: its text, which the wish borrows.  1: only listed. */
int forget_oracles(struct forget_run *f);
struct model_wish forget_oracle_wish(const struct forget_run *f, size_t r,
                                     const struct model_wish *munkey,
                                     char name[static 32]);

int study_munkey_forgets(struct forget_run *f);
int study_baselines_forget(struct forget_run *f);

#endif

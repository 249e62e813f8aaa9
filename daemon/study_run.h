/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a study: what is not there yet is trained and measured, in a fixed order.
 *
 *     rc = study_run("fashion-mnist.json", &options);
 *
 * A run that is interrupted goes on from what is in its folder (docs/EVALUATION.md).
 */
#ifndef MUNKEY_DAEMON_STUDY_RUN_H
#define MUNKEY_DAEMON_STUDY_RUN_H

#include "core/model_parts.h"
#include "daemon/study_data.h"
#include "daemon/study_store.h"

struct study_options {
    const char *folder;
    size_t threads;
    double minutes; /* 0: until it is done */
    bool list;      /* only say what is there, and what would be done */
};

/* 0, MK_EBUSY when it was interrupted, or what failed. */
int study_run(const char *path, const struct study_options *options);

/* What the parts of a run share. */
struct run {
    const struct study *study;
    const struct study_options *options;
    struct study_data data;
    struct study_store *store;
    size_t done, wanted; /* measurements */
    json_t *listed; /* models that would be trained: seconds or work by their names */
    double work;    /* of those */
};

/* What one seed's measurements share. */
struct seed_run {
    struct run *run;
    uint64_t seed;
    struct arrangement all; /* paper mode */
    struct pixels test;
    struct model *munkey;         /* of all rows, or NULL until seed_munkey() */
    struct key *keys, *test_keys; /* of all.pixels and test, by its encoder */
};

/* Loads or trains what has seen all rows, with the keys.  1: only listed. */
int seed_munkey(struct seed_run *s);

/* What has to be kept of a row so that it can be forgotten: its record in the memory, with whose it
 * is; or, where that means training again, its pixels and its label. */
size_t seed_record_bytes(const struct seed_run *s);
size_t seed_image_bytes(const struct seed_run *s);

/* Whether to measure: there is no line with this id, which is counted and listed. */
bool run_wants(struct run *run, const char *id);

/* "forgetting/1/random-10/munkey" */
enum { ID_SIZE = 192 };
void run_id(char ret_id[static ID_SIZE], const char *kind, uint64_t seed,
            const char *name, const char *rest);

/* Appends a line, unless there is one with this id. */
int run_put(struct run *run, const char *id, json_t *line_take);

/* A line of a kind, with its seed. */
json_t *run_line(const char *kind, uint64_t seed);

/* MK_EBUSY when somebody wants the run to end. */
int run_check(void);

double run_now(void); /* seconds */

/* The line that says what is studied.  MK_EINPUT: the folder holds another study. */
int study_about(const struct seed_run *s);

/* The parts: each measures what is missing of one seed. */
int study_forgetting(struct seed_run *s);
int study_exact(struct seed_run *s);
int study_price(struct seed_run *s);
int study_ablations(struct seed_run *s);
int study_cost(struct seed_run *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* From answers to the figures of a table's row.
 *
 *     struct queries q;
 *     rc = queries_new(&asked, &q);                             who is asked about
 *     rc = measure_figures(&q, &target, oracles, R, &figures);  all in percent
 *     json_figures(line, &figures);
 *     queries_done(&q);
 */
#ifndef MUNKEY_DAEMON_STUDY_MEASURE_H
#define MUNKEY_DAEMON_STUDY_MEASURE_H

#include <jansson.h>

#include "core/attack.h"
#include "core/gap.h"
#include "daemon/study_data.h"

/* Rows are asked about in three sets. */
enum { SET_TEST, SET_RETAIN, SET_FORGET, SETS };

/* Rows that are asked about, and their labels. */
struct queries {
    size_t classes, tests, retained, forgotten;
    const struct images *test_images, *images; /* of test rows; of the others */
    const uint32_t *test_label;                /* (tests) */
    uint32_t *test;                            /* rows of asked.test: all */
    uint32_t *retain, *forget;                 /* rows of asked.all */
    uint32_t *retain_label, *forget_label;     /* theirs */
    uint32_t *other; /* tests that have a label of the forgotten: who is no member */
    size_t others;
};

/* Who could be asked about. */
struct asked {
    const struct pixels *all, *test;
    struct row_range range; /* the members */
    const bool *forget;     /* (rows of range) */
    size_t classes,
        most; /* most: of the retained, at most, drawn with the seed; 0: all */
    uint64_t seed;
};
int queries_new(const struct asked *asked, struct queries *ret_queries);
void queries_done(struct queries *queries); /* takes zeros */

/* Of one set, borrowed. */
struct row_list queries_rows(const struct queries *q, int set);
const struct images *queries_images(const struct queries *q, int set);
const uint32_t *queries_labels(const struct queries *q, int set); /* (rows) */

/* Probabilities of one model, (rows, classes) each; borrowed. */
struct answers {
    const float *test, *retain, *forget;
};

struct figures {
    struct outcome outcome;         /* percent; mia is that of RMIA */
    struct attack confidence, rmia; /* shares */
    double gap, agreement, kl;      /* points, percent, nats */
};

/* Compares a model with its R >= 2 oracles, which are the references of RMIA too: each time
 * all but the one that it is compared with. */
int measure_figures(const struct queries *q, const struct answers *target,
                    const struct answers *oracles, size_t n, struct figures *ret_figures);

/* The oracles' own means, and their distance from one another: the floor. */
int measure_oracles(const struct queries *q, const struct answers *oracles, size_t n,
                    struct figures *ret_figures);

/* Compares a model with one that never held the rows, by references that are neither's. */
int measure_self(const struct queries *q, const struct answers *target,
                 const struct answers *self, const struct answers *references, size_t n,
                 struct figures *ret_figures);

/* RMIA by all references but skip; skip n: by all. */
int measure_rmia(const struct queries *q, const struct answers *target,
                 const struct answers *references, size_t n, size_t skip,
                 struct attack *ret_attack);
int measure_confidence(const struct queries *q, const struct answers *target,
                       struct attack *ret_attack);

/* The mean over skips of RMIA: what measure_figures() says. */
int measure_attack(const struct queries *q, const struct answers *target,
                   const struct answers *references, size_t n, struct attack *ret_attack);

/* Of an adversary who sees answers before and after: by how far they moved, and by log p(label)
 * before less after. */
int measure_difference(const struct queries *q, const struct answers *before,
                       const struct answers *after, struct attack *ret_moved,
                       struct attack *ret_ratio);

void json_figures(json_t *line, const struct figures *figures);
void json_attack(json_t *line, const struct attack *confidence,
                 const struct attack *rmia);

/* How many of n rows differ in any bit. */
size_t measure_different(const float *a, const float *b, size_t n, size_t classes);

#endif

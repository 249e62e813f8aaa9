/* SPDX-License-Identifier: Apache-2.0 */
/* What may happen to a memory, drawn by chance: people come, go, are restricted and come back.
 *
 *     cast_draw(&cast, seed, images, n);                 who there is, and what they own
 *     operation_draw(&cast, &people, &op);               something that is possible now
 *     operation_make_keys(&cast, &replica, &op);
 *     rc = operation_perform(&cast, &replica, &op);
 *     operation_apply(&cast, &op, &people);              what has to be there afterwards
 */
#ifndef MUNKEY_TESTS_OPERATION_H
#define MUNKEY_TESTS_OPERATION_H

#include "core/rng.h"
#include "tests/replica.h"

enum {
    ROWS = 120,
    SUBJECTS = 12,
    NOBODY = SUBJECTS, /* of whom nothing is ever held */
    POOL = 30, /* images: each is several rows, of equal similarity to any query */
    BATCH = 40,
    LEAVE_MAX = 3, /* subjects in one erasure */
};

/* The rows that may be enrolled, and whose each of them is. */
struct cast {
    struct rng rng;
    struct row row[ROWS];
    uint32_t subject[ROWS];
};

/* Who is in the memory. */
struct people {
    bool alive[ROWS];
    bool restricted[SUBJECTS + 1];
};

enum change { ENROL, FORGET, RESTRICT, LIFT };

struct operation {
    enum change change;
    size_t n; /* rows or subjects */
    uint32_t row[BATCH];
    struct key key[BATCH];
    uint32_t subject[LEAVE_MAX];
};

void cast_draw(struct cast *cast, uint64_t seed, const uint8_t *images, size_t n);
const char *subject_name(uint32_t subject);

void operation_draw(struct cast *cast, const struct people *people,
                    struct operation *ret_op);
/* Apart from operation_perform(), which is then all that a child has to do. */
void operation_make_keys(const struct cast *cast, struct replica *r,
                         struct operation *op);
int operation_perform(const struct cast *cast, struct replica *r,
                      const struct operation *op);
void operation_apply(const struct cast *cast, const struct operation *op,
                     struct people *people);

size_t people_count(const struct people *people); /* rows */
bool people_hold(const struct cast *cast, const struct people *people, uint32_t subject);

#endif

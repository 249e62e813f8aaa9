/* SPDX-License-Identifier: Apache-2.0 */
/* What may happen to a memory. */
#include "tests/operation.h"

#include <string.h>

enum { CLASSES = 10 };

const char *subject_name(uint32_t subject)
{
    static const char *const name[SUBJECTS + 1] = {
        "anna", "ben", "clara", "david", "emma", "finn",  "greta",
        "hugo", "ida", "jonas", "katja", "leo",  "nobody"};
    return name[subject];
}

/* Labels differ where keys are equal, so that it matters whose instance is found. */
void cast_draw(struct cast *cast, uint64_t seed, const uint8_t *images, size_t n)
{
    cast->rng = rng_at(seed, RNG_TEST, 0, 0);
    uint32_t first = rng_below(&cast->rng, (uint32_t)n - POOL);
    for (uint32_t i = 0; i < ROWS; i++) {
        uint32_t image = first + rng_below(&cast->rng, POOL);
        cast->subject[i] = rng_below(&cast->rng, SUBJECTS);
        cast->row[i] = (struct row){.number = i,
                                    .subject = subject_name(cast->subject[i]),
                                    .label = rng_below(&cast->rng, CLASSES),
                                    .pixels = images + (size_t)image * IMAGE_SIZE};
    }
}

size_t people_count(const struct people *people)
{
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        n += people->alive[i];
    return n;
}

bool people_hold(const struct cast *cast, const struct people *people, uint32_t subject)
{
    for (size_t i = 0; i < ROWS; i++)
        if (people->alive[i] && cast->subject[i] == subject)
            return true;
    return false;
}

/* Rows that are not there, in an order of chance.  A restricted person cannot be enrolled. */
static void draw_rows(struct cast *cast, const struct people *people,
                      struct operation *op)
{
    uint32_t order[ROWS];
    size_t max = 1 + rng_below(&cast->rng, BATCH);
    rng_permutation(&cast->rng, order, ROWS);
    for (size_t i = 0; i < ROWS && op->n < max; i++)
        if (!people->alive[order[i]] && !people->restricted[cast->subject[order[i]]])
            op->row[op->n++] = order[i];
}

static void draw_leavers(struct cast *cast, struct operation *op)
{
    op->change = FORGET;
    op->n = 1 + rng_below(&cast->rng, LEAVE_MAX);
    for (size_t i = 0; i < op->n; i++)
        op->subject[i] = rng_below(&cast->rng, SUBJECTS + 1);
}

void operation_draw(struct cast *cast, const struct people *people,
                    struct operation *ret_op)
{
    uint32_t what = rng_below(&cast->rng, 10), who = rng_below(&cast->rng, SUBJECTS);
    *ret_op = (struct operation){.change = ENROL};
    if (what < 5) {
        draw_rows(cast, people, ret_op);
    } else if (what < 7 && people_hold(cast, people, who)) {
        *ret_op = (struct operation){.change = people->restricted[who] ? LIFT : RESTRICT,
                                     .n = 1,
                                     .subject = {who}};
    }
    if (ret_op->n == 0)
        draw_leavers(cast, ret_op);
}

static void rows_of(const struct cast *cast, const struct operation *op,
                    struct row *ret_rows)
{
    for (size_t i = 0; i < op->n; i++)
        ret_rows[i] = cast->row[op->row[i]];
}

void operation_make_keys(const struct cast *cast, struct replica *r, struct operation *op)
{
    struct row rows[BATCH];
    if (op->change != ENROL)
        return;
    rows_of(cast, op, rows);
    replica_keys(r, rows, op->n, op->key);
}

static int forget_all(struct replica *r, const struct operation *op)
{
    const char *names[LEAVE_MAX];
    for (size_t i = 0; i < op->n; i++)
        names[i] = subject_name(op->subject[i]);
    return replica_forget(r, names, op->n);
}

int operation_perform(const struct cast *cast, struct replica *r,
                      const struct operation *op)
{
    struct row rows[BATCH];
    if (op->change == FORGET)
        return forget_all(r, op);
    if (op->change != ENROL)
        return replica_restrict(r, subject_name(*op->subject), op->change == RESTRICT);
    rows_of(cast, op, rows);
    return replica_store(r, rows, op->key, op->n);
}

static void take_out(const struct cast *cast, uint32_t subject, struct people *people)
{
    people->restricted[subject] = false;
    for (size_t i = 0; i < ROWS; i++)
        if (cast->subject[i] == subject)
            people->alive[i] = false;
}

void operation_apply(const struct cast *cast, const struct operation *op,
                     struct people *people)
{
    for (size_t i = 0; i < op->n; i++)
        if (op->change == ENROL)
            people->alive[op->row[i]] = true;
        else if (op->change == FORGET)
            take_out(cast, op->subject[i], people);
        else
            people->restricted[op->subject[i]] = op->change == RESTRICT;
}

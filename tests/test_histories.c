/* SPDX-License-Identifier: Apache-2.0 */
/* Exactness as a property: f(q; D_j(S)) = f(q; S \ j).  Each history is drawn from its seed: people
 * come, go and come back, the service restarts and is killed.  Then a fresh service is given the
 * survivors alone, in another order: same digest, same hits, same bits of every logit.
 *
 *     HISTORIES=1000 SEED=1 PROFILE=T tests/test_histories
 *
 * prints the seed of each history that fails: with it and HISTORIES=1 it runs again.
 */
#include "tests/check.h"

#include <stdio.h>
#include <sys/mman.h>

#include "core/model_parts.h"
#include "core/rng.h"
#include "tests/killed.h"
#include "tests/replica.h"

enum {
    ROWS = 120,
    SUBJECTS = 12, /* and one whom nobody knows */
    POOL = 30,     /* images: each is several rows, of equal similarity to any query */
    STEPS = 10,
    BATCH = 40,
    PLAN = 3,    /* operations of a child that is killed */
    CALLS = 900, /* in which it is killed: a plan has about so many, counted twice */
    QUERIES = 24,
    CLASSES = 10,
};

enum act { ENROL, FORGET };

struct operation {
    enum act act;
    size_t n; /* ENROL */
    uint32_t row[BATCH];
    struct key key[BATCH];
    uint32_t subject; /* FORGET */
};

struct history {
    uint64_t seed;
    struct rng rng;
    struct row row[ROWS];
    uint32_t subject[ROWS];
    bool alive[ROWS];
    struct replica service;
};

static struct shipped shipped;
static uint8_t *images;
static size_t n_images;
static size_t forgotten, logits, kills, untraced;

static bool wrong(const struct history *h, const char *what)
{
    printf("# history %ju: %s\n", (uintmax_t)h->seed, what);
    return false;
}

static bool done(const struct history *h, int rc, const char *what)
{
    char sentence[512];
    snprintf(sentence, sizeof sentence, "%s: %s", what, rc < 0 ? err_why() : "");
    return rc < 0 ? wrong(h, sentence) : true;
}

static const char *name_of(uint32_t subject)
{
    static const char *const name[SUBJECTS + 1] = {
        "anna", "ben", "clara", "david", "emma", "finn",  "greta",
        "hugo", "ida", "jonas", "katja", "leo",  "nobody"};
    return name[subject];
}

/* Labels differ where keys are equal, so that it matters whose instance is found. */
static void draw_rows(struct history *h)
{
    uint32_t first = rng_below(&h->rng, (uint32_t)n_images - POOL);
    for (uint32_t i = 0; i < ROWS; i++) {
        uint32_t image = first + rng_below(&h->rng, POOL);
        h->subject[i] = rng_below(&h->rng, SUBJECTS);
        h->row[i] = (struct row){.number = i,
                                 .subject = name_of(h->subject[i]),
                                 .label = rng_below(&h->rng, CLASSES),
                                 .pixels = images + (size_t)image * IMAGE_SIZE};
    }
}

/* At most max rows that are alive or not, as asked, in an order of chance. */
static size_t draw_batch(struct history *h, const bool *alive, bool which, size_t max,
                         uint32_t *ret_row)
{
    uint32_t order[ROWS];
    size_t n = 0;
    rng_permutation(&h->rng, order, ROWS);
    for (size_t i = 0; i < ROWS && n < max; i++)
        if (alive[order[i]] == which)
            ret_row[n++] = order[i];
    return n;
}

static void draw_operation(struct history *h, const bool *alive, struct operation *op)
{
    *op = (struct operation){.act = FORGET, .subject = rng_below(&h->rng, SUBJECTS + 1)};
    if (rng_below(&h->rng, 2))
        op->n = draw_batch(h, alive, false, 1 + rng_below(&h->rng, BATCH), op->row);
    if (op->n > 0)
        op->act = ENROL;
}

static void apply(const struct history *h, const struct operation *op, bool *alive)
{
    for (size_t i = 0; op->act == ENROL && i < op->n; i++)
        alive[op->row[i]] = true;
    for (size_t i = 0; op->act == FORGET && i < ROWS; i++)
        if (alive[i] && h->subject[i] == op->subject) {
            alive[i] = false;
            forgotten++;
        }
}

static size_t count(const bool *alive)
{
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        n += alive[i];
    return n;
}

static void rows_of(const struct history *h, const struct operation *op,
                    struct row *ret_rows)
{
    for (size_t i = 0; i < op->n; i++)
        ret_rows[i] = h->row[op->row[i]];
}

static void make_keys(struct history *h, struct operation *op)
{
    struct row rows[BATCH];
    rows_of(h, op, rows);
    replica_keys(&h->service, rows, op->n, op->key);
}

static int perform(struct history *h, const struct operation *op)
{
    struct row rows[BATCH];
    if (op->act == FORGET)
        return replica_forget(&h->service, name_of(op->subject));
    rows_of(h, op, rows);
    return replica_store(&h->service, rows, op->key, op->n);
}

static bool operate(struct history *h)
{
    struct operation op;
    draw_operation(h, h->alive, &op);
    make_keys(h, &op);
    if (!done(h, perform(h, &op), op.act == ENROL ? "enrol" : "forget"))
        return false;
    apply(h, &op, h->alive);
    return true;
}

static bool restart(struct history *h)
{
    replica_close(&h->service);
    return done(h, replica_open(&h->service), "restart");
}

/* What a child does that is killed, and how much of it was answered. */
struct plan {
    struct history *history;
    struct operation op[PLAN];
    bool alive[PLAN + 1][ROWS]; /* before and after each */
    volatile size_t answered;   /* shared with the child */
};

static int carry_out(void *context)
{
    struct plan *plan = context;
    int rc = replica_open(&plan->history->service);
    for (size_t i = 0; rc == 0 && i < PLAN; i++)
        if ((rc = perform(plan->history, &plan->op[i])) == 0)
            plan->answered = i + 1;
    return rc;
}

static void draw_plan(struct history *h, struct plan *plan)
{
    plan->history = h;
    memcpy(plan->alive[0], h->alive, sizeof h->alive);
    for (size_t i = 0; i < PLAN; i++) {
        draw_operation(h, plan->alive[i], &plan->op[i]);
        make_keys(h, &plan->op[i]);
        memcpy(plan->alive[i + 1], plan->alive[i], sizeof h->alive);
        apply(h, &plan->op[i], plan->alive[i + 1]);
    }
}

/* What was answered is there; what was not is there as a whole or not at all. */
static bool recover(struct history *h, const struct plan *plan)
{
    struct state_status status;
    size_t answered = plan->answered, next = answered < PLAN ? answered + 1 : answered;
    if (!done(h, replica_open(&h->service), "start after the kill"))
        return false;
    state_status(h->service.state, &status);
    size_t found = status.instances == count(plan->alive[answered]) ? answered : next;
    if (status.instances != count(plan->alive[found]))
        return wrong(h, "the kill left half of an operation");
    memcpy(h->alive, plan->alive[found], sizeof h->alive);
    return true;
}

static bool be_killed(struct history *h)
{
    struct plan *plan = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    draw_plan(h, plan);
    replica_close(&h->service);
    fflush(stdout);
    enum fate fate = run_and_kill(carry_out, plan, rng_below(&h->rng, CALLS));
    kills += fate == FATE_KILLED;
    untraced += fate == FATE_UNTRACED;
    bool ok = fate == FATE_FAILED ? wrong(h, "the child that was to be killed failed")
                                  : recover(h, plan);
    munmap(plan, sizeof *plan);
    return ok;
}

static bool live(struct history *h)
{
    bool ok = done(h, replica_new(&h->service, &shipped), "init");
    for (int i = 0; ok && i < STEPS; i++) {
        uint32_t what = rng_below(&h->rng, 10);
        ok = what < 8 ? operate(h) : what < 9 ? restart(h) : be_killed(h);
    }
    return ok;
}

/* The survivors alone, in another order and in other batches. */
static bool found_anew(struct history *h, struct replica *twin)
{
    bool there[ROWS] = {false};
    bool ok = done(h, replica_new(twin, &shipped), "init of the twin");
    while (ok && count(there) < count(h->alive)) {
        struct row rows[BATCH];
        uint32_t order[ROWS];
        size_t n = 0, max = 1 + rng_below(&h->rng, BATCH);
        rng_permutation(&h->rng, order, ROWS);
        for (size_t i = 0; i < ROWS && n < max; i++)
            if (h->alive[order[i]] && !there[order[i]]) {
                there[order[i]] = true;
                rows[n++] = h->row[order[i]];
            }
        ok = done(h, replica_enrol(twin, rows, n), "enrol in the twin");
    }
    return ok;
}

/* All that a service says of one image. */
struct answer {
    struct key key;
    size_t n;
    struct {
        uint8_t iid[IID_SIZE];
        float similarity;
    } hit[HITS_MAX];
    float served[(1 + K_MAX) * CLASSES]; /* null pass, memory passes */
    float blind[(1 + 2 * K_MAX) * CLASSES];
    float p[CLASSES];
};

static void ask(const struct replica *r, const uint8_t *pixels, struct answer *answer)
{
    const struct model *model = r->shipped->model;
    const uint32_t k = model_info(model)->k;
    struct scratch *blind = scratch_new_for(model, k, true);
    struct hit hits[HITS_MAX];
    memset(answer, 0, sizeof *answer);
    model_key(model, r->scratch, pixels, &answer->key);
    memory_lock_shared(r->bank);
    answer->n = memory_search(r->bank, &answer->key, k, hits);
    model_logits(model, r->scratch, pixels, hits, answer->n, answer->served);
    model_logits(model, blind, pixels, hits, answer->n, answer->blind);
    model_predict(model, r->scratch, pixels, hits, answer->n, answer->p);
    memory_unlock_shared(r->bank);
    for (size_t i = 0; i < answer->n; i++) {
        memcpy(answer->hit[i].iid, hits[i].iid, IID_SIZE);
        answer->hit[i].similarity = hits[i].similarity;
    }
    scratch_free(blind);
}

static bool same_answers(struct history *h, const struct replica *twin)
{
    size_t k = model_info(shipped.model)->k;
    for (size_t i = 0; i < QUERIES; i++) {
        struct answer here, there;
        const uint8_t *pixels =
            i % 3 ? h->row[rng_below(&h->rng, ROWS)].pixels
                  : images + (size_t)rng_below(&h->rng, (uint32_t)n_images) * IMAGE_SIZE;
        ask(&h->service, pixels, &here);
        ask(twin, pixels, &there);
        logits += (1 + k + k) * CLASSES;
        if (memcmp(&here, &there, sizeof here))
            return wrong(h, "an answer differs");
    }
    return true;
}

static bool same_memory(struct history *h, const struct replica *twin)
{
    struct state_status here, there;
    struct memory_state bank_here = memory_state(h->service.bank),
                        bank_there = memory_state(twin->bank);
    state_status(h->service.state, &here);
    state_status(twin->state, &there);
    if (here.instances != count(h->alive) || here.instances != there.instances ||
        bank_here.n != here.instances || bank_there.n != there.instances)
        return wrong(h, "the number of instances differs");
    if (memcmp(here.digest, there.digest, sizeof here.digest) ||
        memcmp(bank_here.digest, here.digest, sizeof here.digest) ||
        memcmp(bank_there.digest, there.digest, sizeof there.digest))
        return wrong(h, "the memory digest differs");
    return true;
}

static bool holds(uint64_t seed)
{
    static struct history history;
    struct history *h = &history;
    struct replica twin = {0};
    *h = (struct history){.seed = seed, .rng = rng_at(seed, RNG_TEST, 0, 0)};
    draw_rows(h);
    bool ok = live(h) && found_anew(h, &twin) && same_memory(h, &twin);
    ok = ok && same_answers(h, &twin);
    replica_remove(&h->service);
    if (*twin.folder)
        replica_remove(&twin);
    return ok;
}

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void a_service_that_forgot_is_one_that_never_held(void **state)
{
    uint64_t n = number("HISTORIES", 30), seed = number("SEED", 1), differing = 0;
    (void)state;
    for (uint64_t i = 0; i < n; i++)
        differing += !holds(seed + i);
    printf("# %ju histories, %zu logits compared, %ju differing\n", (uintmax_t)n, logits,
           (uintmax_t)differing);
    printf("# they forgot %zu instances and were killed %zu times\n", forgotten, kills);
    assert_int_equal(differing, 0);
}

static void some_histories_had_a_kill(void **state)
{
    (void)state;
    if (untraced > 0) {
        printf("# ptrace is not permitted here: nobody was killed\n");
        skip();
    }
    assert_true(kills > 0);
}

static int set_up(void **state)
{
    const char *profile = getenv("PROFILE");
    (void)state;
    model_shipped(profile ? profile : "T", &shipped);
    images = test_images(&n_images);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(images);
    model_free(shipped.model);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_that_forgot_is_one_that_never_held),
        cmocka_unit_test(some_histories_had_a_kill),
    };
    return cmocka_run_group_tests_name("histories", tests, set_up, tear_down);
}

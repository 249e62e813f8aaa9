/* SPDX-License-Identifier: Apache-2.0 */
/* Exactness as a property: f(q; D_j(S)) = f(q; S \ j).  Each history is drawn from its seed: people
 * come, go, are restricted and come back, the service restarts and is killed.  Then a fresh service is given the
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
#include "tests/killed.h"
#include "tests/operation.h"

enum {
    STEPS = 12,
    PLAN = 3,    /* operations of a child that is killed */
    CALLS = 900, /* in which it is killed: a plan has about so many, counted twice */
    QUERIES = 24,
    OUTPUTS_MAX = 64, /* of the head: classes, or what meets the codes of open labels */
    LABELS_MAX = 16,
};

struct history {
    uint64_t seed;
    struct cast cast;
    struct people people;
    struct replica service;
};

static struct shipped shipped;
static uint8_t *images;
static size_t n_images;
static size_t forgotten, restrictions, logits, kills, untraced;

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

/* Notes what has to be there afterwards, and how many have gone. */
static void apply(struct history *h, const struct operation *op)
{
    size_t before = people_count(&h->people);
    operation_apply(&h->cast, op, &h->people);
    if (op->change == FORGET)
        forgotten += before - people_count(&h->people);
    restrictions += op->change == RESTRICT;
}

static bool operate(struct history *h)
{
    static const char *const name[] = {"enrol", "forget", "restrict", "lift"};
    struct operation op;
    operation_draw(&h->cast, &h->people, &op);
    operation_make_keys(&h->cast, &h->service, &op);
    if (!done(h, operation_perform(&h->cast, &h->service, &op), name[op.change]))
        return false;
    apply(h, &op);
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
    volatile size_t answered; /* shared with the child */
};

static int carry_out(void *context)
{
    struct plan *plan = context;
    struct history *h = plan->history;
    int rc = replica_open(&h->service);
    for (size_t i = 0; rc == 0 && i < PLAN; i++)
        if ((rc = operation_perform(&h->cast, &h->service, &plan->op[i])) == 0)
            plan->answered = i + 1;
    return rc;
}

static void draw_plan(struct history *h, struct plan *plan)
{
    struct people people = h->people;
    plan->history = h;
    for (size_t i = 0; i < PLAN; i++) {
        operation_draw(&h->cast, &people, &plan->op[i]);
        operation_make_keys(&h->cast, &h->service, &plan->op[i]);
        operation_apply(&h->cast, &plan->op[i], &people);
    }
}

/* Whether the operation that was not answered has happened; it may not have happened by half. */
static bool happened(struct history *h, const struct operation *op, bool *ret_happened)
{
    struct state_status status;
    struct people after = h->people;
    operation_apply(&h->cast, op, &after);
    state_status(h->service.state, &status);
    if (status.instances != people_count(&h->people) &&
        status.instances != people_count(&after))
        return wrong(h, "the kill left half of an operation");
    *ret_happened = status.instances == people_count(&after);
    if (op->change == ENROL || op->change == FORGET)
        return true;
    bool restricted;
    if (!done(h,
              replica_is_restricted(&h->service, subject_name(*op->subject), &restricted),
              "read after the kill"))
        return false;
    *ret_happened = restricted == (op->change == RESTRICT);
    return true;
}

/* What was answered is there; what was not is there as a whole or not at all. */
static bool recover(struct history *h, const struct plan *plan)
{
    bool one_more = false;
    if (!done(h, replica_open(&h->service), "start after the kill"))
        return false;
    for (size_t i = 0; i < plan->answered; i++)
        apply(h, &plan->op[i]);
    if (plan->answered < PLAN && !happened(h, &plan->op[plan->answered], &one_more))
        return false;
    if (one_more)
        apply(h, &plan->op[plan->answered]);
    return true;
}

static bool be_killed(struct history *h)
{
    struct plan *plan = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    draw_plan(h, plan);
    replica_close(&h->service);
    fflush(stdout);
    enum fate fate = run_and_kill(carry_out, plan, rng_below(&h->cast.rng, CALLS));
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
        uint32_t what = rng_below(&h->cast.rng, 10);
        ok = what < 8 ? operate(h) : what < 9 ? restart(h) : be_killed(h);
    }
    return ok;
}

/* Enrols them in another order and in other batches. */
static bool enrol_all(struct history *h, const bool *wanted, struct replica *twin)
{
    struct row rows[BATCH];
    uint32_t order[ROWS];
    size_t n = 0, max = 1 + rng_below(&h->cast.rng, BATCH);
    bool ok = true;
    rng_permutation(&h->cast.rng, order, ROWS);
    for (size_t i = 0; ok && i < ROWS; i++) {
        if (wanted[order[i]])
            rows[n++] = h->cast.row[order[i]];
        if (n == max || (n > 0 && i + 1 == ROWS)) {
            ok = done(h, replica_enrol(twin, rows, n), "enrol in the twin");
            max = 1 + rng_below(&h->cast.rng, BATCH);
            n = 0;
        }
    }
    return ok;
}

/* The survivors alone; of the restricted nothing at all, or what they have, restricted. */
static bool found_anew(struct history *h, bool with_restricted, struct replica *twin)
{
    bool wanted[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        wanted[i] = h->people.alive[i] &&
                    (with_restricted || !h->people.restricted[h->cast.subject[i]]);
    bool ok = done(h, replica_new(twin, &shipped), "init of the twin") &&
              enrol_all(h, wanted, twin);
    for (uint32_t s = 0; ok && with_restricted && s < SUBJECTS; s++)
        if (h->people.restricted[s])
            ok = done(h, replica_restrict(twin, subject_name(s), true),
                      "restrict in the twin");
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
    float served[(1 + K_MAX) * OUTPUTS_MAX]; /* null pass, memory passes */
    float blind[(1 + 2 * K_MAX) * OUTPUTS_MAX];
    size_t labels;
    uint64_t code[LABELS_MAX]; /* (labels): of an open set */
    float p[LABELS_MAX];       /* (labels) */
};

/* What the answer is about. */
static struct label_set take_labels(const struct replica *r, struct answer *answer)
{
    struct label_list list = memory_labels(r->bank);
    answer->labels = list.code ? list.n : model_info(r->shipped->model)->classes;
    assert_true(answer->labels <= LABELS_MAX);
    for (size_t i = 0; list.code && i < list.n; i++)
        answer->code[i] = list.code[i];
    return (struct label_set){list.code, list.n};
}

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
    struct label_set about = take_labels(r, answer);
    model_logits(model, r->scratch, pixels, hits, answer->n, answer->served);
    model_logits(model, blind, pixels, hits, answer->n, answer->blind);
    model_predict(model, r->scratch, pixels, hits, answer->n, about.code ? &about : NULL,
                  answer->p);
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
    size_t outputs = shape_outputs(&shipped.model->shape);
    assert_true(outputs <= OUTPUTS_MAX);
    for (size_t i = 0; i < QUERIES; i++) {
        struct answer here, there;
        const uint8_t *pixels =
            i % 3 ? h->cast.row[rng_below(&h->cast.rng, ROWS)].pixels
                  : images +
                        (size_t)rng_below(&h->cast.rng, (uint32_t)n_images) * IMAGE_SIZE;
        ask(&h->service, pixels, &here);
        ask(twin, pixels, &there);
        logits += (1 + k + k) * outputs;
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
    if (here.instances != people_count(&h->people) || here.instances != there.instances ||
        bank_here.n != here.instances || bank_there.n != there.instances)
        return wrong(h, "the number of instances differs");
    if (memcmp(here.digest, there.digest, sizeof here.digest) ||
        memcmp(bank_here.digest, here.digest, sizeof here.digest) ||
        memcmp(bank_there.digest, there.digest, sizeof there.digest))
        return wrong(h, "the memory digest differs");
    return true;
}

static bool some_are_restricted(const struct history *h)
{
    for (size_t s = 0; s < SUBJECTS; s++)
        if (h->people.restricted[s])
            return true;
    return false;
}

/* Half of the twins hold the restricted too, whom the digest counts. */
static bool holds(uint64_t seed)
{
    static struct history history;
    struct history *h = &history;
    struct replica twin = {0};
    *h = (struct history){.seed = seed};
    cast_draw(&h->cast, seed, images, n_images);
    bool ok = live(h), with_restricted = seed % 2 || !some_are_restricted(h);
    ok = ok && found_anew(h, with_restricted, &twin);
    if (with_restricted)
        ok = ok && same_memory(h, &twin);
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

static void run_histories(uint64_t n)
{
    uint64_t seed = number("SEED", 1), differing = 0;
    size_t killed_before = kills;
    forgotten = restrictions = logits = 0;
    for (uint64_t i = 0; i < n; i++)
        differing += !holds(seed + i);
    printf("# %ju histories, %zu logits compared, %ju differing\n", (uintmax_t)n, logits,
           (uintmax_t)differing);
    printf(
        "# they forgot %zu instances, restricted %zu times and were killed %zu times\n",
        forgotten, restrictions, kills - killed_before);
    assert_int_equal(differing, 0);
}

static void a_service_that_forgot_is_one_that_never_held(void **state)
{
    (void)state;
    run_histories(number("HISTORIES", 30));
}

/* Labels come and go, too, in another order in each of the two. */
static void so_it_is_where_labels_are_open(void **state)
{
    const struct shipped closed = shipped;
    (void)state;
    model_drawn(&shipped);
    run_histories(number("HISTORIES", 30));
    model_free(shipped.model);
    shipped = closed;
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
        cmocka_unit_test(so_it_is_where_labels_are_open),
        cmocka_unit_test(some_histories_had_a_kill),
    };
    return cmocka_run_group_tests_name("histories", tests, set_up, tear_down);
}

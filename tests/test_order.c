/* SPDX-License-Identifier: Apache-2.0 */
/* The order of an erasure, tried exhaustively: crash before every step of enrolment,
 * erasure, start and restore, in every state that can be reached, with a backup of the
 * database and of the keyring that an operator may bring back at any time.
 *
 * The world is one subject, who may come back once under a new ref, and what is durable
 * about them.  Every step is atomic and durable, as the fsyncs in storage/ make it.  The
 * lists of steps below are those of docs/LEDGER.md; swapping two of them turns a check
 * red (and the last tests do just that).
 */
#include "tests/check.h"

#include <stdio.h>

enum {
    REFS = 3,
    COPIES = 2,
    LOG_MAX = 5,
    CRASHES_MAX = 3,
    STEPS_MAX = 16
}; /* ref 0: none */
enum kind { INIT = 1, ENROLL, ERASE, START, RESTORE };

/* No two writings of an entry are the same: serial stands for times and commitments. */
struct log {
    uint8_t n;
    struct {
        uint8_t kind, ref, serial;
    } entry[LOG_MAX];
};

struct database {
    uint8_t present, slot; /* the ref whose keys are in the slot */
    struct log log;
};

struct world {
    struct database db, backup;
    struct database draft, aside; /* of a restore: not in its place yet; replaced by it */
    struct log ledger,
        published; /* published: the longest log that outsiders saw signed */
    uint8_t key[COPIES][REFS], key_backup[COPIES][REFS];
    uint8_t tombstone[REFS], receipt[REFS];
    uint8_t wal; /* the ref whose overwritten keys can still be read there */
    uint8_t checkpoint, serial, last_ref;
    uint8_t
        meddled; /* an old file was brought back by hand, or a restore is unfinished */
    uint8_t crashes;  /* stops and restores so far: a history has at most CRASHES_MAX */
    uint8_t up, bank; /* volatile: serving, and the ref in RAM */
    uint8_t operation, step; /* volatile: what runs, and its next step */
    uint8_t source;          /* volatile: what a restore is told to go back to */
};
enum source { BACKUP, OWN, ASIDE, SOURCES };

enum { GO, REFUSE };
typedef int step(struct world *w);
static const char *broken; /* the promise that was seen broken */

static bool is_prefix(const struct log *a, const struct log *b)
{
    return a->n <= b->n && memcmp(a->entry, b->entry, a->n * sizeof *a->entry) == 0;
}

static void write_entry_to(struct log *log, enum kind kind, uint8_t ref, uint8_t serial)
{
    assert_true(log->n < LOG_MAX);
    log->entry[log->n].kind = kind;
    log->entry[log->n].ref = ref;
    log->entry[log->n++].serial = serial;
}

static void write_entry(struct world *w, enum kind kind, uint8_t ref)
{
    write_entry_to(&w->db.log, kind, ref, ++w->serial);
}

static bool key_lives(const struct world *w, uint8_t ref)
{
    return w->key[0][ref] || w->key[1][ref];
}

/* Steps that operations share. */

static int append_ledger(struct world *w)
{
    w->ledger = w->db.log;
    return GO;
}

static int empty_wal(struct world *w)
{
    w->wal = 0;
    return GO;
}

/* "A log must never sign two checkpoints that disagree." */
static int publish(struct world *w)
{
    if (!is_prefix(&w->published, &w->db.log))
        broken = "two checkpoints disagree, or an entry is lost";
    w->published = w->db.log;
    w->checkpoint = w->db.log.n;
    return GO;
}

/* Enrolment. */

static int key_in_first(struct world *w)
{
    w->key[0][++w->last_ref] = true;
    return GO;
}

static int key_in_mirror(struct world *w)
{
    w->key[1][w->last_ref] = true;
    return GO;
}

static int commit_enrolment(struct world *w)
{
    w->db.slot = w->last_ref;
    write_entry(w, ENROLL, w->db.slot);
    return GO;
}

static int add_to_bank(struct world *w)
{
    w->bank = w->db.slot;
    return GO;
}

/* Erasure.  `bank` still names the subject until its step. */

static int commit_erasure(struct world *w)
{
    w->wal = w->db.slot;
    w->db.slot = 0;
    write_entry(w, ERASE, w->bank);
    return GO;
}

static int bury(struct world *w)
{
    w->tombstone[w->bank] = true;
    return GO;
}

static int destroy_in_first(struct world *w)
{
    w->key[0][w->bank] = false;
    return GO;
}

static int destroy_in_mirror(struct world *w)
{
    w->key[1][w->bank] = false;
    return GO;
}

static int reply(struct world *w)
{
    w->receipt[w->bank] = true;
    w->bank = 0;
    return GO;
}

/* Start. */

static int compare(struct world *w)
{
    const struct database *db = &w->db;
    bool ledger_fits = db->present && is_prefix(&w->ledger, &db->log);
    bool checkpoint_fits = db->present && w->checkpoint <= db->log.n;
    bool slot_fits = db->slot == 0 || (key_lives(w, db->slot) && !w->tombstone[db->slot]);
    return ledger_fits && checkpoint_fits && slot_fits ? GO : REFUSE;
}

static int bury_unnamed(struct world *w)
{
    for (int ref = 1; ref < REFS; ref++)
        w->tombstone[ref] |= key_lives(w, ref) && ref != w->db.slot;
    return GO;
}

/* "Copies differ: keep the live one if a slot names it, else zero both." */
static int settle_keys(struct world *w, int copy)
{
    for (int ref = 1; ref < REFS; ref++)
        w->key[copy][ref] = ref == w->db.slot;
    return GO;
}

static int settle_first(struct world *w)
{
    return settle_keys(w, 0);
}

static int settle_mirror(struct world *w)
{
    return settle_keys(w, 1);
}

static int commit_start(struct world *w)
{
    if (w->db.log.n + 1 < LOG_MAX) /* else this start goes unlogged, to end somewhere */
        write_entry(w, START, 0);
    return GO;
}

static int serve(struct world *w)
{
    w->up = true;
    w->bank = w->db.slot;
    return GO;
}

/* Restore: the only way back to an older database. */

static const struct database *source_of(const struct world *w)
{
    const struct database *source[SOURCES] = {&w->backup, &w->db, &w->aside};
    return source[w->source];
}

static int copy_source(struct world *w)
{
    w->draft = *source_of(w);
    return GO;
}

static int commit_restore(struct world *w)
{
    struct database *draft = &w->draft;
    if (!is_prefix(&draft->log, &w->ledger) && !is_prefix(&w->ledger, &draft->log))
        return REFUSE;
    if (w->ledger.n > draft->log.n)
        draft->log = w->ledger;
    if (w->checkpoint > draft->log.n || draft->log.n == LOG_MAX)
        return REFUSE;
    if (draft->slot && (w->tombstone[draft->slot] || !key_lives(w, draft->slot)))
        draft->slot = 0;
    write_entry_to(&draft->log, RESTORE, 0, ++w->serial);
    return GO;
}

static int set_aside(struct world *w)
{
    w->meddled = true;
    if (w->db.present)
        w->aside = w->db;
    w->db = (struct database){0};
    w->wal = 0; /* it goes with its database */
    return GO;
}

static int swap(struct world *w)
{
    w->db = w->draft;
    w->draft = (struct database){0};
    return GO;
}

static int sweep(struct world *w)
{
    w->draft = w->aside = (struct database){0};
    return GO;
}

enum { IDLE, ENROLMENT, ERASURE, STARTING, RESTORING, OPERATIONS };
typedef step *const orders[OPERATIONS][STEPS_MAX];

static orders as_designed = {
    [ENROLMENT] = {key_in_first, key_in_mirror, commit_enrolment, append_ledger,
                   add_to_bank, publish},
    [ERASURE] = {commit_erasure, bury, append_ledger, destroy_in_first, destroy_in_mirror,
                 empty_wal, publish, reply},
    [STARTING] = {compare, bury_unnamed, append_ledger, settle_first, settle_mirror,
                  empty_wal, sweep, commit_start, append_ledger, publish, serve},
    [RESTORING] = {copy_source, commit_restore, set_aside, swap, compare, bury_unnamed,
                   append_ledger, settle_first, settle_mirror, empty_wal, sweep, publish},
};

/* What must hold of everybody who has a receipt, from the moment they have it. */
static void check_receipts(const struct world *w)
{
    for (int ref = 1; ref < REFS; ref++)
        if (w->receipt[ref] && (w->db.slot == ref || key_lives(w, ref) || w->wal == ref))
            broken = "a receipt was given and something is left";
}

/* What must hold of everybody while the service runs. */
static void check_service(const struct world *w)
{
    if (w->draft.present || w->aside.present)
        broken = "another copy lies about, out of an erasure's reach";
    if (w->bank != w->db.slot)
        broken = "what is searched is not what is stored";
    if (w->db.slot && !key_lives(w, w->db.slot))
        broken = "a subject's key was lost";
    for (int i = 0; i < w->db.log.n; i++)
        if (w->db.log.entry[i].kind == ERASE && w->db.log.entry[i].ref == w->db.slot)
            broken = "an erased subject came back";
}

static void check_promises(const struct world *w)
{
    bool serving = w->up && w->operation == IDLE;
    if (serving)
        check_service(w);
    if (serving || !w->meddled)
        check_receipts(w);
}

/* The set of states that were seen, and the queue of those to go on from: one array. */
static struct world *seen;
static size_t n_seen, *bucket;
enum { SEEN_MAX = 1 << 20, BUCKETS = 1 << 21 };

static void visit(const struct world *w)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < sizeof *w; i++)
        hash = (hash ^ ((const uint8_t *)w)[i]) * 1099511628211u;
    size_t b = hash % BUCKETS;
    for (; bucket[b]; b = (b + 1) % BUCKETS)
        if (memcmp(&seen[bucket[b] - 1], w, sizeof *w) == 0)
            return;
    assert_true(n_seen < SEEN_MAX);
    seen[n_seen++] = *w;
    bucket[b] = n_seen;
    check_promises(w);
}

static void crash(struct world w)
{
    w.up = w.bank = w.operation = w.step = w.source = 0;
    w.draft =
        (struct database){.present = w.draft.present}; /* the next one is made anew */
    if (w.crashes++ < CRASHES_MAX)
        visit(&w);
}

static void begin(struct world w, uint8_t operation)
{
    if (operation != STARTING && (w.db.log.n == LOG_MAX || w.ledger.n == LOG_MAX))
        return; /* far enough */
    w.operation = operation;
    visit(&w);
}

/* The step that is next, or a crash before it. */
static void go_on(orders order, struct world w)
{
    struct world before = w;
    crash(w);
    if (order[w.operation][w.step](&w) == REFUSE) {
        if (!w.meddled)
            broken = "a start was refused that nobody meddled with";
        if (w.operation == STARTING && w.step > 0)
            broken = "something was swept before all comparisons held";
        crash(before);
        return;
    }
    w.step++;
    if (!order[w.operation][w.step]) {
        w.meddled &= w.operation != RESTORING;
        w.operation = w.step = w.source = 0;
    }
    visit(&w);
}

/* What may happen while nothing runs: requests, backups, and operators. */
static void choose(struct world w)
{
    if (w.up) {
        crash(w);
        if (!w.db.slot && w.last_ref + 1 < REFS)
            begin(w, ENROLMENT);
        if (w.db.slot)
            begin(w, ERASURE);
        if (w.backup.present)
            return;
        w.backup = w.db;
        memcpy(w.key_backup, w.key, sizeof w.key);
        visit(&w);
        return;
    }
    begin(w, STARTING);
    for (w.source = BACKUP; w.source < SOURCES; w.source++)
        if (source_of(&w)->present)
            begin(w, RESTORING);
    w.source = 0;
    if (!w.backup.present)
        return;
    w.meddled = true;
    struct world old_keys = w;
    memcpy(old_keys.key, w.key_backup, sizeof w.key);
    visit(&old_keys);
    w.db = w.backup;
    visit(&w);
}

/* Returns the promise that some history breaks, or NULL. */
static const char *explore(orders order)
{
    struct world first = {
        .db = {.present = true, .log = {.n = 1, .entry = {{INIT, 0, 0}}}}};
    first.ledger = first.published = first.db.log;
    first.checkpoint = 1;
    broken = NULL;
    n_seen = 0;
    seen = calloc(SEEN_MAX, sizeof *seen);
    bucket = calloc(BUCKETS, sizeof *bucket);
    assert_true(seen && bucket);
    visit(&first);
    for (size_t i = 0; i < n_seen && !broken; i++)
        if (seen[i].operation == IDLE)
            choose(seen[i]);
        else
            go_on(order, seen[i]);
    free(seen);
    free(bucket);
    return broken;
}

static void the_order_as_designed_keeps_every_promise(void **unused)
{
    (void)unused;
    const char *promise = explore(as_designed);
    print_message("# %zu states\n", n_seen);
    if (promise)
        print_error("%s\n", promise);
    assert_null(promise);
    assert_true(n_seen > 10000);
}

/* Explores the designed order with one step of an operation moved. */
static const char *explore_moved(int operation, int from, int to)
{
    step *order[OPERATIONS][STEPS_MAX];
    memcpy(order, as_designed, sizeof order);
    step **steps = order[operation], *moved = steps[from];
    for (int i = from; i != to; i += from < to ? 1 : -1)
        steps[i] = steps[i + (from < to ? 1 : -1)];
    steps[to] = moved;
    return explore(order);
}

static void other_orders_break_a_promise(void **unused)
{
    (void)unused;
    static const struct {
        int operation, from, to;
        const char *what;
    } moves[] = {
        {ENROLMENT, 2, 0, "slots before the key"},
        {ENROLMENT, 5, 3, "checkpoint before the ledger"},
        {ERASURE, 2, 1, "ledger before the tombstone"},
        {ERASURE, 0, 4, "keys destroyed before the commit"},
        {ERASURE, 7, 3, "reply before the key is destroyed"},
        {ERASURE, 7, 5, "reply before the WAL is empty"},
        {STARTING, 3, 0, "keys swept before the comparisons"},
        {STARTING, 1, 4, "keys destroyed before the tombstones"},
        {RESTORING, 7, 2, "keys destroyed before the swap"},
        {RESTORING, 11, 6, "a restore's checkpoint before the ledger"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
        const char *promise =
            explore_moved(moves[i].operation, moves[i].from, moves[i].to);
        print_message("# %s: %s\n", moves[i].what, promise ? promise : "nothing breaks");
        assert_non_null(promise);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_as_designed_keeps_every_promise),
        cmocka_unit_test(other_orders_break_a_promise),
    };
    return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}

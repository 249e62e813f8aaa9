/* SPDX-License-Identifier: Apache-2.0 */
/* Backups and restores: the erased stay erased, whatever is brought back, or it is refused with a
 * sentence that says what to do. */
#include "tests/check.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "storage/backup.h"
#include "storage/encode.h"
#include "storage/hold.h"
#include "storage/log.h"
#include "storage/restrict.h"
#include "storage/state_private.h"
#include "storage/subject.h"
#include "storage/verify.h"
#include "tests/fixture.h"

enum { PEOPLE = 40, ERASED = 7, NEW = 50, RESTRICTED = 3, HELD = 4 };

/* A path of its own, unlike fixture_path()'s. */
struct path {
    char text[256];
};

static struct path path_of(const struct fixture *f, const char *name)
{
    struct path path;
    snprintf(path.text, sizeof path.text, "%s", fixture_path(f, name));
    return path;
}

static int restore(struct fixture *f, const char *name, struct restore_plan *ret_plan)
{
    return fixture_try_restore(f, path_of(f, name).text, ret_plan);
}

static void erase(struct fixture *f, uint32_t person)
{
    struct forgotten done;
    assert_ok(fixture_forget(f, person, &done));
    assert_int_equal(done.answer.act, ACT_ERASE);
    forgotten_done(&done);
}

static void restrict_person(struct fixture *f, uint32_t person)
{
    struct restricted done;
    assert_ok(
        restrict_set(f->state, fixture_subject(person), 'a', "a-request", false, &done));
    restricted_done(&done);
}

/* 40 people, and `backup.db` of them; then one was erased, one enrolled, one restricted, and one
 * put on hold.  `old` has keys/ and log/ as they were with the backup.  Closed. */
static int set_up(void **data)
{
    struct fixture *f = calloc(1, sizeof *f);
    *data = f;
    fixture_new(f);
    fixture_open(f);
    fixture_import(f, 0, PEOPLE, NOBODY);
    assert_ok(state_backup(f->state, path_of(f, "backup.db").text, NULL, NULL));
    fixture_run(f, "mkdir old && cp -r keys log old/");
    erase(f, ERASED);
    assert_ok(fixture_enroll(f, NEW, NEW, NEW + 1));
    restrict_person(f, RESTRICTED);
    assert_ok(hold_set(f->state, fixture_subject(HELD), 'e', 0));
    fixture_close(f);
    return 0;
}

static bool is_there(struct fixture *f, uint32_t person)
{
    struct held held;
    int rc = subject_read(f->state, fixture_subject(person), 0, 10, &held);
    if (rc == MK_ENOTFOUND)
        return false;
    assert_ok(rc);
    held_done(&held);
    return true;
}

/* Opens the folder: all people but the erased one are there, and nothing else lies about. */
static void assert_erased_stay_erased(struct fixture *f)
{
    fixture_open(f);
    for (uint32_t person = 0; person < PEOPLE; person++)
        assert_int_equal(is_there(f, person), person != ERASED);
    fixture_run(f, "[ ! -e restore ] && [ ! -e aside ]");
}

/* A start is refused with the sentence. */
static void assert_start_refused(struct fixture *f, const char *why)
{
    assert_int_equal(fixture_try_open(f), MK_EREFUSED);
    if (!strstr(err_why(), why))
        print_error("said: %s\n", err_why());
    assert_non_null(strstr(err_why(), why));
}

static void list_files(const struct fixture *f, char *ret_list, size_t size)
{
    char line[256];
    snprintf(line, sizeof line,
             "cd '%s' && find . -type f ! -name '*-wal' ! -name '*-shm' | sort | "
             "xargs sha256sum; ls",
             f->folder);
    FILE *pipe = popen(line, "r");
    size_t n = fread(ret_list, 1, size - 1, pipe);
    ret_list[n] = 0;
    assert_int_equal(pclose(pipe), 0);
}

/* A restore is refused with the sentence, and has changed nothing. */
static void assert_restore_refused(struct fixture *f, const char *name, const char *why)
{
    static char before[65536], after[65536];
    list_files(f, before, sizeof before);
    assert_int_equal(restore(f, name, NULL), MK_EREFUSED);
    if (!strstr(err_why(), why))
        print_error("said: %s\n", err_why());
    assert_non_null(strstr(err_why(), why));
    list_files(f, after, sizeof after);
    assert_string_equal(before, after);
}

static void the_erased_stay_erased_and_the_others_come_back(void **data)
{
    struct fixture *f = *data;
    struct restore_plan plan;
    assert_ok(restore(f, "backup.db", &plan));
    assert_int_equal(plan.entries, 3);
    assert_int_equal(plan.instances, PEOPLE - 1);
    assert_int_equal(plan.erased, 1);
    assert_erased_stay_erased(f);
    assert_int_equal(f->state->digest.n, PEOPLE - 1);
}

static void what_was_enrolled_since_is_counted_before_it_is_lost(void **data)
{
    struct fixture *f = *data;
    struct restore_plan plan;
    assert_ok(restore(f, "backup.db", &plan));
    assert_int_equal(plan.lost, 1);
    assert_int_equal(plan.subjects, 1);
    fixture_open(f);
    assert_false(is_there(f, NEW));
    assert_int_equal(keyring_subjects(f->state->keyring), PEOPLE - 1);
    assert_ok(fixture_enroll(f, NEW, NEW, NEW + 1)); /* and may come again */
}

static int disagree(void *context, const struct restore_plan *plan)
{
    (void)context, (void)plan;
    return fail(MK_ECONFLICT, "no");
}

static void whoever_says_no_has_changed_nothing(void **data)
{
    struct fixture *f = *data;
    static char before[65536], after[65536];
    static const uint8_t sha256[32];
    struct memory *bank = memory_new(DIM, 1000);
    struct state_status status;
    list_files(f, before, sizeof before);
    assert_int_equal(state_restore(&f->options, &f->model, sha256, bank,
                                   path_of(f, "backup.db").text, disagree, NULL, &status),
                     MK_ECONFLICT);
    list_files(f, after, sizeof after);
    assert_string_equal(before, after);
    memory_free(bank);
    fixture_open(f);
    assert_true(is_there(f, NEW));
}

static void restrictions_and_holds_survive(void **data)
{
    struct fixture *f = *data;
    struct new_instance instance;
    struct forgotten done;
    struct hit hit;
    assert_ok(restore(f, "backup.db", NULL));
    fixture_open(f);
    fixture_instance(RESTRICTED, &instance);
    memory_lock_shared(f->bank);
    assert_int_equal(memory_search(f->bank, &instance.key, 1, &hit), 1);
    memory_unlock_shared(f->bank);
    assert_memory_not_equal(hit.key.q, instance.key.q, DIM);
    assert_int_equal(fixture_enroll(f, RESTRICTED, 60, 61), MK_ECONFLICT);
    assert_int_equal(fixture_forget(f, HELD, &done), MK_ECONFLICT);
}

/* A backup is often made while the last transaction was the lifting of a restriction: its
 * database names that person's ref. */
static void a_restriction_newer_than_the_backup_is_not_lifted(void **data)
{
    struct fixture *f = *data;
    struct restricted done;
    fixture_open(f);
    assert_ok(
        restrict_lift(f->state, fixture_subject(RESTRICTED), "lift-it", false, &done));
    restricted_done(&done);
    assert_ok(state_backup(f->state, path_of(f, "lifted.db").text, NULL, NULL));
    restrict_person(f, RESTRICTED);
    fixture_close(f);
    assert_ok(restore(f, "lifted.db", NULL));
    fixture_open(f);
    assert_int_equal(fixture_enroll(f, RESTRICTED, 60, 61), MK_ECONFLICT);
}

/* The claim of a receipt, checked against the keys that the folder serves now. */
static void assert_receipt_verifies(struct fixture *f, const struct forgotten *done)
{
    struct claim claim = {done->answer.receipt, done->answer.proof, NULL, 0, NULL, NULL};
    char *jwks = NULL, *vkey = NULL;
    struct verdict verdict;
    assert_ok(log_jwks(f->state, &jwks));
    assert_ok(log_vkey(f->state, &vkey));
    struct trust trust = {.jwks = jwks, .vkeys = vkey};
    assert_ok(verify_receipt(&claim, &trust, &verdict));
    assert_true(verdict.valid);
    assert_int_equal(verdict.check[CHECK_LEAF_IN_LOG].result, CHECK_PASSED);
    free(jwks);
    free(vkey);
}

static void receipts_sent_before_verify_and_are_given_again(void **data)
{
    struct fixture *f = *data;
    struct forgotten done;
    struct answer again;
    fixture_open(f);
    assert_ok(fixture_forget(f, 8, &done));
    fixture_close(f);
    assert_ok(restore(f, "backup.db", NULL));
    fixture_open(f);
    assert_receipt_verifies(f, &done);
    assert_ok(answer_read(f->state, done.answer.index, &again));
    assert_string_equal(again.receipt,
                        done.answer.receipt); /* Ed25519 is deterministic */
    answer_done(&again);
    forgotten_done(&done);
}

static void read_checkpoint(struct fixture *f, struct checkpoint *ret_checkpoint)
{
    char *text = NULL;
    assert_ok(ledger_get_checkpoint(f->state->ledger, &text));
    assert_ok(checkpoint_parse(text, strlen(text), ret_checkpoint));
    free(text);
}

static void the_log_goes_on(void **data)
{
    struct fixture *f = *data;
    struct checkpoint before, after;
    struct merkle_path path;
    struct entry entry[2];
    fixture_open(f);
    read_checkpoint(f, &before);
    fixture_close(f);
    assert_ok(restore(f, "backup.db", NULL));
    fixture_open(f);
    read_checkpoint(f, &after);
    struct merkle tree = state_tree(f->state);
    assert_ok(merkle_consistency(&tree, before.size, after.size, &path));
    assert_true(
        merkle_consistent(before.size, after.size, &path, before.root, after.root));
    for (uint64_t i = 0; i < after.size; i++) { /* the chain rule, `restore` included */
        struct entry_row row;
        assert_ok(store_entry_read(f->state->store, i, &row));
        assert_ok(entry_parse(row.bytes, row.len, &entry[i % 2]));
        assert_ok(entry_check(&entry[i % 2]));
        assert_ok(i == 0 ? 0 : entry_follows(&entry[(i + 1) % 2], &entry[i % 2]));
        assert_true(i != before.size || entry[i % 2].act == ACT_RESTORE);
        entry_row_done(&row);
    }
}

static void yesterdays_database_alone_is_refused_and_can_be_restored(void **data)
{
    struct fixture *f = *data;
    fixture_run(f, "rm munkeyd.db* && cp backup.db munkeyd.db");
    assert_start_refused(f, "munkeyctl restore");
    assert_ok(restore(f, "munkeyd.db", NULL));
    assert_erased_stay_erased(f);
}

static void yesterdays_database_and_keyring_bring_nobody_back(void **data)
{
    struct fixture *f = *data;
    fixture_run(f,
                "rm munkeyd.db* && cp backup.db munkeyd.db && cp old/keys/keyring keys/");
    assert_start_refused(f, "munkeyctl restore");
    assert_ok(restore(f, "munkeyd.db", NULL));
    assert_erased_stay_erased(f);
    assert_int_equal(keyring_subjects(f->state->keyring), PEOPLE - 1);
}

/* Everything of yesterday but the tombstones: the ledger's erasures say that refs are missing. */
static void tombstones_that_were_rolled_back_are_missed(void **data)
{
    struct fixture *f = *data;
    fixture_run(f, "rm munkeyd.db* && cp backup.db munkeyd.db && "
                   "cp old/keys/keyring keys/ && cp old/log/tombstones log/");
    assert_start_refused(f, "munkeyctl restore");
    assert_restore_refused(f, "munkeyd.db", "put log/tombstones back");
}

/* SQLite replays it silently onto the older file: here the log is of today, and the slot that the
 * new subject took from the erased one is of yesterday. */
static void an_old_database_beside_a_newer_wal_brings_nobody_back(void **data)
{
    struct fixture *f = *data;
    struct restore_plan plan;
    fixture_open(f);
    fixture_import(f, 1000, 1100, RESTRICTED);
    fixture_run(f, "cp munkeyd.db-wal newer && [ -s newer ]");
    fixture_close(f);
    fixture_run(f,
                "rm munkeyd.db* && cp backup.db munkeyd.db && cp newer munkeyd.db-wal");
    assert_start_refused(f, "log/tombstones says was erased: run munkeyctl restore");
    assert_ok(restore(f, "munkeyd.db", &plan));
    assert_int_equal(plan.entries, 0);
    assert_int_equal(plan.erased, 1);
    assert_int_equal(plan.lost, 1);
    fixture_run(f,
                "rm munkeyd.db* && cp backup.db munkeyd.db && cp newer munkeyd.db-wal");
    assert_ok(restore(f, "backup.db", NULL));
    assert_erased_stay_erased(f);
}

static void without_a_ledger_nothing_is_restored(void **data)
{
    struct fixture *f = *data;
    fixture_run(f, "mv log/entries . && touch log/entries");
    assert_start_refused(f, "put log/entries back");
    assert_restore_refused(f, "backup.db", "put log/entries back");
    fixture_run(f, "rm log/entries");
    assert_start_refused(f, "log/entries");
    assert_restore_refused(f, "backup.db", "log/entries");
    fixture_run(f, "mv entries log/ && rm log/checkpoint");
    assert_start_refused(f, "put it back");
    assert_restore_refused(f, "backup.db", "put the log/ folder back");
}

static void a_ledger_cut_short_is_missed_by_the_checkpoint(void **data)
{
    struct fixture *f = *data;
    fixture_run(f, "cp log/entries whole && cp old/log/entries log/");
    assert_restore_refused(f, "backup.db", "put log/entries back");
    fixture_run(f, "head -c $(($(stat -c %s whole) - 30)) whole >log/entries");
    assert_int_equal(restore(f, "backup.db", NULL), MK_EREFUSED);
    assert_non_null(strstr(err_why(), "put log/entries back"));
    assert_erased_stay_erased(f); /* munkeyd.db is whole: a start completes the ledger */
}

static void an_altered_ledger_is_refused(void **data)
{
    struct fixture *f = *data;
    fixture_run(f, "sed -i 's/\"act\":\"restrict\"/\"act\":\"rustrict\"/' log/entries");
    assert_restore_refused(f, "backup.db", "cannot be read");
    fixture_run(
        f, "sed -i 's/\"act\":\"rustrict\"/\"act\":\"restrict\"/; "
           "s/\"commit\":\"[^\"]/\"commit\":\"A/; s/\"n\":\\[40,39\\]/\"n\":[39,40]/' "
           "log/entries");
    assert_restore_refused(f, "backup.db", "log/checkpoint was signed over another log");
}

static void a_backup_of_another_log_is_refused(void **data)
{
    struct fixture *f = *data, other;
    fixture_new(&other);
    fixture_open(&other);
    fixture_import(&other, 0, PEOPLE, ERASED);
    assert_ok(state_backup(other.state, path_of(f, "other.db").text, NULL, NULL));
    fixture_remove(&other);
    assert_restore_refused(f, "other.db", "backup of this log");
}

static void a_backup_for_another_encoder_is_refused(void **data)
{
    struct fixture *f = *data;
    f->model.encoder_sha256[5] = 1;
    assert_restore_refused(f, "backup.db", "another key encoder");
}

static void what_is_no_whole_database_is_refused(void **data)
{
    struct fixture *f = *data;
    assert_restore_refused(f, "nothing.db", "cannot be read");
    assert_restore_refused(f, "log/entries", "munkeyctl restore with a backup");
    fixture_run(f, "touch empty.db");
    assert_int_equal(restore(f, "empty.db", NULL), MK_EREFUSED);
    fixture_run(f, "head -c 12288 backup.db >half.db");
    assert_restore_refused(f, "half.db", "munkeyctl restore with a backup");
}

/* The backup as a database of its own that can be changed: there/munkeyd.db. */
static void open_backup(struct fixture *f, struct store **ret_store)
{
    fixture_run(f, "rm -rf there && mkdir there && cp backup.db there/munkeyd.db");
    assert_ok(store_open(path_of(f, "there").text, ret_store));
    assert_ok(store_begin(*ret_store));
}

static void close_backup(struct store *store)
{
    assert_ok(store_commit(store));
    store_close(store);
}

/* What somebody without the keys can do. */
static void a_backup_that_was_changed_is_refused(void **data)
{
    struct fixture *f = *data;
    static const uint8_t zeros[SLOT_SIZE_MAX];
    uint8_t body[SLOT_SIZE_MAX];
    struct store *backup = NULL;
    open_backup(f, &backup);
    assert_ok(store_slot_read(backup, 1, body));
    body[100] ^= 1;
    assert_ok(store_slot_write(backup, 1, body));
    close_backup(backup);
    assert_restore_refused(f, "there/munkeyd.db", "is damaged");
    open_backup(f, &backup);
    assert_ok(store_slot_write(backup, 1, zeros));
    close_backup(backup);
    assert_restore_refused(f, "there/munkeyd.db", "not those that its log ends with");
    open_backup(f, &backup);
    assert_ok(store_meta_write(backup, META_STATE, zeros, DIGEST_STATE_SIZE));
    close_backup(backup);
    assert_restore_refused(f, "there/munkeyd.db", "not those that its log ends with");
}

/* It only lacks the last entries of the ledger: a restore completes the ledger as a start does. */
static void a_database_newer_than_the_ledger_is_taken(void **data)
{
    struct fixture *f = *data;
    struct restore_plan plan;
    fixture_run(f, "truncate -s -30 log/entries");
    assert_ok(restore(f, "munkeyd.db", &plan));
    assert_int_equal(plan.entries + plan.lost + plan.erased, 0);
    assert_erased_stay_erased(f);
    assert_true(is_there(f, NEW));
}

static void slots_without_a_key_are_given_up(void **data)
{
    struct fixture *f = *data;
    struct restore_plan plan;
    fixture_run(f, "cp old/keys/keyring keys/"); /* which does not know the new one */
    assert_start_refused(f, "munkeyctl restore");
    assert_ok(restore(f, "munkeyd.db", &plan));
    assert_int_equal(plan.lost, 1);
    assert_int_equal(plan.subjects, 1);
    assert_int_equal(plan.erased, 0);
    assert_erased_stay_erased(f);
    assert_false(is_there(f, NEW));
}

/* The mirror, on another disk, has not seen the erasure: a crash came between the copies. */
static void a_tombstoned_key_alive_in_the_mirror_opens_nothing(void **data)
{
    struct fixture *f = *data;
    struct path mirror = path_of(f, "mirror");
    f->options.keyring_mirror = mirror.text;
    fixture_run(f, "cp old/keys/keyring mirror && truncate -s $(stat -c %s keys/keyring) "
                   "mirror");
    fixture_run(f, "cp keys/keyring sure && cp mirror sure-mirror");
    /* The new subject has taken the erased one's record: of different times. */
    assert_restore_refused(f, "backup.db", "of different times");
    fixture_run(f, "dd if=/dev/zero of=keys/keyring bs=128 seek=7 count=1 conv=notrunc "
                   "status=none");
    assert_ok(restore(f, "backup.db", NULL));
    assert_erased_stay_erased(f);
    fixture_run(f, "cmp keys/keyring mirror");
}

static void a_subject_in_one_copy_of_the_keyring_only_is_kept(void **data)
{
    struct fixture *f = *data;
    struct path mirror = path_of(f, "mirror");
    f->options.keyring_mirror = mirror.text;
    fixture_run(f, "cp keys/keyring mirror && dd if=/dev/zero of=mirror bs=128 seek=9 "
                   "count=1 conv=notrunc status=none && dd if=/dev/zero of=keys/keyring "
                   "bs=128 seek=10 count=1 conv=notrunc status=none");
    assert_ok(restore(f, "backup.db", NULL));
    assert_erased_stay_erased(f);
    fixture_run(f, "cmp keys/keyring mirror");
}

/* Between two renames: the database is set aside, its WAL is not. */
static void a_restore_cut_off_in_the_swap_can_be_repeated(void **data)
{
    struct fixture *f = *data;
    fixture_open(f);
    assert_ok(fixture_enroll(f, 51, 51, 52));
    fixture_run(f, "cp munkeyd.db munkeyd.db-wal .. 2>/dev/null; mkdir cut && "
                   "cp munkeyd.db munkeyd.db-wal cut/ && [ -s cut/munkeyd.db-wal ]");
    fixture_close(f);
    fixture_run(f, "rm munkeyd.db* && mkdir aside restore && mv cut/munkeyd.db aside/ && "
                   "mv cut/munkeyd.db-wal . && cp backup.db restore/munkeyd.db");
    assert_start_refused(f, "munkeyctl restore");
    /* Whoever changes their mind has everything back, the WAL's last word included. */
    assert_ok(restore(f, "aside/munkeyd.db", NULL));
    assert_erased_stay_erased(f);
    assert_true(is_there(f, NEW));
    assert_true(is_there(f, 51));
}

/* What was set aside holds people whom the next erasure forgets. */
static void a_start_sweeps_what_a_restore_left(void **data)
{
    struct fixture *f = *data;
    fixture_run(f,
                "mkdir aside restore && cp munkeyd.db aside/ && "
                "cp backup.db restore/munkeyd.db && cp backup.db restore/munkeyd.db-wal");
    assert_erased_stay_erased(f);
}

/* Tries to open a slot with every key there is. */
static bool opens(const struct state *state, uint64_t id, const uint8_t *body)
{
    struct instance instance;
    uint8_t key[SECRET_SIZE];
    bool open = false;
    for (uint32_t i = 0; i < keyring_size(state->keyring); i++) {
        struct slot_place place = {body, key, id};
        if (keyring_data_key(state->keyring, i, key) == 0)
            open |= slot_open(&state->shape, &place, body, &instance) == 0;
    }
    return open;
}

struct trial {
    const struct state *state;
    unsigned readable, unreadable;
};

static int try_slot(void *context, uint64_t id, const uint8_t *body)
{
    struct trial *trial = context;
    if (slot_is_free(&trial->state->shape, body))
        return 0;
    *(opens(trial->state, id, body) ? &trial->readable : &trial->unreadable) += 1;
    return 0;
}

static void a_backup_is_unreadable_for_everybody_erased_since(void **data)
{
    struct fixture *f = *data;
    struct store *backup = NULL;
    fixture_open(f);
    for (uint32_t person = 10; person < 20; person++)
        erase(f, person);
    open_backup(f, &backup);
    struct trial trial = {.state = f->state};
    assert_ok(store_slots_scan(backup, try_slot, &trial));
    assert_int_equal(trial.unreadable, 11);
    assert_int_equal(trial.readable, PEOPLE - 11);
    close_backup(backup);
    /* Nor is what the folder has of them anywhere the key that opened it. */
    fixture_close(f);
    fixture_run(
        f, "for i in 10 15 19; do dd if=old/keys/keyring bs=128 skip=$i count=1 "
           "status=none | tail -c +49 | head -c 40 >wrapped; "
           "hex=$(od -An -v -tx1 wrapped | tr -d ' \\n'); "
           "! od -An -v -tx1 -w1000000000 keys/keyring | tr -d ' ' | grep -q $hex || "
           "exit 1; done");
}

static void no_file_is_written_over_and_no_half_is_left(void **data)
{
    struct fixture *f = *data;
    struct rlimit limit, small;
    fixture_open(f);
    assert_int_equal(state_backup(f->state, path_of(f, "munkeyd.db").text, NULL, NULL),
                     MK_ECONFLICT);
    assert_int_equal(state_backup(f->state, "backup.db", NULL, NULL), MK_EINPUT);
    assert_int_equal(state_backup(f->state, path_of(f, "no/folder.db").text, NULL, NULL),
                     MK_EUNPROCESSABLE);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    small = (struct rlimit){8192, limit.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    assert_int_equal(state_backup(f->state, path_of(f, "full.db").text, NULL, NULL),
                     MK_EUNPROCESSABLE);
    setrlimit(RLIMIT_FSIZE, &limit);
    fixture_run(f, "! ls | grep -E 'full|part|no$'");
    assert_ok(state_backup(f->state, path_of(f, "full.db").text, NULL, NULL));
    fixture_run(f, "[ $(stat -c %a full.db) = 600 ] && [ ! -e full.db-wal ] && "
                   "[ $(od -An -tu1 -j18 -N2 full.db | tr -d ' ') = 11 ]");
}

/* A backup in steps; between any two of them somebody is erased and somebody enrolled. */
struct bustle {
    struct fixture *f;
    unsigned steps;
    uint64_t entries; /* of the log, at the last step */
    _Atomic bool over;
};

static void change_something(void *context)
{
    struct bustle *bustle = context;
    uint32_t n = bustle->steps++;
    erase(bustle->f, 10 + n);
    erase(bustle->f, SUBJECTS - 1 - n); /* whose slots lie elsewhere */
    assert_ok(fixture_enroll(bustle->f, 300 + n, 5000 + 40 * n, 5040 + 40 * n));
    bustle->entries = store_entries(bustle->f->state->store);
}

static void *predict(void *context)
{
    struct bustle *bustle = context;
    struct new_instance instance;
    struct hit hit;
    fixture_instance(100, &instance);
    while (!bustle->over) {
        memory_lock_shared(bustle->f->bank);
        assert_int_equal(memory_search(bustle->f->bank, &instance.key, 1, &hit), 1);
        memory_unlock_shared(bustle->f->bank);
    }
    return NULL;
}

static void a_backup_made_while_serving_is_sound(void **data)
{
    struct fixture *f = *data;
    struct bustle bustle = {.f = f};
    struct restore_plan plan;
    uint8_t mem[SHA256_SIZE];
    pthread_t thread;
    fixture_open(f);
    fixture_import(f, 1000, 4000, RESTRICTED);
    pthread_create(&thread, NULL, predict, &bustle);
    assert_ok(
        state_backup(f->state, path_of(f, "busy.db").text, change_something, &bustle));
    bustle.over = true;
    pthread_join(thread, NULL);
    assert_true(bustle.steps > 3);
    memcpy(mem, f->state->mem, sizeof mem);
    fixture_close(f);
    assert_ok(restore(f, "busy.db", &plan));
    assert_int_equal(plan.entries + plan.erased + plan.lost, 0); /* all that happened */
    fixture_open(f);
    assert_memory_equal(f->state->mem, mem, sizeof mem);
    assert_false(is_there(f, 10));
    assert_true(is_there(f, 300));
}

#define RESTORE_TEST(name)                                                               \
    cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RESTORE_TEST(the_erased_stay_erased_and_the_others_come_back),
        RESTORE_TEST(what_was_enrolled_since_is_counted_before_it_is_lost),
        RESTORE_TEST(whoever_says_no_has_changed_nothing),
        RESTORE_TEST(restrictions_and_holds_survive),
        RESTORE_TEST(a_restriction_newer_than_the_backup_is_not_lifted),
        RESTORE_TEST(receipts_sent_before_verify_and_are_given_again),
        RESTORE_TEST(the_log_goes_on),
        RESTORE_TEST(yesterdays_database_alone_is_refused_and_can_be_restored),
        RESTORE_TEST(yesterdays_database_and_keyring_bring_nobody_back),
        RESTORE_TEST(tombstones_that_were_rolled_back_are_missed),
        RESTORE_TEST(an_old_database_beside_a_newer_wal_brings_nobody_back),
        RESTORE_TEST(without_a_ledger_nothing_is_restored),
        RESTORE_TEST(a_ledger_cut_short_is_missed_by_the_checkpoint),
        RESTORE_TEST(an_altered_ledger_is_refused),
        RESTORE_TEST(a_backup_of_another_log_is_refused),
        RESTORE_TEST(a_backup_for_another_encoder_is_refused),
        RESTORE_TEST(what_is_no_whole_database_is_refused),
        RESTORE_TEST(a_backup_that_was_changed_is_refused),
        RESTORE_TEST(a_database_newer_than_the_ledger_is_taken),
        RESTORE_TEST(slots_without_a_key_are_given_up),
        RESTORE_TEST(a_tombstoned_key_alive_in_the_mirror_opens_nothing),
        RESTORE_TEST(a_subject_in_one_copy_of_the_keyring_only_is_kept),
        RESTORE_TEST(a_restore_cut_off_in_the_swap_can_be_repeated),
        RESTORE_TEST(a_start_sweeps_what_a_restore_left),
        RESTORE_TEST(a_backup_is_unreadable_for_everybody_erased_since),
        RESTORE_TEST(no_file_is_written_over_and_no_half_is_left),
        RESTORE_TEST(a_backup_made_while_serving_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

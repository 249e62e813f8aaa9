/* SPDX-License-Identifier: Apache-2.0 */
/* The start rules: what a start completes, and what it refuses without touching anything. */
#include "tests/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "storage/log.h"
#include "storage/read.h"
#include "storage/state_private.h"
#include "tests/fixture.h"

enum { ROWS = 40 };

/* A memory of 40 people of whom number 7 was forgotten, closed; `old` is its database when
 * number 7 was still there. */
static int set_up(void **data)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct forgotten done;
    *data = f;
    fixture_new(f);
    fixture_open(f);
    fixture_import(f, 0, ROWS, NOBODY);
    fixture_close(f);
    fixture_run(
        f, "mkdir ../old.$$ && cp -r munkeyd.db log keys ../old.$$ && mv ../old.$$ old");
    fixture_open(f);
    assert_ok(fixture_forget(f, 7, &done));
    forgotten_done(&done);
    fixture_close(f);
    return 0;
}

/* What a refused start must leave as it was: everything but the WAL, which is empty. */
static void list_files(const struct fixture *f, char *ret_list, size_t size)
{
    char line[256];
    snprintf(line, sizeof line,
             "cd '%s' && find . -type f ! -name '*-wal' | sort | xargs sha256sum",
             f->folder);
    FILE *pipe = popen(line, "r");
    size_t n = fread(ret_list, 1, size - 1, pipe);
    ret_list[n] = 0;
    assert_int_equal(pclose(pipe), 0);
}

static void assert_refused(struct fixture *f, const char *why)
{
    static char before[65536], after[65536];
    list_files(f, before, sizeof before);
    assert_int_equal(fixture_try_open(f), MK_EREFUSED);
    if (!strstr(err_why(), why))
        print_error("said: %s\n", err_why());
    assert_non_null(strstr(err_why(), why));
    list_files(f, after, sizeof after);
    assert_string_equal(before, after);
}

static void a_folder_without_anything_is_not_initialised(void **data)
{
    struct fixture *f = *data;
    fixture_run(f, "rm -rf munkeyd.db* log");
    assert_refused(f, "munkeyctl init");
}

static void an_initialised_folder_is_not_made_anew(void **data)
{
    struct fixture *f = *data;
    struct init_options init = {0};
    static const uint8_t sha256[32];
    assert_int_equal(state_init(&f->options, &init, &f->model, sha256), MK_ECONFLICT);
    fixture_run(f, "rm log/checkpoint");
    assert_int_equal(state_init(&f->options, &init, &f->model, sha256), MK_ECONFLICT);
    fixture_run(f, "rm keys/keyring");
    assert_int_equal(state_init(&f->options, &init, &f->model, sha256), MK_ECONFLICT);
}

/* The folder is lost, or its disk is not mounted, and the mirror is what can be saved. */
static void a_mirror_with_keys_is_not_written_over(void **data)
{
    struct fixture *f = *data;
    struct init_options init = {0};
    static const uint8_t sha256[32];
    char mirror[256];
    snprintf(mirror, sizeof mirror, "%s", fixture_path(f, "mirror"));
    fixture_run(f,
                "mv keys/keyring mirror && cp mirror old && rm -rf munkeyd.db* log keys");
    f->options.keyring_mirror = mirror;
    assert_int_equal(state_init(&f->options, &init, &f->model, sha256), MK_ECONFLICT);
    assert_non_null(strstr(err_why(), "keyring_mirror"));
    fixture_run(f, "cmp mirror old/mirror && rm mirror");
    assert_ok(state_init(&f->options, &init, &f->model, sha256));
    f->options.keyring_mirror = NULL;
}

static void a_model_that_knows_fewer_labels_is_refused(void **data)
{
    struct fixture *f = *data;
    f->model.classes = 1;
    assert_refused(f, "a label of number 1, and this model knows 1");
    f->model.classes = 2;
    fixture_open(f);
}

/* What stands in the WAL of a process that was killed is for the next start that is made to zero: SQLite
 * would unlink it. */
static void a_refused_start_leaves_the_wal(void **data)
{
    struct fixture *f = *data;
    fixture_open(f);
    assert_ok(fixture_enroll(f, 3, 900, 904));
    fixture_run(f, "cp munkeyd.db munkeyd.db-wal old/");
    fixture_close(f);
    fixture_run(f, "cp old/munkeyd.db old/munkeyd.db-wal . && test -s munkeyd.db-wal");
    f->model.encoder_sha256[5] = 1;
    assert_int_equal(fixture_try_open(f), MK_EREFUSED);
    fixture_run(f,
                "cmp munkeyd.db-wal old/munkeyd.db-wal && cmp munkeyd.db old/munkeyd.db");
    f->model.encoder_sha256[5] = 0;
    fixture_open(f);
}

static void an_init_that_a_crash_cut_short_is_made_anew(void **data)
{
    struct fixture *f = *data;
    struct init_options init = {0};
    static const uint8_t sha256[32];
    fixture_run(f, "rm -rf munkeyd.db* log keys && mkdir keys log && "
                   "touch keys/keyring keys/root munkeyd.db log/entries");
    assert_false(state_is_initialised(f->folder));
    assert_ok(state_init(&f->options, &init, &f->model, sha256));
    assert_true(state_is_initialised(f->folder));
    fixture_open(f);
}

static void a_second_process_is_refused(void **data)
{
    struct fixture *f = *data, second = *f;
    fixture_open(f);
    assert_int_equal(fixture_try_open(&second), MK_EREFUSED);
    assert_non_null(strstr(err_why(), "another process"));
}

static void another_encoder_is_refused(void **data)
{
    struct fixture *f = *data;
    f->model.encoder_sha256[5] = 1;
    assert_refused(f, "another key encoder");
}

static void a_missing_checkpoint_is_refused(void **data)
{
    struct fixture *f = *data;
    fixture_run(f, "rm log/checkpoint");
    assert_refused(f, "log/checkpoint is missing");
}

static void a_missing_ledger_is_refused(void **data)
{
    struct fixture *f = *data;
    fixture_run(f, "rm log/entries");
    assert_refused(f, "log/entries");
    fixture_run(f, "touch log/entries");
    assert_refused(f, "log/entries is empty");
}

static void a_missing_database_is_refused(void **data)
{
    struct fixture *f = *data;
    fixture_run(f, "rm munkeyd.db*");
    assert_refused(f, "munkeyctl restore");
}

static void tombstones_that_were_lost_are_refused(void **data)
{
    struct fixture *f = *data;
    fixture_run(f, "truncate -s 0 log/tombstones");
    assert_refused(f, "put log/tombstones back");
}

static void an_older_database_is_refused(void **data)
{
    struct fixture *f = *data;
    fixture_run(f, "rm munkeyd.db* && cp old/munkeyd.db .");
    assert_refused(f, "older than log/entries");
    fixture_run(f, "cp old/log/entries log/");
    assert_refused(f, "signed over more entries");
    fixture_run(f, "cp old/log/checkpoint log/");
    assert_refused(f, "log/tombstones says was erased");
    fixture_run(f, "cp old/keys/keyring keys/");
    assert_refused(f, "log/tombstones says was erased");
}

static void slots_without_a_key_are_refused(void **data)
{
    struct fixture *f = *data;
    fixture_run(f, "truncate -s 0 keys/keyring");
    assert_refused(f, "has no key in the keyring");
}

static void entries_that_differ_are_refused(void **data)
{
    struct fixture *f = *data;
    fixture_run(f, "sed -i 's/\"act\":\"start\"/\"act\":\"stort\"/' log/entries");
    assert_refused(f, "tell different stories");
}

static void a_checkpoint_of_another_log_is_refused(void **data)
{
    struct fixture *f = *data;
    char *text = NULL;
    fixture_open(f);
    struct checkpoint checkpoint = {.origin = "munkeyd.test/log", .size = 2, .root = {1}};
    const struct signer *signer = f->state->log_key;
    assert_ok(checkpoint_sign(&checkpoint, &signer, 1, &text));
    assert_ok(ledger_set_checkpoint(f->state->ledger, text));
    free(text);
    fixture_close(f);
    assert_refused(f, "signed over another log");
    fixture_run(f, "sed -i 's/^2$/3/' log/checkpoint");
    assert_refused(f, "not signed by this folder's log key");
}

static void a_damaged_slot_is_refused(void **data)
{
    struct fixture *f = *data;
    uint8_t body[SLOT_SIZE_MAX];
    fixture_open(f);
    assert_ok(store_begin(f->state->store));
    assert_ok(store_slot_read(f->state->store, 1, body));
    body[100] ^= 1;
    assert_ok(store_slot_write(f->state->store, 1, body));
    assert_ok(store_commit(f->state->store));
    fixture_close(f);
    assert_refused(f, "is damaged");
}

static void a_slot_moved_to_another_row_is_refused(void **data)
{
    struct fixture *f = *data;
    uint8_t one[SLOT_SIZE_MAX], two[SLOT_SIZE_MAX];
    fixture_open(f);
    assert_ok(store_begin(f->state->store));
    assert_ok(store_slot_read(f->state->store, 1, one));
    assert_ok(store_slot_read(f->state->store, 2, two));
    assert_ok(store_slot_write(f->state->store, 1, two));
    assert_ok(store_slot_write(f->state->store, 2, one));
    assert_ok(store_commit(f->state->store));
    fixture_close(f);
    assert_refused(f, "is damaged");
}

static void a_slot_too_few_is_refused(void **data)
{
    struct fixture *f = *data;
    static const uint8_t zeros[SLOT_SIZE_MAX];
    fixture_open(f);
    assert_ok(store_begin(f->state->store));
    assert_ok(store_slot_write(f->state->store, 1, zeros));
    assert_ok(store_commit(f->state->store));
    fixture_close(f);
    assert_refused(f, "are not those that its log ends with");
}

/* With the keys at hand slot and digest can be made to fit each other, but not the log. */
static void a_slot_rewritten_with_its_key_is_refused(void **data)
{
    struct fixture *f = *data;
    struct instance instance;
    uint8_t body[SLOT_SIZE_MAX], lanes[DIGEST_STATE_SIZE], key_bytes[KEY_BYTES_MAX],
        tag[32];
    struct reader reader;
    fixture_open(f);
    struct state *state = f->state;
    keyring_tag(state->keyring, "person-3", 8, tag);
    assert_ok(reader_open(state, keyring_find(state->keyring, tag), &reader));
    assert_ok(reader_read(&reader, 0, &instance));
    struct slot_place place = {keyring_at(state->keyring, reader.owner)->ref,
                               reader.data_key, reader.slot[0]};
    struct element element = slot_element(&state->shape, &instance, key_bytes);
    digest_remove(&state->digest, &element);
    element.label = instance.label = !instance.label;
    digest_add(&state->digest, &element);
    digest_store(&state->digest, lanes);
    slot_seal(&state->shape, &place, &instance, body);
    assert_ok(store_begin(state->store));
    assert_ok(store_slot_write(state->store, reader.slot[0], body));
    assert_ok(store_meta_write(state->store, META_STATE, lanes, sizeof lanes));
    assert_ok(store_commit(state->store));
    reader_close(&reader);
    fixture_close(f);
    assert_refused(f, "are not those that its log ends with");
}

static void a_ledger_cut_short_is_completed(void **data)
{
    struct fixture *f = *data;
    char *entries = NULL;
    fixture_run(f, "cp log/entries whole && truncate -s -50 log/entries");
    fixture_open(f);
    assert_int_equal(ledger_entries(f->state->ledger), store_entries(f->state->store));
    /* The whole one and the `start` of this start. */
    fixture_run(f, "cmp -n $(stat -c %s whole) whole log/entries");
    assert_ok(log_entry(f->state, store_entries(f->state->store) - 1, &entries));
    assert_non_null(strstr(entries, "\"act\":\"start\""));
    free(entries);
}

static void an_erasure_without_ledger_and_destroyed_key_is_completed(void **data)
{
    struct fixture *f = *data;
    fixture_run(
        f, "cp old/keys/keyring keys/ && cp old/log/entries log/ && : >log/tombstones &&"
           " cp old/log/checkpoint log/");
    fixture_open(f);
    assert_int_equal(ledger_refs(f->state->ledger), 1);
    assert_int_equal(keyring_subjects(f->state->keyring), ROWS - 1);
    assert_int_equal(ledger_entries(f->state->ledger), store_entries(f->state->store));
    /* And its data key is nowhere any more. */
    fixture_close(f);
    fixture_run(f, "cp keys/keyring k && ! cmp -s k old/keys/keyring");
    fixture_open(f);
    assert_int_equal(ledger_refs(f->state->ledger), 1);
}

static void a_restricted_subject_stays_masked_and_is_told_apart(void **data)
{
    struct fixture *f = *data;
    uint8_t tag[SHA256_SIZE];
    struct hit hit;
    struct new_instance instance;
    fixture_instance(3, &instance);
    fixture_open(f);
    keyring_tag(f->state->keyring, "person-3", 8, tag);
    struct keyring_record marks = {.flags = FLAG_RESTRICTED};
    assert_ok(
        keyring_mark(f->state->keyring, keyring_find(f->state->keyring, tag), &marks));
    fixture_close(f);
    fixture_open(f);
    memory_lock_shared(f->bank);
    assert_int_equal(memory_search(f->bank, &instance.key, 1, &hit), 1);
    memory_unlock_shared(f->bank);
    assert_memory_not_equal(hit.key.q, instance.key.q, DIM);
    assert_int_equal(fixture_enroll(f, 3, 50, 51), MK_ECONFLICT);
}

static void a_pending_lift_of_a_restriction_is_completed(void **data)
{
    struct fixture *f = *data;
    uint8_t tag[SHA256_SIZE];
    fixture_open(f);
    keyring_tag(f->state->keyring, "person-3", 8, tag);
    struct keyring_record marks = {.flags = FLAG_RESTRICTED};
    uint32_t owner = keyring_find(f->state->keyring, tag);
    assert_ok(keyring_mark(f->state->keyring, owner, &marks));
    assert_ok(store_begin(f->state->store));
    assert_ok(store_meta_write(f->state->store, META_PENDING,
                               keyring_at(f->state->keyring, owner)->ref, REF_SIZE));
    assert_ok(store_commit(f->state->store));
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(keyring_at(f->state->keyring, owner)->flags, 0);
    assert_ok(fixture_enroll(f, 3, 50, 51));
}

static void after_an_unknown_outcome_nothing_is_written(void **data)
{
    struct fixture *f = *data;
    struct forgotten done;
    fixture_open(f);
    state_break(f->state, MK_EUNKNOWN);
    assert_int_equal(fixture_enroll(f, 3, 50, 51), MK_ESTORE);
    assert_int_equal(fixture_forget(f, 3, &done), MK_ESTORE);
}

#define STATE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STATE_TEST(a_folder_without_anything_is_not_initialised),
        STATE_TEST(an_initialised_folder_is_not_made_anew),
        STATE_TEST(a_mirror_with_keys_is_not_written_over),
        STATE_TEST(a_model_that_knows_fewer_labels_is_refused),
        STATE_TEST(a_refused_start_leaves_the_wal),
        STATE_TEST(an_init_that_a_crash_cut_short_is_made_anew),
        STATE_TEST(a_second_process_is_refused),
        STATE_TEST(another_encoder_is_refused),
        STATE_TEST(a_missing_checkpoint_is_refused),
        STATE_TEST(a_missing_ledger_is_refused),
        STATE_TEST(a_missing_database_is_refused),
        STATE_TEST(tombstones_that_were_lost_are_refused),
        STATE_TEST(an_older_database_is_refused),
        STATE_TEST(slots_without_a_key_are_refused),
        STATE_TEST(entries_that_differ_are_refused),
        STATE_TEST(a_checkpoint_of_another_log_is_refused),
        STATE_TEST(a_damaged_slot_is_refused),
        STATE_TEST(a_slot_moved_to_another_row_is_refused),
        STATE_TEST(a_slot_too_few_is_refused),
        STATE_TEST(a_slot_rewritten_with_its_key_is_refused),
        STATE_TEST(a_ledger_cut_short_is_completed),
        STATE_TEST(an_erasure_without_ledger_and_destroyed_key_is_completed),
        STATE_TEST(a_restricted_subject_stays_masked_and_is_told_apart),
        STATE_TEST(a_pending_lift_of_a_restriction_is_completed),
        STATE_TEST(after_an_unknown_outcome_nothing_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Callbacks that wait: as many as there are erasures to tell of, in the same transaction, and nothing
 * of them afterwards. */
#include "tests/check.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "storage/backup.h"
#include "storage/callback.h"
#include "storage/callback_secret.h"
#include "storage/disk.h"
#include "storage/encode.h"
#include "storage/hold.h"
#include "storage/sql.h"
#include "storage/state_private.h"
#include "storage/store_private.h"
#include "tests/fixture.h"

static const char *const urls[] = {"https://example.org/hooks/erased-people",
                                   "https://example.net/"};

static struct erasure_request asked(uint32_t person, const char *name, size_t n)
{
    return (struct erasure_request){.subject = fixture_subject(person),
                                    .request = name,
                                    .idempotent = true,
                                    .received = 1000000,
                                    .callback_url = urls,
                                    .callback_urls = n};
}

/* Erases one person, with n callbacks. */
static int ask(struct fixture *f, uint32_t person, const char *name, size_t n)
{
    const struct erasure_request one = asked(person, name, n);
    struct forgotten done;
    int rc = forget_batch(f->state, &one, 1, &done);
    if (rc == 0)
        rc = done.rc;
    forgotten_done(&done);
    return rc;
}

static uint64_t waiting(struct fixture *f)
{
    struct state_status status;
    state_status(f->state, &status);
    return status.callbacks;
}

/* The only one that waits; returns its row. */
static uint64_t only(struct fixture *f, struct callback *ret_callback)
{
    uint64_t row, next;
    char *receipt = NULL;
    assert_int_equal(waiting(f), 1);
    assert_ok(callback_next(f->state, 1, &row));
    assert_int_equal(callback_next(f->state, row + 1, &next), MK_ENOTFOUND);
    assert_ok(callback_read(f->state, row, ret_callback, &receipt));
    free(receipt);
    return row;
}

static void reopen(struct fixture *f)
{
    fixture_close(f);
    fixture_open(f);
}

static void a_callback_says_what_became_of_the_request_also_after_a_restart(void **data)
{
    struct fixture *f = *data;
    const struct erasure_request one = asked(5, "one", 1);
    struct forgotten done;
    struct callback callback;
    char *receipt = NULL;
    assert_ok(fixture_enroll(f, 5, 0, 4));
    assert_ok(forget_batch(f->state, &one, 1, &done));
    for (int round = 0; round < 2; round++, reopen(f)) {
        uint64_t row = only(f, &callback);
        assert_string_equal(callback.url, urls[0]);
        assert_string_equal(callback.request, "one");
        assert_string_equal(callback.regulation, "gdpr");
        assert_true(callback.erased && callback.n == done.answer.index);
        assert_true(callback.received == 1000000 && callback.due == done.due);
        assert_in_range(callback.completed, time(NULL) - 60, time(NULL));
        assert_ok(callback_read(f->state, row, &callback, &receipt));
        assert_string_equal(receipt, done.answer.receipt);
        free(receipt);
    }
    forgotten_done(&done);
}

static void each_url_has_a_callback_with_an_id_of_its_own(void **data)
{
    struct fixture *f = *data;
    struct callback first, second;
    uint64_t row;
    char *receipt = NULL;
    assert_ok(ask(f, 5, "one", 2));
    assert_int_equal(waiting(f), 2);
    assert_ok(callback_next(f->state, 1, &row));
    assert_ok(callback_read(f->state, row, &first, &receipt));
    free(receipt);
    assert_ok(callback_next(f->state, row + 1, &row));
    assert_ok(callback_read(f->state, row, &second, &receipt));
    free(receipt);
    assert_string_equal(second.url, urls[1]);
    assert_false(first.erased);
    assert_memory_not_equal(first.id, second.id, sizeof first.id);
}

static void what_is_refused_held_or_repeated_is_not_told(void **data)
{
    struct fixture *f = *data;
    assert_ok(fixture_enroll(f, 6, 0, 4));
    assert_ok(ask(f, 5, "one", 1));
    assert_ok(ask(f, 5, "one", 1));
    assert_int_equal(ask(f, 7, "one", 1), MK_EUNPROCESSABLE);
    assert_ok(hold_set(f->state, fixture_subject(6), 'e', 0));
    assert_int_equal(ask(f, 6, "two", 1), MK_ECONFLICT);
    assert_int_equal(waiting(f), 1);
    assert_ok(hold_lift(f->state, fixture_subject(6)));
    assert_ok(ask(f, 6, "two", 1));
    assert_int_equal(waiting(f), 2);
}

static void count_call(void *context)
{
    ++*(int *)context;
}

static void who_watches_is_woken_when_there_is_something_to_tell(void **data)
{
    struct fixture *f = *data;
    int calls = 0;
    callbacks_watch(f->state, count_call, &calls);
    assert_ok(ask(f, 5, "one", 0));
    assert_int_equal(calls, 0);
    assert_ok(ask(f, 6, "two", 2));
    assert_int_equal(calls, 1);
    callbacks_watch(f->state, NULL, NULL);
    assert_ok(ask(f, 7, "three", 2));
    assert_int_equal(calls, 1);
}

/* One is refused, the other is erased, and the rows count what is there. */
static void when_too_many_wait_an_erasure_without_callbacks_goes_on(void **data)
{
    struct fixture *f = *data;
    struct erasure_request two[] = {asked(5, "one", 1), asked(6, "two", 0)};
    struct forgotten done[2];
    f->state->callbacks.n = CALLBACKS_MAX;
    assert_ok(forget_batch(f->state, two, 2, done));
    assert_int_equal(done[0].rc, MK_EBUSY);
    assert_non_null(strstr(done[0].why, "100000 callbacks wait"));
    assert_int_equal(done[1].rc, 0);
    f->state->callbacks.n = 0;
    for (size_t i = 0; i < 2; i++)
        forgotten_done(&done[i]);
}

/* As on a full disk: those that were written before the one for which there was no room. */
static void what_is_rolled_back_leaves_its_rows_free(void **data)
{
    struct fixture *f = *data;
    struct erasure_request many[FORGET_MAX];
    struct forgotten done[FORGET_MAX];
    struct callback callback;
    char name[FORGET_MAX][12];
    for (uint32_t i = 0; i < FORGET_MAX; i++) {
        snprintf(name[i], sizeof name[i], "%u", i);
        many[i] = asked(1000 + i, name[i], 2);
    }
    assert_ok(
        sql_script(f->state->store->sql, "PRAGMA max_page_count = 1")); /* no more */
    assert_int_equal(forget_batch(f->state, many, FORGET_MAX, done), MK_ESTORE);
    assert_non_null(strstr(err_why(), "full"));
    assert_int_equal(waiting(f), 0);
    assert_int_equal(store_callbacks(f->state->store), 0);
    assert_ok(sql_script(f->state->store->sql, "PRAGMA max_page_count = 1000000"));
    assert_ok(ask(f, 5, "one", 1));
    assert_int_equal(only(f, &callback), 1);
}

/* Whether any file of the database holds these bytes. */
static bool holds(const struct fixture *f, const void *bytes, size_t len)
{
    static const char *const names[] = {"munkeyd.db", "munkeyd.db-wal"};
    bool found = false;
    for (size_t i = 0; i < 2; i++) {
        static char content[1 << 22];
        FILE *file = fopen(fixture_path(f, names[i]), "rb");
        size_t n = file ? fread(content, 1, sizeof content, file) : 0;
        assert_true(n < sizeof content);
        found |= memmem(content, n, bytes, len) != NULL;
        if (file)
            fclose(file);
    }
    return found;
}

static void no_file_says_where_a_callback_goes_or_what_it_is_about(void **data)
{
    struct fixture *f = *data;
    assert_ok(ask(f, 5, "a-name-that-says-much", 2));
    for (int round = 0; round < 2; round++, reopen(f)) {
        assert_false(holds(f, "example.", 8));
        assert_false(holds(f, "a-name-that", 11));
    }
}

static void of_one_that_is_settled_nothing_is_left(void **data)
{
    struct fixture *f = *data;
    uint8_t body[STORE_CALLBACK_SIZE];
    struct callback callback;
    assert_ok(ask(f, 5, "one", 1));
    uint64_t row = only(f, &callback);
    assert_ok(store_callback_read(f->state->store, row, body));
    assert_true(holds(f, body, 64));
    assert_ok(callbacks_settle(f->state, &row, 1));
    for (int round = 0; round < 2; round++, reopen(f)) {
        assert_int_equal(waiting(f), 0);
        for (size_t at = 0; at < sizeof body; at += 16)
            assert_false(holds(f, body + at, 16));
    }
    assert_ok(ask(f, 6, "two", 1));
    assert_int_equal(only(f, &callback), row);
}

static void a_row_that_was_moved_or_changed_is_not_read(void **data)
{
    struct fixture *f = *data;
    uint8_t body[STORE_CALLBACK_SIZE];
    struct callback callback;
    char *receipt = NULL;
    assert_ok(ask(f, 5, "one", 2));
    assert_ok(store_callback_read(f->state->store, 1, body));
    assert_ok(store_begin(f->state->store));
    assert_ok(store_callback_write(f->state->store, 2, body));
    assert_ok(store_commit(f->state->store));
    assert_int_equal(callback_read(f->state, 2, &callback, &receipt), MK_ESTORE);
    assert_ok(callback_read(f->state, 1, &callback, &receipt));
    free(receipt);
}

static void a_folder_of_schema_2_is_brought_to_the_present_one(void **data)
{
    struct fixture *f = *data;
    struct sql *sql;
    assert_ok(ask(f, 5, "one", 0));
    fixture_close(f);
    assert_ok(sql_open(fixture_path(f, "munkeyd.db"), &sql));
    assert_ok(sql_script(
        sql, "BEGIN; DROP TABLE callback;"
             "UPDATE meta SET value = x'0200000000000000' WHERE id = 1; COMMIT"));
    sql_close(sql);
    fixture_open(f);
    assert_int_equal(waiting(f), 0);
    assert_ok(ask(f, 5, "one", 1)); /* a repeat */
    assert_int_equal(waiting(f), 0);
    assert_ok(ask(f, 6, "two", 1));
    assert_int_equal(waiting(f), 1);
}

/* ---- restore ---- */

static void back_up(struct fixture *f)
{
    assert_ok(state_backup(f->state, fixture_path(f, "backup.db"), NULL, NULL));
}

/* known: the restore said that it knows what waits. */
static void restore(struct fixture *f, bool known)
{
    char file[256];
    struct restore_plan plan;
    snprintf(file, sizeof file, "%s", fixture_path(f, "backup.db"));
    assert_ok(fixture_try_restore(f, file, &plan));
    assert_true(plan.callbacks == known);
    fixture_open(f);
}

static void what_was_settled_since_the_backup_is_not_sent_again(void **data)
{
    struct fixture *f = *data;
    struct callback callback;
    assert_ok(ask(f, 5, "one", 1));
    back_up(f);
    uint64_t row = only(f, &callback);
    assert_ok(callbacks_settle(f->state, &row, 1));
    fixture_close(f);
    restore(f, true);
    assert_int_equal(waiting(f), 0);
}

static void what_came_after_the_backup_waits_after_the_restore(void **data)
{
    struct fixture *f = *data;
    struct callback before, after;
    back_up(f);
    assert_ok(fixture_enroll(f, 5, 0, 4));
    assert_ok(ask(f, 5, "one", 1));
    only(f, &before);
    fixture_close(f);
    restore(f, true);
    only(f, &after);
    assert_memory_equal(&before, &after, sizeof before);
}

/* Once as a disk that was lost, once as a restore that was interrupted has left it. */
static void without_the_present_database_the_backup_says_what_waits(void **data)
{
    struct fixture *f = *data;
    struct callback before, after;
    assert_ok(ask(f, 5, "one", 1));
    back_up(f);
    uint64_t row = only(f, &before);
    assert_ok(callbacks_settle(f->state, &row, 1));
    fixture_close(f);
    fixture_run(f, "rm munkeyd.db");
    restore(f, false);
    only(f, &after);
    assert_memory_equal(&before, &after, sizeof before);
}

static void what_a_restore_had_put_aside_says_what_waits(void **data)
{
    struct fixture *f = *data;
    struct callback before, after;
    back_up(f);
    assert_ok(ask(f, 5, "one", 1));
    only(f, &before);
    fixture_close(f);
    fixture_run(f, "mkdir aside && mv munkeyd.db aside/");
    restore(f, true);
    only(f, &after);
    assert_memory_equal(&before, &after, sizeof before);
}

/* The database was cut off after its commit, before it told the ledger: the log that a restore goes on
 * with has no such erasure, and the person is back. */
static void undo_by_restore(struct fixture *f, int entries_more)
{
    uint64_t row;
    assert_ok(fixture_enroll(f, 5, 0, 4));
    back_up(f);
    fixture_run(f, "mkdir before && cp -r log keys before");
    for (int i = 0; i < entries_more; i++)
        assert_ok(fixture_enroll(f, 6, 4, 5));
    assert_ok(ask(f, 5, "one", 1));
    assert_int_equal(waiting(f), 1);
    fixture_close(f);
    fixture_run(f, "rm -r log keys && mv before/log before/keys . && rmdir before");
    restore(f, true);
    assert_int_equal(waiting(f), 0);
    assert_int_equal(callback_next(f->state, 1, &row), MK_ENOTFOUND);
    reopen(f);
    assert_int_equal(waiting(f), 0);
}

/* Once in the place where the log has the restore afterwards, once beyond its end. */
static void an_erasure_that_a_restore_undoes_is_not_told(void **data)
{
    undo_by_restore(*data, 0);
}

static void an_erasure_that_a_restore_leaves_out_is_not_told(void **data)
{
    undo_by_restore(*data, 2);
}

static void a_database_older_than_the_backup_does_not_say_what_waits(void **data)
{
    struct fixture *f = *data;
    struct callback callback;
    back_up(f);
    fixture_run(f, "mv backup.db older.db");
    assert_ok(ask(f, 5, "one", 1));
    back_up(f);
    fixture_close(f);
    fixture_run(f, "cp older.db munkeyd.db");
    restore(f, false);
    only(f, &callback);
}

/* ---- secrets ---- */

/* By Python's hmac: HKDF-SHA256 twice. */
static void the_secret_of_a_receiver_is_derived_from_root_and_prefix(void **data)
{
    struct fixture *f = *data;
    uint8_t root[SECRET_SIZE], key[SECRET_SIZE], secret[SECRET_SIZE], other[SECRET_SIZE];
    char text[HEX_SIZE(SECRET_SIZE)];
    for (size_t i = 0; i < sizeof root; i++)
        root[i] = (uint8_t)i;
    callback_root(root, key);
    callback_secret(key, "https://example.org/hooks/", secret);
    hex_encode(secret, sizeof secret, text);
    assert_string_equal(
        text, "19ee6fda2e51dcb55f5a9b0a7a12754ce0b74a729a86b7db27f9559f19b90751");
    assert_ok(callback_root_read(f->folder, key));
    callback_secret(key, urls[0], secret);
    state_receiver_secret(f->state, urls[0], other);
    assert_memory_equal(secret, other, sizeof secret);
    callback_secret(key, urls[1], secret);
    assert_memory_not_equal(secret, other, sizeof secret);
    assert_int_equal(callback_root_read("/nowhere", key), MK_EREFUSED);
}

#define CALLBACK_TEST(name)                                                              \
    cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CALLBACK_TEST(a_callback_says_what_became_of_the_request_also_after_a_restart),
        CALLBACK_TEST(each_url_has_a_callback_with_an_id_of_its_own),
        CALLBACK_TEST(what_is_refused_held_or_repeated_is_not_told),
        CALLBACK_TEST(who_watches_is_woken_when_there_is_something_to_tell),
        CALLBACK_TEST(when_too_many_wait_an_erasure_without_callbacks_goes_on),
        CALLBACK_TEST(what_is_rolled_back_leaves_its_rows_free),
        CALLBACK_TEST(no_file_says_where_a_callback_goes_or_what_it_is_about),
        CALLBACK_TEST(of_one_that_is_settled_nothing_is_left),
        CALLBACK_TEST(a_row_that_was_moved_or_changed_is_not_read),
        CALLBACK_TEST(a_folder_of_schema_2_is_brought_to_the_present_one),
        CALLBACK_TEST(what_was_settled_since_the_backup_is_not_sent_again),
        CALLBACK_TEST(what_came_after_the_backup_waits_after_the_restore),
        CALLBACK_TEST(without_the_present_database_the_backup_says_what_waits),
        CALLBACK_TEST(what_a_restore_had_put_aside_says_what_waits),
        CALLBACK_TEST(an_erasure_that_a_restore_undoes_is_not_told),
        CALLBACK_TEST(an_erasure_that_a_restore_leaves_out_is_not_told),
        CALLBACK_TEST(a_database_older_than_the_backup_does_not_say_what_waits),
        CALLBACK_TEST(the_secret_of_a_receiver_is_derived_from_root_and_prefix),
    };
    return cmocka_run_group_tests_name("callback", tests, NULL, NULL);
}

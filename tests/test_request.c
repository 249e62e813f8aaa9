/* SPDX-License-Identifier: Apache-2.0 */
/* Requests by their names: what became of them, for as long as the rows are kept. */
#include "tests/check.h"

#include <stdio.h>
#include <time.h>

#include "storage/hold.h"
#include "storage/opening.h"
#include "storage/request.h"
#include "storage/sql.h"
#include "tests/fixture.h"

/* One erasure, received at that time. */
static int ask(struct fixture *f, uint32_t person, const char *name, int64_t received,
               struct forgotten *ret_done)
{
    struct erasure_request one = {.subject = fixture_subject(person),
                                  .request = name,
                                  .idempotent = true,
                                  .received = received};
    int rc = forget_batch(f->state, &one, 1, ret_done);
    return rc < 0 ? rc : ret_done->rc;
}

static struct request_row row_of(struct fixture *f, const char *name)
{
    struct request_row row;
    assert_ok(request_read(f->state, name, &row));
    return row;
}

static void what_became_of_a_request_is_told_also_after_a_restart(void **data)
{
    struct fixture *f = *data;
    struct forgotten held, none;
    int64_t before = time(NULL);
    assert_ok(fixture_enroll(f, 5, 0, 4));
    assert_ok(ask(f, 5, "one", before - 100, &held));
    assert_ok(ask(f, 6, "two", before - 100, &none));
    for (int round = 0; round < 2; round++) {
        struct request_row row = row_of(f, "one");
        assert_true(row.erased && !row.held);
        assert_int_equal(row.n, held.answer.index);
        assert_int_equal(row.received, before - 100);
        assert_int_equal(row.due, held.due);
        assert_string_equal(row.regulation, "gdpr");
        assert_in_range(row.answered, before, time(NULL));
        assert_false(row_of(f, "two").erased);
        assert_int_equal(request_read(f->state, "three", &row), MK_ENOTFOUND);
        fixture_close(f);
        fixture_open(f);
    }
    forgotten_done(&held);
    forgotten_done(&none);
}

static void held_requests_are_listed_the_soonest_due_first(void **data)
{
    struct fixture *f = *data;
    struct forgotten done;
    struct request_row row[2];
    uint64_t total;
    size_t n;
    for (uint32_t person = 1; person <= 4; person++) {
        char name[8];
        assert_ok(fixture_enroll(f, person, 0, 1));
        assert_ok(hold_set(f->state, fixture_subject(person), 'e', 0));
        snprintf(name, sizeof name, "r%u", person);
        assert_int_equal(ask(f, person, name, 9000000 - person * 100000, &done),
                         MK_ECONFLICT);
        forgotten_done(&done);
    }
    assert_ok(hold_lift(f->state, fixture_subject(4)));
    assert_ok(ask(f, 4, "r4", 0, &done));
    forgotten_done(&done);
    fixture_close(f);
    fixture_open(f);
    assert_ok(requests_held(f->state, 2, row, &n, &total));
    assert_int_equal(total, 3);
    assert_int_equal(n, 2);
    assert_int_equal(row[0].received, 9000000 - 300000);
    assert_int_equal(row[1].received, 9000000 - 200000);
    assert_true(row[0].due < row[1].due);
    assert_string_equal(row[0].regulation, "gdpr");
}

static void a_repeat_has_the_times_of_the_first(void **data)
{
    struct fixture *f = *data;
    struct forgotten first, again;
    assert_ok(ask(f, 5, "one", 1000000, &first));
    assert_ok(ask(f, 5, "one", 0, &again));
    assert_int_equal(again.received, 1000000);
    assert_int_equal(again.due, first.due);
    assert_string_equal(again.answer.receipt, first.answer.receipt);
    forgotten_done(&first);
    forgotten_done(&again);
}

static void a_request_without_a_name_leaves_no_row(void **data)
{
    struct fixture *f = *data;
    struct forgotten done;
    struct request_row row;
    assert_ok(fixture_forget(f, 5, &done));
    assert_int_equal(request_read(f->state, "a-request", &row), MK_ENOTFOUND);
    forgotten_done(&done);
}

static void a_held_request_keeps_its_day_until_it_is_done(void **data)
{
    struct fixture *f = *data;
    struct forgotten first, done;
    assert_ok(fixture_enroll(f, 6, 0, 4));
    assert_ok(hold_set(f->state, fixture_subject(6), 'e', 0));
    uint64_t entries = store_entries(f->state->store);
    assert_int_equal(ask(f, 6, "one", 2000000, &first), MK_ECONFLICT);
    assert_int_equal(first.received, 2000000);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(store_entries(f->state->store), entries + 1); /* `start` */
    struct request_row row = row_of(f, "one");
    assert_true(row.held);
    assert_int_equal(row.received, 2000000);
    assert_int_equal(ask(f, 6, "one", 0, &done), MK_ECONFLICT);
    assert_int_equal(done.received, 2000000);
    forgotten_done(&done);

    assert_ok(hold_lift(f->state, fixture_subject(6)));
    assert_ok(ask(f, 6, "one", 0, &done));
    assert_int_equal(done.answer.exact, 4);
    assert_int_equal(done.received, 2000000);
    assert_int_equal(done.due, first.due);
    row = row_of(f, "one");
    assert_true(row.erased && !row.held);
    assert_int_equal(row.received, 2000000);
    assert_int_equal(row.n, done.answer.index);
    forgotten_done(&first);
    forgotten_done(&done);
}

/* Else the first person would be told that theirs was done. */
static void the_name_of_a_held_request_is_not_anothers(void **data)
{
    struct fixture *f = *data;
    struct forgotten done;
    assert_ok(fixture_enroll(f, 6, 0, 4));
    assert_ok(fixture_enroll(f, 7, 4, 8));
    assert_ok(hold_set(f->state, fixture_subject(6), 'e', 0));
    assert_int_equal(ask(f, 6, "one", 0, &done), MK_ECONFLICT);
    forgotten_done(&done);
    assert_int_equal(ask(f, 7, "one", 0, &done), MK_EUNPROCESSABLE);
    forgotten_done(&done);
    assert_true(row_of(f, "one").held);
    struct state_status status;
    state_status(f->state, &status);
    assert_int_equal(status.instances, 8);
}

/* The pepper stands in the keyring; a folder without it is one that is 60 days older. */
static void once_the_pepper_is_gone_the_day_is_kept_for_who_names_it(void **data)
{
    struct fixture *f = *data;
    struct forgotten done;
    struct request_row row;
    uint8_t tag[SHA256_SIZE];
    assert_ok(fixture_enroll(f, 6, 0, 4));
    assert_ok(hold_set(f->state, fixture_subject(6), 'e', 0));
    assert_int_equal(ask(f, 6, "one", 2000000, &done), MK_ECONFLICT);
    forgotten_done(&done);
    opening_request_tag(keyring_tag_key(f->state->keyring), (struct bytes){"one", 3},
                        tag);
    assert_ok(store_request_read(f->state->store, tag, &row));
    row.pepper -= 1;
    assert_ok(store_begin(f->state->store));
    assert_ok(store_request_write(f->state->store, tag, &row));
    assert_ok(store_commit(f->state->store));
    assert_ok(hold_lift(f->state, fixture_subject(6)));
    assert_ok(ask(f, 6, "one", 0, &done));
    assert_int_equal(done.received, 2000000);
    forgotten_done(&done);
}

static void set_answered(struct fixture *f, const char *name, int64_t answered)
{
    uint8_t tag[SHA256_SIZE];
    struct request_row row;
    opening_request_tag(keyring_tag_key(f->state->keyring),
                        (struct bytes){name, strlen(name)}, tag);
    assert_ok(store_request_read(f->state->store, tag, &row));
    row.answered = answered;
    assert_ok(store_begin(f->state->store));
    assert_ok(store_request_write(f->state->store, tag, &row));
    assert_ok(store_commit(f->state->store));
}

static bool row_exists(struct fixture *f, const char *name)
{
    uint8_t tag[SHA256_SIZE];
    struct request_row row;
    opening_request_tag(keyring_tag_key(f->state->keyring),
                        (struct bytes){name, strlen(name)}, tag);
    int rc = store_request_read(f->state->store, tag, &row);
    assert_true(rc == 0 || rc == MK_ENOTFOUND);
    return rc == 0;
}

static void rows_are_kept_for_400_days(void **data)
{
    struct fixture *f = *data;
    const int64_t day = 86400, limit = time(NULL) - REQUEST_DAYS * day;
    static const char *const names[] = {"old", "older", "young"};
    struct forgotten done;
    struct request_row row;
    for (size_t i = 0; i < 3; i++) {
        assert_ok(ask(f, 5 + (uint32_t)i, names[i], 0, &done));
        forgotten_done(&done);
    }
    set_answered(f, "old", limit - day);
    set_answered(f, "young", limit + day);
    assert_int_equal(request_read(f->state, "old", &row), MK_ENOTFOUND);
    assert_ok(request_read(f->state, "young", &row));
    assert_true(row_exists(f, "old")); /* deleted by the next that writes one */
    assert_ok(ask(f, 9, "new", 0, &done));
    forgotten_done(&done);
    assert_false(row_exists(f, "old"));
    set_answered(f, "older", limit - day); /* or by the next start */
    fixture_close(f);
    fixture_open(f);
    assert_false(row_exists(f, "older"));
    assert_true(row_exists(f, "young") && row_exists(f, "new"));
}

static void run_script(struct fixture *f, const char *script)
{
    struct sql *sql;
    assert_ok(sql_open(fixture_path(f, "munkeyd.db"), &sql));
    assert_ok(sql_script(sql, script));
    sql_close(sql);
}

/* An erasure that the munkeyd before has answered. */
static void a_folder_of_schema_1_is_brought_to_the_present_one(void **data)
{
    struct fixture *f = *data;
    struct forgotten first, again;
    struct request_row row;
    assert_ok(fixture_enroll(f, 5, 0, 4));
    assert_ok(fixture_enroll(f, 6, 4, 8));
    assert_ok(ask(f, 5, "one", 0, &first));
    fixture_close(f);
    run_script(f, "BEGIN; DROP TABLE request; DROP TABLE callback;"
                  "UPDATE meta SET value = x'0100000000000000' WHERE id = 1; COMMIT");
    fixture_open(f);
    assert_int_equal(request_read(f->state, "one", &row), MK_ENOTFOUND);
    assert_ok(ask(f, 5, "one", 0, &again));
    assert_string_equal(again.answer.receipt, first.answer.receipt);
    assert_in_range(again.received, first.received, first.received + 5);
    forgotten_done(&again);
    assert_ok(ask(f, 6, "two", 0, &again));
    assert_int_equal(again.answer.exact, 4);
    assert_ok(request_read(f->state, "two", &row));
    forgotten_done(&first);
    forgotten_done(&again);
}

#define REQUEST_TEST(name)                                                               \
    cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REQUEST_TEST(what_became_of_a_request_is_told_also_after_a_restart),
        REQUEST_TEST(held_requests_are_listed_the_soonest_due_first),
        REQUEST_TEST(a_repeat_has_the_times_of_the_first),
        REQUEST_TEST(a_request_without_a_name_leaves_no_row),
        REQUEST_TEST(a_held_request_keeps_its_day_until_it_is_done),
        REQUEST_TEST(the_name_of_a_held_request_is_not_anothers),
        REQUEST_TEST(once_the_pepper_is_gone_the_day_is_kept_for_who_names_it),
        REQUEST_TEST(rows_are_kept_for_400_days),
        REQUEST_TEST(a_folder_of_schema_1_is_brought_to_the_present_one),
    };
    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}

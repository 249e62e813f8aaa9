/* SPDX-License-Identifier: Apache-2.0 */
/* Holds: erasure waits for their end, and nothing else does. */
#include "tests/check.h"

#include <time.h>

#include "storage/hold.h"
#include "storage/restrict.h"
#include "storage/state_private.h"
#include "storage/subject.h"
#include "tests/fixture.h"

static void erased(struct fixture *f, uint32_t person)
{
    struct forgotten done;
    assert_ok(fixture_forget(f, person, &done));
    assert_int_equal(done.answer.act, ACT_ERASE);
    forgotten_done(&done);
}

static void refused(struct fixture *f, uint32_t person)
{
    struct forgotten done;
    assert_int_equal(fixture_forget(f, person, &done), MK_ECONFLICT);
    assert_non_null(strstr(err_why(), "held"));
}

static void shown(struct fixture *f, char basis, int64_t until, bool held)
{
    struct held subject;
    assert_ok(subject_read(f->state, fixture_subject(1), 0, 10, &subject));
    assert_int_equal(subject.basis, basis);
    assert_int_equal(subject.until, until);
    assert_int_equal(subject.held, held);
    held_done(&subject);
}

static int set_up(void **data)
{
    fixture_set_up(data);
    assert_ok(fixture_enroll(*data, 1, 0, 3));
    return 0;
}

static void the_held_stay_until_the_hold_is_lifted(void **data)
{
    struct fixture *f = *data;
    assert_ok(hold_set(f->state, fixture_subject(1), 'e', 0));
    shown(f, 'e', 0, true);
    refused(f, 1);
    fixture_close(f);
    fixture_open(f);
    shown(f, 'e', 0, true);
    refused(f, 1);
    assert_ok(hold_lift(f->state, fixture_subject(1)));
    shown(f, 0, 0, false);
    erased(f, 1);
}

static void a_hold_ends_by_itself(void **data)
{
    struct fixture *f = *data;
    int64_t later = time(NULL) + 1000, past = time(NULL) - 1;
    assert_ok(hold_set(f->state, fixture_subject(1), 'b', later));
    shown(f, 'b', later, true);
    refused(f, 1);
    assert_ok(hold_set(f->state, fixture_subject(1), 'c', past));
    shown(f, 'c', past, false);
    erased(f, 1);
}

static void a_hold_is_not_logged_and_changes_no_restriction(void **data)
{
    struct fixture *f = *data;
    struct restricted done;
    struct held subject;
    assert_ok(restrict_set(f->state, fixture_subject(1), 'c', "a-request", false, &done));
    restricted_done(&done);
    uint64_t entries = store_entries(f->state->store);
    assert_ok(hold_set(f->state, fixture_subject(1), 'e', 0));
    assert_ok(subject_read(f->state, fixture_subject(1), 0, 10, &subject));
    assert_true(subject.restricted);
    assert_int_equal(subject.ground, 'c');
    held_done(&subject);
    assert_int_equal(store_entries(f->state->store), entries);
    assert_ok(restrict_lift(f->state, fixture_subject(1), "a-request", false, &done));
    restricted_done(&done);
    refused(f, 1);
}

static void nobody_is_held_who_is_not_there(void **data)
{
    struct fixture *f = *data;
    assert_int_equal(hold_set(f->state, fixture_subject(2), 'e', 0), MK_ENOTFOUND);
    assert_int_equal(hold_lift(f->state, fixture_subject(2)), MK_ENOTFOUND);
}

static void who_comes_back_is_not_held(void **data)
{
    struct fixture *f = *data;
    assert_ok(hold_set(f->state, fixture_subject(1), 'e', 1));
    erased(f, 1);
    assert_ok(fixture_enroll(f, 1, 0, 3));
    shown(f, 0, 0, false);
}

#define HOLD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOLD_TEST(the_held_stay_until_the_hold_is_lifted),
        HOLD_TEST(a_hold_ends_by_itself),
        HOLD_TEST(a_hold_is_not_logged_and_changes_no_restriction),
        HOLD_TEST(nobody_is_held_who_is_not_there),
        HOLD_TEST(who_comes_back_is_not_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

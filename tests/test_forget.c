/* SPDX-License-Identifier: Apache-2.0 */
/* Forgetting: equal to never having known, on disk and in RAM, and provable. */
#include "tests/check.h"

#include <stdio.h>

#include "storage/encode.h"
#include "storage/log.h"
#include "storage/opening.h"
#include "storage/receipt.h"
#include "storage/state_private.h"
#include "tests/fixture.h"

static int set_up(void **data)
{
    struct fixture *f = calloc(1, sizeof *f);
    fixture_new(f);
    fixture_open(f);
    *data = f;
    return 0;
}

static int tear_down(void **data)
{
    fixture_remove(*data);
    free(*data);
    return 0;
}

static void a_forgotten_memory_equals_one_that_never_knew(void **data)
{
    struct fixture *f = *data, never;
    struct forgotten done;
    struct state_status after, expected;
    fixture_import(f, 0, 2400, NOBODY);
    assert_ok(fixture_forget(f, 7, &done));
    assert_true(done.erased);
    assert_int_equal(done.exact, 12);
    assert_int_equal(done.records_left, 0);
    assert_true(done.digest_match);
    forgotten_done(&done);
    state_status(f->state, &after);

    fixture_new(&never);
    fixture_open(&never);
    fixture_import(&never, 0, 2400, 7);
    state_status(never.state, &expected);
    assert_int_equal(after.instances, expected.instances);
    assert_int_equal(after.subjects, SUBJECTS - 1);
    assert_memory_equal(after.digest, expected.digest, sizeof after.digest);

    fixture_close(f);
    fixture_open(f);
    state_status(f->state, &after);
    assert_memory_equal(after.digest, expected.digest, sizeof after.digest);
    fixture_remove(&never);
}

static void a_subject_unknown_gets_a_receipt_that_says_so(void **data)
{
    struct fixture *f = *data;
    struct forgotten done;
    assert_ok(fixture_forget(f, 3, &done));
    assert_false(done.erased);
    assert_int_equal(done.exact + done.trained, 0);
    assert_non_null(strstr(done.proof, "c2sp.org/tlog-proof@v1"));
    forgotten_done(&done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_forgotten_memory_equals_one_that_never_knew,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_subject_unknown_gets_a_receipt_that_says_so,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

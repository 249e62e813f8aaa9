/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment and import: durable, then visible; the same again with the same key. */
#include "tests/check.h"

#include "storage/log.h"
#include "storage/state_private.h"
#include "storage/subject.h"
#include "tests/fixture.h"

static bool is_found(struct fixture *f, const struct key *key)
{
    struct hit hit;
    memory_lock_shared(f->bank);
    size_t n = memory_search(f->bank, key, 1, &hit);
    memory_unlock_shared(f->bank);
    return n == 1 && !memcmp(hit.key.q, key->q, DIM);
}

static void what_is_enrolled_is_found_at_once_and_after_a_restart(void **data)
{
    struct fixture *f = *data;
    struct new_instance instance;
    struct state_status before, after;
    fixture_instance(11, &instance);
    assert_false(is_found(f, &instance.key));
    assert_ok(fixture_enroll(f, 1, 10, 15));
    assert_true(is_found(f, &instance.key));
    state_status(f->state, &before);
    assert_int_equal(before.instances, 5);
    assert_int_equal(before.subjects, 1);
    fixture_close(f);
    fixture_open(f);
    assert_true(is_found(f, &instance.key));
    state_status(f->state, &after);
    assert_memory_equal(before.digest, after.digest, sizeof after.digest);
    assert_int_equal(after.entries, before.entries + 1);
}

static void a_repeat_with_the_same_key_enrols_nothing(void **data)
{
    struct fixture *f = *data;
    struct new_instance instance[3];
    struct state_status status;
    uint8_t first[3][IID_SIZE], again[3][IID_SIZE], other[3][IID_SIZE];
    struct subject subject = fixture_subject(2);
    for (uint64_t i = 0; i < 3; i++)
        fixture_instance(i, &instance[i]);
    assert_ok(enroll(f->state, subject, instance, 3, "a-key", first));
    fixture_close(f);
    fixture_open(f);
    assert_ok(enroll(f->state, subject, instance, 3, "a-key", again));
    assert_memory_equal(first, again, sizeof first);
    state_status(f->state, &status);
    assert_int_equal(status.instances, 3);

    /* Fewer, more or other labels are no repeat, and nothing of them is enrolled. */
    uint8_t more[4][IID_SIZE];
    struct new_instance four[] = {instance[0], instance[1], instance[2], instance[0]};
    assert_int_equal(enroll(f->state, subject, instance, 2, "a-key", other),
                     MK_EUNPROCESSABLE);
    assert_int_equal(enroll(f->state, subject, four, 4, "a-key", more),
                     MK_EUNPROCESSABLE);
    four[1].label = !four[1].label;
    assert_int_equal(enroll(f->state, subject, four, 3, "a-key", other),
                     MK_EUNPROCESSABLE);
    state_status(f->state, &status);
    assert_int_equal(status.instances, 3);

    /* Without a key, with another, and for another subject it is something new. */
    assert_ok(enroll(f->state, subject, instance, 3, NULL, other));
    assert_memory_not_equal(first, other, IID_SIZE);
    assert_ok(enroll(f->state, subject, instance, 3, "another-key", other));
    assert_memory_not_equal(first, other, IID_SIZE);
    assert_ok(enroll(f->state, fixture_subject(3), instance, 3, "a-key", other));
    assert_memory_not_equal(first, other, IID_SIZE);
    state_status(f->state, &status);
    assert_int_equal(status.instances, 12);
}

static void a_key_of_an_erasure_is_no_enrolments_key(void **data)
{
    struct fixture *f = *data;
    struct new_instance instance;
    struct forgotten done;
    uint8_t iid[1][IID_SIZE];
    fixture_instance(1, &instance);
    assert_ok(forget(f->state, fixture_subject(2), "a-key", true, &done));
    forgotten_done(&done);
    assert_int_equal(enroll(f->state, fixture_subject(2), &instance, 1, "a-key", iid),
                     MK_EUNPROCESSABLE);
    assert_ok(enroll(f->state, fixture_subject(2), &instance, 1, "another-key", iid));
}

static void what_is_held_is_shown_page_by_page(void **data)
{
    struct fixture *f = *data;
    struct held held;
    uint64_t cursor = 0;
    size_t seen = 0;
    assert_ok(fixture_enroll(f, 4, 0, 3));
    assert_ok(fixture_enroll(f, 5, 50, 60));
    assert_ok(fixture_enroll(f, 4, 3, 8));
    do {
        assert_ok(subject_read(f->state, fixture_subject(4), cursor, 3, &held));
        assert_int_equal(held.total, 8);
        for (size_t i = 0; i < held.n; i++) {
            struct new_instance instance;
            fixture_instance(seen++, &instance);
            assert_memory_equal(held.instance[i].key.q, instance.key.q, DIM);
            assert_int_equal(held.instance[i].label, instance.label);
            assert_int_equal(held.instance[i].class, CLASS_EXACT);
            assert_string_equal(held.instance[i].provenance[0], "shop");
        }
        cursor = held.next;
        held_done(&held);
    } while (cursor);
    assert_int_equal(seen, 8);
    assert_int_equal(subject_read(f->state, fixture_subject(9), 0, 3, &held),
                     MK_ENOTFOUND);
}

static void a_provenance_that_does_not_fit_is_refused(void **data)
{
    struct fixture *f = *data;
    struct new_instance instance;
    struct state_status status;
    uint8_t iid[1][IID_SIZE];
    char text[300] = "";
    fixture_instance(0, &instance);
    memset(text, 'x', 222); /* the whole room of the default slot */
    instance.provenance.field[0] = "";
    instance.provenance.field[3] = text;
    assert_ok(enroll(f->state, fixture_subject(1), &instance, 1, NULL, iid));
    instance.provenance.field[0] = "y";
    assert_int_equal(enroll(f->state, fixture_subject(2), &instance, 1, NULL, iid),
                     MK_EUNPROCESSABLE);
    assert_non_null(strstr(err_why(), "222 bytes"));
    state_status(f->state, &status);
    assert_int_equal(status.instances, 1);
    assert_int_equal(status.subjects, 1); /* who was refused left no trace */
}

static void a_full_bank_refuses_before_anything_is_stored(void **data)
{
    struct fixture *f = *data;
    static const uint8_t sha256[32] = {0xab, 0xcd};
    struct state_status status;
    fixture_close(f);
    f->bank = memory_new(DIM, 6);
    assert_ok(state_open(&f->options, &f->model, sha256, f->bank, true, &f->state));
    assert_ok(fixture_enroll(f, 1, 0, 4));
    assert_int_equal(fixture_enroll(f, 1, 4, 8), MK_EBUSY);
    assert_int_equal(fixture_enroll(f, 2, 4, 8), MK_EBUSY);
    state_status(f->state, &status);
    assert_int_equal(status.instances, 4);
    assert_int_equal(status.subjects, 1); /* who was refused left no trace */
    assert_ok(fixture_enroll(f, 1, 4, 6));
}

static void an_import_says_where_it_goes_on(void **data)
{
    struct fixture *f = *data;
    struct import import = {.input_sha256 = {7}}, other = {.input_sha256 = {8}};
    struct state_status status;
    uint64_t row = 99;
    assert_ok(import_position(f->state, &import, &row));
    assert_int_equal(row, 0);
    fixture_import(f, 0, 1500, NOBODY);
    fixture_close(f);
    fixture_open(f);
    assert_ok(import_position(f->state, &import, &row));
    assert_int_equal(row, 1500);
    assert_ok(import_position(f->state, &other, &row));
    assert_int_equal(row, 0);
    state_status(f->state, &status);
    assert_int_equal(status.instances, 1500);
    assert_int_equal(status.subjects, SUBJECTS);
}

static void an_entry_names_nobody(void **data)
{
    struct fixture *f = *data;
    char *entry = NULL;
    assert_ok(fixture_enroll(f, 4, 0, 3));
    assert_ok(log_entry(f->state, 2, &entry));
    assert_non_null(strstr(entry, "\"act\":\"enroll\",\"class\":\"exact\""));
    assert_non_null(strstr(entry, "\"n\":[0,3]"));
    assert_null(strstr(entry, "person"));
    free(entry);
    assert_int_equal(log_entry(f->state, 3, &entry), MK_ENOTFOUND);
}

#define ENROLL_TEST(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENROLL_TEST(what_is_enrolled_is_found_at_once_and_after_a_restart),
        ENROLL_TEST(a_repeat_with_the_same_key_enrols_nothing),
        ENROLL_TEST(a_key_of_an_erasure_is_no_enrolments_key),
        ENROLL_TEST(what_is_held_is_shown_page_by_page),
        ENROLL_TEST(a_provenance_that_does_not_fit_is_refused),
        ENROLL_TEST(a_full_bank_refuses_before_anything_is_stored),
        ENROLL_TEST(an_import_says_where_it_goes_on),
        ENROLL_TEST(an_entry_names_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

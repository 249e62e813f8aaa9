/* SPDX-License-Identifier: Apache-2.0 */
/* Restriction: nothing is lost, nothing is searched, and it is provable. */
#include "tests/check.h"

#include "storage/log.h"
#include "storage/restrict.h"
#include "storage/sql.h"
#include "storage/subject.h"
#include "storage/verify.h"
#include "storage/state_private.h"
#include "storage/store_private.h"
#include "tests/fixture.h"

enum { PERSON = 7, ROW = 4000 };

static int set(struct fixture *f, const char *key, struct restricted *ret_done)
{
    return restrict_set(f->state, fixture_subject(PERSON), 'b', key ? key : "a-request",
                        key != NULL, ret_done);
}

static int lift(struct fixture *f, const char *key, struct restricted *ret_done)
{
    return restrict_lift(f->state, fixture_subject(PERSON), key ? key : "a-request",
                         key != NULL, ret_done);
}

static void set_once(struct fixture *f)
{
    struct restricted done;
    assert_ok(set(f, NULL, &done));
    restricted_done(&done);
}

static void lift_once(struct fixture *f)
{
    struct restricted done;
    assert_ok(lift(f, NULL, &done));
    restricted_done(&done);
}

/* The nearest records to the person's first row, whose own key is at the top when it is found. */
static size_t search(struct fixture *f, struct hit hits[static HITS_MAX])
{
    struct new_instance instance;
    fixture_instance(ROW, &instance);
    memset(hits, 0, HITS_MAX * sizeof *hits);
    memory_lock_shared(f->bank);
    size_t n = memory_search(f->bank, &instance.key, 4, hits);
    memory_unlock_shared(f->bank);
    return n;
}

static bool is_found(struct fixture *f)
{
    struct hit hits[HITS_MAX];
    struct new_instance instance;
    fixture_instance(ROW, &instance);
    assert_true(search(f, hits) > 0);
    return !memcmp(hits[0].key.q, instance.key.q, DIM);
}

static bool is_restricted(struct fixture *f)
{
    struct held held;
    assert_ok(subject_read(f->state, fixture_subject(PERSON), 0, 10, &held));
    bool restricted = held.restricted;
    assert_int_equal(held.ground, restricted ? 'b' : 0);
    held_done(&held);
    return restricted;
}

static void reopen(struct fixture *f)
{
    fixture_close(f);
    fixture_open(f);
}

static void assert_shown_as(struct fixture *f, bool restricted)
{
    assert_int_equal(is_restricted(f), restricted);
    assert_int_equal(is_found(f), !restricted);
}

static int set_up(void **data)
{
    fixture_set_up(data);
    fixture_import(*data, 0, 400, NOBODY);
    assert_ok(fixture_enroll(*data, PERSON, ROW, ROW + 3));
    return 0;
}

static void a_restricted_person_is_not_searched_and_comes_back_bit_for_bit(void **data)
{
    struct fixture *f = *data;
    struct hit before[HITS_MAX], after[HITS_MAX];
    search(f, before);
    assert_shown_as(f, false);
    set_once(f);
    assert_shown_as(f, true);
    reopen(f);
    assert_shown_as(f, true);
    lift_once(f);
    assert_shown_as(f, false);
    search(f, after);
    assert_memory_equal(before, after, sizeof before);
    reopen(f);
    assert_shown_as(f, false);
    search(f, after);
    assert_memory_equal(before, after, sizeof before);
}

static void the_digest_counts_the_restricted(void **data)
{
    struct fixture *f = *data;
    struct state_status before, after;
    state_status(f->state, &before);
    set_once(f);
    state_status(f->state, &after);
    assert_int_equal(after.instances, before.instances);
    assert_memory_equal(after.digest, before.digest, sizeof after.digest);
    assert_int_equal(after.entries, before.entries + 1);
}

static void assert_verifies(struct fixture *f, const struct answer *answer,
                            const char *request)
{
    char *jwks, *vkey;
    struct verdict verdict;
    struct subject subject = fixture_subject(PERSON);
    assert_ok(log_jwks(f->state, &jwks));
    assert_ok(log_vkey(f->state, &vkey));
    const struct claim claim = {.receipt = answer->receipt,
                                .proof = answer->proof,
                                .subject = subject.id,
                                .subject_len = subject.len,
                                .request = request,
                                .salt = answer->salt};
    const struct trust trust = {.jwks = jwks, .vkeys = vkey};
    assert_ok(verify_receipt(&claim, &trust, &verdict));
    assert_true(verdict.valid);
    for (size_t i = 0; i < CHECKS; i++)
        assert_int_equal(verdict.check[i].result, CHECK_PASSED);
    free(jwks);
    free(vkey);
}

static void both_ways_there_is_a_receipt(void **data)
{
    struct fixture *f = *data;
    struct restricted done;
    assert_ok(set(f, NULL, &done));
    assert_int_equal(done.answer.act, ACT_RESTRICT);
    assert_int_equal(done.records, 5);
    assert_int_equal(done.masked, 5);
    assert_verifies(f, &done.answer, "a-request");
    restricted_done(&done);
    assert_ok(lift(f, "a-key", &done));
    assert_int_equal(done.answer.act, ACT_UNRESTRICT);
    assert_int_equal(done.records, 5);
    assert_int_equal(done.masked, 0);
    assert_verifies(f, &done.answer, "a-key");
    restricted_done(&done);
}

/* A caller whose reply was lost has no other way to a receipt. */
static void whoever_asks_again_without_a_key_gets_a_receipt_of_their_own(void **data)
{
    struct fixture *f = *data;
    struct state_status before, after;
    state_status(f->state, &before);
    lift_once(f);
    assert_shown_as(f, false);
    set_once(f);
    set_once(f);
    assert_shown_as(f, true);
    state_status(f->state, &after);
    assert_int_equal(after.entries, before.entries + 3);
}

static void a_repeat_with_the_same_key_changes_nothing(void **data)
{
    struct fixture *f = *data;
    struct restricted first, again;
    assert_ok(set(f, "key-1", &first));
    lift_once(f);
    reopen(f);
    assert_ok(set(f, "key-1", &again));
    assert_string_equal(first.answer.receipt, again.answer.receipt);
    assert_string_equal(first.answer.salt, again.answer.salt);
    assert_int_equal(first.masked, 5);
    assert_int_equal(again.masked, 0); /* as it is now */
    assert_shown_as(f, false);
    restricted_done(&first);
    restricted_done(&again);
}

static void a_key_is_for_one_act_and_one_person(void **data)
{
    struct fixture *f = *data;
    struct restricted done;
    struct forgotten forgotten;
    assert_ok(set(f, "key-1", &done));
    restricted_done(&done);
    assert_int_equal(lift(f, "key-1", &done), MK_EUNPROCESSABLE);
    assert_int_equal(
        restrict_set(f->state, fixture_subject(8), 'b', "key-1", true, &done),
        MK_EUNPROCESSABLE);
    assert_int_equal(forget(f->state, fixture_subject(PERSON), "key-1", true, &forgotten),
                     MK_EUNPROCESSABLE);
    assert_shown_as(f, true);
}

static void nobody_is_restricted_who_is_not_there(void **data)
{
    struct fixture *f = *data;
    struct restricted done;
    uint64_t entries = store_entries(f->state->store);
    assert_int_equal(
        restrict_set(f->state, fixture_subject(1000), 'a', "key", true, &done),
        MK_ENOTFOUND);
    assert_int_equal(restrict_lift(f->state, fixture_subject(1000), "key", true, &done),
                     MK_ENOTFOUND);
    assert_int_equal(store_entries(f->state->store), entries);
}

static void a_restricted_person_is_not_enrolled_and_can_be_erased(void **data)
{
    struct fixture *f = *data;
    struct restricted done;
    struct forgotten forgotten;
    assert_ok(set(f, "key-1", &done));
    restricted_done(&done);
    assert_int_equal(fixture_enroll(f, PERSON, ROW + 3, ROW + 4), MK_ECONFLICT);
    assert_ok(fixture_forget(f, PERSON, &forgotten));
    assert_int_equal(forgotten.answer.exact, 5);
    forgotten_done(&forgotten);
    /* The answer outlives the person, and the restriction does not. */
    assert_ok(set(f, "key-1", &done));
    assert_int_equal(done.records, 0);
    restricted_done(&done);
    assert_ok(fixture_enroll(f, PERSON, ROW, ROW + 3));
    assert_shown_as(f, false);
}

static uint32_t owner_of(const struct fixture *f)
{
    struct subject subject = fixture_subject(PERSON);
    uint8_t tag[SHA256_SIZE];
    keyring_tag(f->state->keyring, subject.id, subject.len, tag);
    return keyring_find(f->state->keyring, tag);
}

static void a_flag_whose_entry_a_crash_took_stays(void **data)
{
    struct fixture *f = *data;
    assert_ok(keyring_restrict(f->state->keyring, owner_of(f), 'b'));
    reopen(f);
    assert_shown_as(f, true);
    set_once(f); /* who was not answered asks again */
    assert_shown_as(f, true);
}

static void a_lifting_whose_flag_a_crash_left_is_finished(void **data)
{
    struct fixture *f = *data;
    set_once(f);
    lift_once(f);
    assert_ok(keyring_restrict(f->state->keyring, owner_of(f), 'b'));
    reopen(f);
    assert_shown_as(f, false);
}

static void a_restriction_after_a_lifting_is_not_undone_by_a_start(void **data)
{
    struct fixture *f = *data;
    set_once(f);
    lift_once(f);
    set_once(f);
    reopen(f);
    assert_shown_as(f, true);
}

/* A restriction on a disk that may or may not have room for one more page. */
static int set_on_full_disk(struct fixture *f)
{
    struct sql *sql = f->state->store->sql;
    struct restricted done;
    assert_ok(sql_script(sql, "PRAGMA max_page_count = 1")); /* no more */
    int rc = set(f, NULL, &done);
    assert_ok(sql_script(sql, "PRAGMA max_page_count = 1000000"));
    if (rc == 0)
        restricted_done(&done);
    return rc;
}

/* One that is not committed has already settled the lifting, before there is a flag. */
static void a_lifting_before_does_not_clear_the_flag_that_a_crash_left(void **data)
{
    struct fixture *f = *data;
    int rc;
    set_once(f);
    do {
        lift_once(f);
        rc = set_on_full_disk(f);
    } while (rc == 0);
    assert_int_equal(rc, MK_ESTORE);
    assert_ok(keyring_restrict(f->state->keyring, owner_of(f), 'b'));
    reopen(f);
    assert_shown_as(f, true);
}

#define RESTRICT_TEST(name)                                                              \
    cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RESTRICT_TEST(a_restricted_person_is_not_searched_and_comes_back_bit_for_bit),
        RESTRICT_TEST(the_digest_counts_the_restricted),
        RESTRICT_TEST(both_ways_there_is_a_receipt),
        RESTRICT_TEST(whoever_asks_again_without_a_key_gets_a_receipt_of_their_own),
        RESTRICT_TEST(a_repeat_with_the_same_key_changes_nothing),
        RESTRICT_TEST(a_key_is_for_one_act_and_one_person),
        RESTRICT_TEST(nobody_is_restricted_who_is_not_there),
        RESTRICT_TEST(a_restricted_person_is_not_enrolled_and_can_be_erased),
        RESTRICT_TEST(a_flag_whose_entry_a_crash_took_stays),
        RESTRICT_TEST(a_lifting_whose_flag_a_crash_left_is_finished),
        RESTRICT_TEST(a_restriction_after_a_lifting_is_not_undone_by_a_start),
        RESTRICT_TEST(a_lifting_before_does_not_clear_the_flag_that_a_crash_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the signing keys: what was signed stays valid, and the old private key is gone. */
#include "tests/check.h"

#include <stdio.h>
#include <unistd.h>

#include "storage/answer.h"
#include "storage/checkpoint.h"
#include "storage/entry.h"
#include "storage/log.h"
#include "storage/receipt.h"
#include "storage/rotate.h"
#include "storage/verify.h"
#include "tests/fixture.h"

/* What a stranger keeps from before: an erasure's receipt, and its proof of that day. */
static struct answer before;

static int set_up(void **data)
{
    struct forgotten done;
    fixture_set_up(data);
    assert_ok(fixture_enroll(*data, 1, 0, 5));
    assert_ok(fixture_forget(*data, 1, &done));
    before = done.answer; /* transferred */
    done.answer = (struct answer){0};
    forgotten_done(&done);
    return 0;
}

static int tear_down(void **data)
{
    answer_done(&before);
    return fixture_tear_down(data);
}

static bool is_valid(struct fixture *f, const char *vkeys)
{
    struct verdict verdict;
    char *jwks;
    assert_ok(log_jwks(f->state, &jwks));
    struct claim claim = {.receipt = before.receipt, .proof = before.proof};
    struct trust trust = {.jwks = jwks, .vkeys = vkeys};
    assert_ok(verify_receipt(&claim, &trust, &verdict));
    free(jwks);
    return verdict.valid;
}

static bool signs(const char *vkey, const char *note)
{
    struct note_key key;
    size_t len;
    assert_ok(note_vkey_parse(vkey, strlen(vkey), &key));
    return note_open(note, strlen(note), &key, 1, &len) == 0;
}

static void assert_same_file(const struct fixture *f, const char *name, bool zeros)
{
    char bytes[4096];
    FILE *in = fopen(fixture_path(f, name), "rb");
    assert_non_null(in);
    size_t n = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    assert_true(n > 100);
    for (size_t i = 0; zeros && i < n; i++)
        assert_int_equal(bytes[i], 0);
    assert_int_equal(zeros || strstr(bytes, "PRIVATE KEY") != NULL, true);
}

static void a_receipt_and_its_proof_outlive_both_keys(void **data)
{
    struct fixture *f = *data;
    struct rotated log, receipt;
    char *vkeys, *vkey;
    assert_ok(rotate(f->state, KEY_LOG, &log));
    assert_ok(rotate(f->state, KEY_RECEIPT, &receipt));
    for (int again = 0; again < 2; again++) {
        struct answer now;
        assert_ok(log_vkeys(f->state, &vkeys));
        assert_ok(log_vkey(f->state, &vkey));
        assert_true(is_valid(f, vkeys));
        assert_false(is_valid(f, vkey)); /* the proof is of the old key's days */
        assert_int_equal(strncmp(vkey, log.new, strlen(log.new)), 0);
        assert_ok(answer_read(f->state, before.index, &now));
        assert_string_equal(now.receipt, before.receipt);
        answer_done(&now);
        free(vkeys);
        free(vkey);
        fixture_close(f);
        fixture_open(f);
    }
}

static void the_rotation_s_checkpoint_is_signed_by_both_the_new_key_first(void **data)
{
    struct fixture *f = *data;
    struct rotated rotated;
    struct checkpoint checkpoint;
    char *kept, *present;
    assert_ok(rotate(f->state, KEY_LOG, &rotated));
    assert_ok(log_rotation(f->state, rotated.index, &kept));
    assert_ok(log_checkpoint(f->state, &present));
    assert_string_equal(kept, present);
    assert_true(signs(rotated.old, kept) && signs(rotated.new, kept));
    assert_ok(checkpoint_parse(kept, strlen(kept), &checkpoint));
    assert_int_equal(checkpoint.size, rotated.index + 1);
    assert_int_equal(state_log_head(f->state).size, checkpoint.size);
    /* The first signature alone is the new key's. */
    char *second = strstr(strstr(kept, "\n\u2014") + 1, "\n\u2014") + 1;
    *second = '\0';
    assert_true(signs(rotated.new, kept) && !signs(rotated.old, kept));
    free(kept);
    free(present);
    assert_int_equal(log_rotation(f->state, rotated.index - 1, &kept), MK_ENOTFOUND);
    assert_ok(fixture_enroll(f, 2, 10, 12));
    assert_ok(log_checkpoint(f->state, &present));
    assert_true(signs(rotated.new, present) && !signs(rotated.old, present));
    free(present);
}

static void the_old_private_key_is_overwritten(void **data)
{
    struct fixture *f = *data;
    struct rotated rotated;
    fixture_run(f, "ln keys/log.pem log.link && ln keys/receipt.pem receipt.link");
    assert_same_file(f, "log.link", false);
    assert_ok(rotate(f->state, KEY_LOG, &rotated));
    assert_ok(rotate(f->state, KEY_RECEIPT, &rotated));
    assert_same_file(f, "log.link", true);
    assert_same_file(f, "receipt.link", true);
    assert_same_file(f, "keys/log.pem", false);
    fixture_run(f, "test $(ls keys | wc -l) = 5"); /* keyring root retired and the two */
}

static void a_key_that_a_setting_names_is_refused_and_nothing_happens(void **data)
{
    struct fixture *f = *data;
    struct rotated rotated;
    struct state_status status, after;
    char path[256];
    fixture_close(f);
    fixture_run(f, "mv keys/log.pem given.pem");
    snprintf(path, sizeof path, "%s", fixture_path(f, "given.pem"));
    f->options.log_key = path;
    fixture_open(f);
    state_status(f->state, &status);
    assert_int_equal(rotate(f->state, KEY_LOG, &rotated), MK_ECONFLICT);
    assert_non_null(strstr(err_why(), "move the key to keys/log.pem"));
    state_status(f->state, &after);
    assert_int_equal(after.entries, status.entries);
    assert_ok(rotate(f->state, KEY_RECEIPT, &rotated));
    fixture_close(f);
    fixture_run(f, "mv given.pem keys/log.pem");
    f->options.log_key = NULL;
    fixture_open(f);
    assert_ok(rotate(f->state, KEY_LOG, &rotated));
}

static void the_log_goes_on_after_a_rotation_as_before(void **data)
{
    struct fixture *f = *data;
    struct rotated first, second;
    char *bytes;
    struct entry entry;
    assert_ok(rotate(f->state, KEY_LOG, &first));
    assert_ok(rotate(f->state, KEY_LOG, &second));
    assert_string_equal(second.old, first.new);
    assert_int_equal(second.index, first.index + 1);
    assert_ok(log_entry(f->state, second.index, &bytes));
    assert_ok(entry_parse(bytes, strlen(bytes), &entry));
    assert_string_equal(entry.iss, "munkeyd.test/log");
    assert_ok(entry_check(&entry));
    free(bytes);
}

/* As a copy of log/checkpoint from before has it: the log has only grown since. */
static void a_start_takes_a_checkpoint_that_a_retired_key_has_signed(void **data)
{
    struct fixture *f = *data;
    struct rotated rotated;
    fixture_run(f, "cp log/checkpoint kept");
    assert_ok(rotate(f->state, KEY_LOG, &rotated));
    fixture_close(f);
    fixture_run(f, "mv kept log/checkpoint");
    fixture_open(f);
    fixture_close(f);
    fixture_run(f, "cp keys/log.pem other.pem && openssl genpkey -algorithm ed25519 "
                   "-out keys/log.pem 2>/dev/null");
    assert_int_equal(fixture_try_open(f), MK_EREFUSED);
    assert_non_null(strstr(err_why(), "not signed by this folder's log key"));
}

static void a_damaged_list_of_retired_keys_refuses_the_start(void **data)
{
    struct fixture *f = *data;
    struct rotated rotated;
    assert_ok(rotate(f->state, KEY_RECEIPT, &rotated));
    fixture_close(f);
    fixture_run(f, "cp keys/retired/receipt kept && truncate -s 64 keys/retired/receipt");
    assert_int_equal(fixture_try_open(f), MK_EREFUSED);
    assert_non_null(strstr(err_why(), "keys/retired"));
    fixture_run(f, "mv kept keys/retired/receipt");
    fixture_open(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_receipt_and_its_proof_outlive_both_keys, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            the_rotation_s_checkpoint_is_signed_by_both_the_new_key_first, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(the_old_private_key_is_overwritten, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_key_that_a_setting_names_is_refused_and_nothing_happens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_log_goes_on_after_a_rotation_as_before,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_start_takes_a_checkpoint_that_a_retired_key_has_signed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_list_of_retired_keys_refuses_the_start,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests_name("rotate", tests, NULL, NULL);
}

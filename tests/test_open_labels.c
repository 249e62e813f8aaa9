/* SPDX-License-Identifier: Apache-2.0 */
/* A memory of open labels: names come back from the slots, what could not be told apart is refused
 * before anything is stored, and a memory of the other kind is not opened. */
#include "tests/check.h"

#include <stdio.h>

#include "core/model_shape.h"
#include "storage/audit.h"
#include "storage/backup.h"
#include "storage/label.h"
#include "storage/restrict.h"
#include "storage/subject.h"
#include "tests/fixture.h"

enum { ROWS = 40 };

static const char all[] = "0|4711|shirt|shoe|tomato soup|\xc3\xa9tag\xc3\xa8re|";

/* The labels that answer, each followed by a bar. */
static const char *labels_of(const struct fixture *f)
{
    static char text[1024];
    memory_lock_shared(f->bank);
    struct label_list list = memory_labels(f->bank);
    size_t len = 0;
    for (size_t i = 0; i < list.n; i++) {
        assert_true(list.code[i] == label_code(list.name[i]));
        len += (size_t)snprintf(text + len, sizeof text - len, "%s|", list.name[i]);
    }
    memory_unlock_shared(f->bank);
    return text;
}

/* One instance of row `row`, under another name. */
static int enrol_named(struct fixture *f, uint32_t subject, uint64_t row,
                       const char *name)
{
    struct new_instance instance;
    uint8_t iid[1][IID_SIZE];
    fixture_instance(row, &instance);
    instance.name = name;
    return enroll(f->state, fixture_subject(subject), &instance, 1, NULL, iid);
}

static void erase(struct fixture *f, uint32_t subject)
{
    struct forgotten done;
    assert_ok(fixture_forget(f, subject, &done));
    assert_true(done.digest_match);
    forgotten_done(&done);
}

static void names_come_back_after_a_restart(void **data)
{
    struct fixture *f = *data;
    struct held held;
    fixture_import(f, 0, ROWS, NOBODY);
    assert_string_equal(labels_of(f), all);
    fixture_close(f);
    fixture_open(f);
    assert_string_equal(labels_of(f), all);
    assert_ok(subject_read(f->state, fixture_subject(3), 0, 10, &held));
    assert_int_equal(held.n, 1);
    assert_string_equal(held.instance[0].name, "\xc3\xa9tag\xc3\xa8re");
    assert_int_equal(held.instance[0].label, label_element("\xc3\xa9tag\xc3\xa8re"));
    held_done(&held);
}

static void a_label_goes_with_its_last_instance(void **data)
{
    struct fixture *f = *data;
    assert_ok(enrol_named(f, 1, 0, "hers"));
    assert_ok(enrol_named(f, 1, 1, "theirs"));
    assert_ok(enrol_named(f, 2, 2, "theirs"));
    assert_string_equal(labels_of(f), "hers|shirt|shoe|theirs|");
    erase(f, 1);
    assert_string_equal(labels_of(f), "shirt|shoe|theirs|");
    fixture_close(f);
    fixture_open(f);
    assert_string_equal(labels_of(f), "shirt|shoe|theirs|");
    erase(f, 2);
    assert_string_equal(labels_of(f), "shirt|shoe|");
}

static void a_restricted_persons_labels_do_not_answer(void **data)
{
    struct fixture *f = *data;
    struct restricted done;
    assert_ok(enrol_named(f, 1, 0, "hers"));
    assert_ok(restrict_set(f->state, fixture_subject(1), 'b', "a", false, &done));
    restricted_done(&done);
    assert_string_equal(labels_of(f), "shirt|shoe|");
    fixture_close(f);
    fixture_open(f);
    assert_string_equal(labels_of(f), "shirt|shoe|");
    assert_ok(restrict_lift(f->state, fixture_subject(1), "b", false, &done));
    restricted_done(&done);
    assert_string_equal(labels_of(f), "hers|shirt|shoe|");
}

static void an_audit_finds_what_the_log_says(void **data)
{
    struct fixture *f = *data;
    struct audit_status status;
    int rc;
    fixture_import(f, 0, ROWS, NOBODY);
    assert_int_equal(audit_begin(f->state), 0);
    while ((rc = audit_step(f->state)) == 1)
        ;
    assert_ok(rc);
    audit_status(f->state, &status);
    assert_true(status.last.ok);
}

static void a_backup_gives_the_names_back(void **data)
{
    struct fixture *f = *data;
    char file[256];
    fixture_import(f, 0, ROWS, NOBODY);
    assert_ok(enrol_named(f, 1, 50, "hers"));
    assert_ok(enrol_named(f, 2, 51, "his"));
    snprintf(file, sizeof file, "%s", fixture_path(f, "backup.db"));
    assert_ok(state_backup(f->state, file, NULL, NULL));
    erase(f, 1);
    erase(f, 2);
    assert_ok(enrol_named(f, 3, 52, "a later one"));
    fixture_close(f);
    assert_ok(fixture_try_restore(f, file, NULL));
    fixture_open(f);
    assert_string_equal(labels_of(f), all);
}

/* ---- what is refused leaves every file as it was ---- */

static void files_are_noted(struct fixture *f)
{
    fixture_run(f, "find log keys munkeyd.db* -type f | sort | xargs sha256sum >../$$ && "
                   "mv ../$$ noted");
}

static void files_are_as_noted(struct fixture *f)
{
    fixture_run(f, "sha256sum --quiet -c noted");
    fixture_run(f, "[ \"$(find log keys munkeyd.db* -type f | wc -l)\" = "
                   "\"$(wc -l <noted)\" ]");
}

static void a_name_like_another_is_refused_before_anything_is_stored(void **data)
{
    struct fixture *f = *data;
    struct import_row row = {.row = 9, .subject = fixture_subject(3)};
    const struct import import = {.input_sha256 = {7}};
    assert_ok(enrol_named(f, 1, 0, "product 187278"));
    files_are_noted(f);
    assert_int_equal(enrol_named(f, 2, 1, "product 251005"), MK_ECONFLICT);
    assert_non_null(strstr(err_why(), "another name"));
    fixture_instance(9, &row.instance);
    row.instance.name = "product 251005";
    assert_int_equal(import_rows(f->state, &import, CLASS_EXACT, &row, 1, 10),
                     MK_ECONFLICT);
    files_are_as_noted(f);
    assert_string_equal(labels_of(f), "product 187278|shirt|shoe|");
    erase(f, 1);
    assert_ok(enrol_named(f, 2, 1, "product 251005"));
}

static void a_label_too_many_is_refused_before_anything_is_stored(void **data)
{
    static char name[CLASSES_MAX][16];
    static const char *names[CLASSES_MAX];
    struct fixture *f = *data;
    for (int i = 0; i < CLASSES_MAX; i++) {
        snprintf(name[i], sizeof name[i], "built in %d", i);
        names[i] = name[i];
    }
    fixture_close(f);
    f->model.labels = names;
    f->model.classes = CLASSES_MAX;
    fixture_open(f);
    files_are_noted(f);
    assert_int_equal(enrol_named(f, 1, 0, "one more"), MK_ECONFLICT);
    assert_non_null(strstr(err_why(), "10000"));
    files_are_as_noted(f);
    assert_ok(enrol_named(f, 1, 0, "built in 4711"));
}

static void what_is_no_name_is_refused(void **data)
{
    struct fixture *f = *data;
    char longest[LABEL_SIZE + 1] = "";
    memset(longest, 'x', LABEL_SIZE);
    files_are_noted(f);
    assert_int_equal(enrol_named(f, 1, 0, ""), MK_EUNPROCESSABLE);
    assert_int_equal(enrol_named(f, 1, 0, longest), MK_EUNPROCESSABLE);
    files_are_as_noted(f);
    longest[LABEL_SIZE - 1] = '\0';
    assert_ok(enrol_named(f, 1, 0, longest));
}

/* A folder that a model of closed labels has made has smaller slots. */
static void a_name_and_provenance_share_the_room(void **data)
{
    struct fixture *f = *data;
    struct new_instance instance;
    uint8_t iid[1][IID_SIZE];
    char text[256] = "";
    fixture_close(f);
    f->model.open_labels = true;
    fixture_open(f);
    fixture_instance(0, &instance);
    memset(text, 'x', 222 - 2 - 5);
    instance.name = "short";
    instance.provenance.field[0] = text;
    assert_ok(enroll(f->state, fixture_subject(1), &instance, 1, NULL, iid));
    instance.name = "longer";
    assert_int_equal(enroll(f->state, fixture_subject(1), &instance, 1, NULL, iid),
                     MK_EUNPROCESSABLE);
    assert_non_null(strstr(err_why(), "214 bytes"));
    fixture_close(f);
    fixture_open(f);
    assert_string_equal(labels_of(f), "shirt|shoe|short|");
}

/* ---- memories of the other kind ---- */

static void expect_refusal(struct fixture *f, bool open_labels, const char *why)
{
    fixture_import(f, 0, ROWS, NOBODY);
    assert_ok(state_backup(f->state, fixture_path(f, "backup.db"), NULL, NULL));
    fixture_close(f);
    f->model.open_labels = open_labels;
    files_are_noted(f);
    assert_int_equal(fixture_try_open(f), MK_EREFUSED);
    assert_non_null(strstr(err_why(), why));
    files_are_as_noted(f);
    assert_int_equal(fixture_try_restore(f, fixture_path(f, "backup.db"), NULL),
                     MK_EREFUSED);
    assert_non_null(strstr(err_why(), why));
    files_are_as_noted(f);
    f->model.open_labels = !open_labels;
    fixture_open(f);
}

static void a_memory_of_open_labels_needs_such_a_model(void **data)
{
    expect_refusal(*data, false, "made with a model of open labels");
}

static void a_memory_of_closed_labels_needs_such_a_model(void **data)
{
    expect_refusal(*data, true, "made with a model of closed labels");
}

/* A model with the same encoder, whose built-in labels are others. */
static void another_models_labels_have_to_go_together_with_the_memorys(void **data)
{
    static const char *const like_hers[] = {"shirt", "product 251005"},
                             *const hers[] = {"product 187278", "hat"};
    struct fixture *f = *data;
    assert_ok(enrol_named(f, 1, 0, "product 187278"));
    fixture_close(f);
    f->model.labels = like_hers;
    files_are_noted(f);
    assert_int_equal(fixture_try_open(f), MK_EREFUSED);
    assert_non_null(strstr(err_why(), "start with the model of before"));
    files_are_as_noted(f);
    f->model.labels = hers;
    fixture_open(f);
    assert_string_equal(labels_of(f), "hat|product 187278|");
    erase(f, 1);
    assert_string_equal(labels_of(f), "hat|product 187278|");
}

#define OPEN_TEST(name)                                                                  \
    cmocka_unit_test_setup_teardown(name, fixture_set_up_open, fixture_tear_down)
#define CLOSED_TEST(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN_TEST(names_come_back_after_a_restart),
        OPEN_TEST(a_label_goes_with_its_last_instance),
        OPEN_TEST(a_restricted_persons_labels_do_not_answer),
        OPEN_TEST(an_audit_finds_what_the_log_says),
        OPEN_TEST(a_backup_gives_the_names_back),
        OPEN_TEST(a_name_like_another_is_refused_before_anything_is_stored),
        OPEN_TEST(a_label_too_many_is_refused_before_anything_is_stored),
        OPEN_TEST(what_is_no_name_is_refused),
        CLOSED_TEST(a_name_and_provenance_share_the_room),
        OPEN_TEST(a_memory_of_open_labels_needs_such_a_model),
        CLOSED_TEST(a_memory_of_closed_labels_needs_such_a_model),
        OPEN_TEST(another_models_labels_have_to_go_together_with_the_memorys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

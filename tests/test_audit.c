/* SPDX-License-Identifier: Apache-2.0 */
/* Audits: true of what is stored, whatever is written meanwhile. */
#include "tests/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/audit.h"
#include "storage/log.h"
#include "storage/restrict.h"
#include "storage/state_private.h"
#include "tests/fixture.h"

enum { ROWS = 2000, STEPS_MAX = 60 }; /* 3 people a step: as long as they last */

static int set_up(void **data)
{
    fixture_set_up(data);
    fixture_import(*data, 0, ROWS, NOBODY);
    return 0;
}

static struct audited finish(struct fixture *f)
{
    struct audit_status status;
    int rc = 1;
    for (unsigned i = 0; rc == 1; i++) {
        assert_true(i < STEPS_MAX);
        rc = audit_step(f->state);
    }
    assert_ok(rc);
    audit_status(f->state, &status);
    assert_false(status.running);
    return status.last;
}

static struct audited audit(struct fixture *f)
{
    assert_int_equal(audit_begin(f->state), 0);
    return finish(f);
}

static void reopen(struct fixture *f)
{
    fixture_close(f);
    fixture_open(f); /* which compares the log with everything */
}

static void an_audit_becomes_an_entry_that_changes_nothing(void **data)
{
    struct fixture *f = *data;
    struct state_status before, after;
    struct entry entry;
    char *text;
    state_status(f->state, &before);
    struct audited audited = audit(f);
    state_status(f->state, &after);
    assert_true(audited.ok);
    assert_memory_equal(audited.found, before.digest, sizeof audited.found);
    assert_int_equal(after.entries, before.entries + 1);
    assert_int_equal(audited.index, before.entries);
    assert_memory_equal(after.digest, before.digest, sizeof after.digest);
    assert_ok(log_entry(f->state, audited.index, &text));
    assert_ok(entry_parse(text, strlen(text), &entry));
    assert_ok(entry_check(&entry));
    assert_int_equal(entry.act, ACT_AUDIT);
    assert_true(entry.ok);
    assert_memory_equal(entry.found, before.digest, sizeof entry.found);
    free(text);
    reopen(f);
}

static void an_empty_memory_is_audited(void **data)
{
    struct fixture *f = *data;
    struct forgotten done;
    for (uint32_t person = 0; person < SUBJECTS; person++) {
        assert_ok(fixture_forget(f, person, &done));
        forgotten_done(&done);
    }
    assert_true(audit(f).ok);
}

static void change(struct fixture *f, uint32_t i, uint64_t rows)
{
    struct forgotten done;
    assert_ok(fixture_forget(f, i % SUBJECTS, &done));
    forgotten_done(&done);
    assert_ok(fixture_enroll(f, SUBJECTS + i, ROWS + 20 * i, ROWS + 20 * i + rows));
}

/* Erasures of slots that were read, enrolments in them, and slots that are new. */
static void what_is_written_meanwhile_is_read_again(void **data)
{
    struct fixture *f = *data;
    assert_int_equal(audit_begin(f->state), 0);
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(audit_step(f->state), 1);
        change(f, i, 20);
    }
    assert_true(finish(f).ok);
}

static void writes_without_end_do_not_keep_it_from_ending(void **data)
{
    struct fixture *f = *data;
    struct audit_status status;
    unsigned steps = 0;
    assert_int_equal(audit_begin(f->state), 0);
    for (int rc = 1; rc == 1; steps++) {
        for (uint32_t person = 0; person < 3; person++)
            change(f, 3 * steps + person, 10);
        assert_true(steps < STEPS_MAX);
        assert_ok(rc = audit_step(f->state));
    }
    audit_status(f->state, &status);
    assert_true(status.last.ok);
}

/* In another process: closing the file in this one would drop SQLite's locks. */
static void damage(struct fixture *f, uint64_t slot)
{
    uint8_t body[SLOT_SIZE_MAX];
    struct stat file;
    int status;
    assert_ok(store_slot_read(f->state->store, slot, body));
    assert_ok(store_empty_wal(f->state->store));
    pid_t child = fork();
    if (child == 0) {
        int fd = open(fixture_path(f, "munkeyd.db"), O_RDWR);
        fstat(fd, &file);
        uint8_t *all = malloc((size_t)file.st_size), bit;
        if (pread(fd, all, (size_t)file.st_size, 0) != file.st_size)
            _exit(1);
        uint8_t *at = memmem(all, (size_t)file.st_size, body, f->state->shape.size);
        bit = at ? at[200] ^ 1 : 0;
        _exit(!at || pwrite(fd, &bit, 1, at - all + 200) != 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_slot_that_was_damaged_on_the_disk_is_found(void **data)
{
    struct fixture *f = *data;
    struct state_status status;
    char *text;
    assert_true(audit(f).ok); /* its pages are cached now */
    damage(f, 777);
    struct audited audited = audit(f);
    assert_false(audited.ok);
    state_status(f->state, &status);
    assert_memory_not_equal(audited.found, status.digest, sizeof audited.found);
    assert_ok(log_entry(f->state, audited.index, &text));
    assert_non_null(strstr(text, "\"ok\":false"));
    free(text);
}

static uint32_t owner_of(const struct fixture *f, const char *person)
{
    uint8_t tag[SHA256_SIZE];
    keyring_tag(f->state->keyring, person, strlen(person), tag);
    return keyring_find(f->state->keyring, tag);
}

static void a_record_that_is_missing_in_the_bank_is_found(void **data)
{
    struct fixture *f = *data;
    struct memory_state claimed = state_of_bank(f->state);
    memory_drop(f->bank, owner_of(f, "person-7"), &claimed);
    struct audited audited = audit(f);
    assert_false(audited.ok);
    assert_memory_equal(audited.found, f->state->mem, sizeof audited.found);
}

static void a_mask_that_nobody_asked_for_is_found(void **data)
{
    struct fixture *f = *data;
    struct restricted done;
    assert_ok(restrict_set(f->state, fixture_subject(7), 'a', "a-request", false, &done));
    restricted_done(&done);
    assert_true(audit(f).ok);
    memory_mask(f->bank, owner_of(f, "person-7"), false);
    assert_false(audit(f).ok);
    memory_mask(f->bank, owner_of(f, "person-7"), true);
    memory_mask(f->bank, owner_of(f, "person-8"), true);
    assert_false(audit(f).ok);
}

static void a_bank_of_another_state_is_found(void **data)
{
    struct fixture *f = *data;
    struct memory_state other = state_of_bank(f->state);
    other.digest[0] ^= 1;
    assert_ok(memory_add(f->bank, NULL, 0, &other));
    assert_false(audit(f).ok);
}

static void there_is_one_at_a_time(void **data)
{
    struct fixture *f = *data;
    struct audit_status status;
    assert_int_equal(audit_begin(f->state), 0);
    assert_int_equal(audit_begin(f->state), 1);
    audit_status(f->state, &status);
    assert_true(status.running);
    assert_int_equal(status.last.index, 0);
    audit_abandon(f->state);
    audit_status(f->state, &status);
    assert_false(status.running);
    assert_int_equal(audit_step(f->state), 0);
    assert_true(audit(f).ok);
}

static void a_stop_ends_it_without_an_entry(void **data)
{
    struct fixture *f = *data;
    uint64_t entries = store_entries(f->state->store);
    assert_int_equal(audit_begin(f->state), 0);
    assert_int_equal(audit_step(f->state), 1);
    reopen(f);
    assert_int_equal(store_entries(f->state->store), entries + 1); /* the start's */
    assert_true(audit(f).ok);
}

#define AUDIT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUDIT_TEST(an_audit_becomes_an_entry_that_changes_nothing),
        AUDIT_TEST(an_empty_memory_is_audited),
        AUDIT_TEST(what_is_written_meanwhile_is_read_again),
        AUDIT_TEST(writes_without_end_do_not_keep_it_from_ending),
        AUDIT_TEST(a_slot_that_was_damaged_on_the_disk_is_found),
        AUDIT_TEST(a_record_that_is_missing_in_the_bank_is_found),
        AUDIT_TEST(a_mask_that_nobody_asked_for_is_found),
        AUDIT_TEST(a_bank_of_another_state_is_found),
        AUDIT_TEST(there_is_one_at_a_time),
        AUDIT_TEST(a_stop_ends_it_without_an_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

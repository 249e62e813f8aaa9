/* SPDX-License-Identifier: Apache-2.0 */
/* kill -9 at random moments: what was answered is so, what was not is done or not done. */
#include "tests/check.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/log.h"
#include "storage/state_private.h"
#include "storage/subject.h"
#include "tests/fixture.h"

enum { PEOPLE = 6, ROUNDS = 40, ROUNDS_MAX = 400, HITS = 10, PERSON_ROWS = 3 };

/* What the child says before and after each operation: a person, and whether it is done. */
struct said {
    uint32_t person;
    bool erase, done;
};

static void say(int fd, struct said said)
{
    assert_int_equal(write(fd, &said, sizeof said), sizeof said);
}

/* Enrols those who are not there and erases those who are, for ever. */
static void live(struct fixture *f, uint32_t seed, const bool *there, int fd)
{
    bool now[PEOPLE];
    memcpy(now, there, sizeof now);
    fixture_open(f);
    for (;;) {
        struct forgotten done;
        uint32_t person = (seed = seed * 1664525 + 1013904223) >> 16;
        struct said said = {.person = person % PEOPLE, .erase = now[person % PEOPLE]};
        say(fd, said);
        if (said.erase) {
            assert_ok(fixture_forget(f, said.person, &done));
            forgotten_done(&done);
        } else {
            assert_ok(
                fixture_enroll(f, said.person, seed % 1000, seed % 1000 + PERSON_ROWS));
        }
        now[said.person] = !said.erase;
        said.done = true;
        say(fd, said);
    }
}

/* Runs a child for a while and kills it.  Tells what was done for certain, and what
 * was begun: `begun.done` when nothing is open. */
static void run_and_kill(struct fixture *f, uint32_t round, bool *there,
                         struct said *ret_begun, uint64_t *erased)
{
    int pipe_fd[2];
    struct said said;
    assert_int_equal(pipe(pipe_fd), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(pipe_fd[0]);
        live(f, round * 7919 + 1, there, pipe_fd[1]);
    }
    close(pipe_fd[1]);
    /* Its first word, that it begins, and some more microseconds. */
    assert_int_equal(read(pipe_fd[0], ret_begun, sizeof *ret_begun), sizeof *ret_begun);
    usleep(round * 7919 % 60000);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    while (read(pipe_fd[0], &said, sizeof said) == sizeof said) {
        *ret_begun = said;
        if (said.done)
            there[said.person] = !said.erase;
        *erased += said.done && said.erase;
    }
    close(pipe_fd[0]);
}

static bool is_there(struct fixture *f, uint32_t person)
{
    struct held held;
    int rc = subject_read(f->state, fixture_subject(person), 0, 10, &held);
    if (rc == MK_ENOTFOUND)
        return false;
    assert_ok(rc);
    assert_int_equal(held.total, PERSON_ROWS); /* all of an enrolment or nothing */
    held_done(&held);
    return true;
}

static uint64_t count_erasures(struct fixture *f)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < store_entries(f->state->store); i++) {
        char *entry;
        assert_ok(log_entry(f->state, i, &entry));
        n += strstr(entry, "\"act\":\"erase\"") != NULL;
        free(entry);
    }
    return n;
}

static void killed_at_any_moment_it_starts_again_and_keeps_its_word(void **unused)
{
    (void)unused;
    struct fixture f;
    bool there[PEOPLE] = {false};
    uint64_t erased = 0;
    uint32_t open = 0;
    fixture_new(&f);
    /* On a busy machine more rounds are needed until enough kills hit an operation. */
    for (uint32_t round = 0; round < ROUNDS || (open <= HITS && round < ROUNDS_MAX);
         round++) {
        struct said begun;
        run_and_kill(&f, round, there, &begun, &erased);
        fixture_open(&f); /* compares everything, the recomputed digest too */
        for (uint32_t person = 0; person < PEOPLE; person++) {
            bool now = is_there(&f, person);
            if (!begun.done && begun.person == person) {
                open++;
                erased += begun.erase && !now;
                there[person] = now;
            }
            assert_int_equal(now, there[person]);
        }
        assert_int_equal(count_erasures(&f), erased); /* gone with its entry, or there */
        fixture_close(&f);
    }
    assert_true(open > HITS);
    assert_true(erased > 0);
    fixture_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_any_moment_it_starts_again_and_keeps_its_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

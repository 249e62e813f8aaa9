/* SPDX-License-Identifier: Apache-2.0 */
/* One operation on a state folder, for tests that end it in the middle.
 *
 *     step FOLDER init | enroll | import | forget | tell | deliver | visit | restrict | lift | hold |
 *                 release | audit | rotate-log | rotate-receipt | enroll-all | forget-all | backup |
 *                 restore
 *                              prints "done" when it was done, and the receipt if there is one
 *     step FOLDER forget again <SAID
 *                              asks once more: what was said before, if anything was, is said
 *                              again, and holds
 *     step FOLDER check | keys | people | told | needles         tests/look.h
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/audit.h"
#include "storage/backup.h"
#include "storage/callback.h"
#include "storage/hold.h"
#include "storage/restrict.h"
#include "storage/rotate.h"
#include "tests/look.h"

static int do_init(struct fixture *f)
{
    struct init_options init = {.origin = "munkeyd.test/log"};
    static const uint8_t sha256[32];
    return state_init(&f->options, &init, &f->model, sha256);
}

static int do_enroll(struct fixture *f, struct said *ret_said)
{
    (void)ret_said;
    return fixture_enroll(f, 1, 0, 5);
}

/* A dozen people, of whom person 1 is one. */
static int do_import(struct fixture *f, struct said *ret_said)
{
    (void)ret_said;
    return fixture_try_import(f, 0, 12, NOBODY);
}

static int do_forget(struct fixture *f, struct said *ret_said)
{
    struct forgotten done;
    int rc = forget(f->state, fixture_subject(1), "to-erase", true, &done);
    if (rc == 0) {
        said_take(&done.answer, ret_said);
        forgotten_done(&done);
    }
    return rc;
}

/* An erasure with two callbacks; and those that wait, delivered. */
static int do_tell(struct fixture *f, struct said *ret_said)
{
    static const char *const urls[] = {"https://example.org/a", "https://example.org/b"};
    const struct erasure_request one = {.subject = fixture_subject(1),
                                        .request = "to-erase",
                                        .idempotent = true,
                                        .callback_url = urls,
                                        .callback_urls = 2};
    struct forgotten done;
    int rc = forget_batch(f->state, &one, 1, &done);
    if (rc == 0) {
        said_take(&done.answer, ret_said);
        forgotten_done(&done);
    }
    return rc;
}

static int do_deliver(struct fixture *f, struct said *ret_said)
{
    uint64_t row[8] = {0};
    size_t n = 0;
    (void)ret_said;
    while (n < 8 && callback_next(f->state, n ? row[n - 1] + 1 : 1, &row[n]) == 0)
        n++;
    return callbacks_settle(f->state, row, n);
}

/* Both in one process, so that the WAL bears the person when it is emptied.  What there is to be
 * found of the person goes to standard error. */
static int do_visit(struct fixture *f, struct said *ret_said)
{
    static char buffer[1 << 16]; /* one system call for all of them */
    setvbuf(stderr, buffer, _IOFBF, sizeof buffer);
    int rc = do_enroll(f, ret_said);
    if (rc == 0)
        rc = look_for_needles(f, stderr);
    fflush(stderr);
    return rc < 0 ? rc : do_forget(f, ret_said);
}

/* Five people, of whom the last is held. */
static int do_enroll_all(struct fixture *f, struct said *ret_said)
{
    int rc = 0;
    (void)ret_said;
    for (uint32_t i = 0; rc == 0 && i < PEOPLE; i++)
        rc = fixture_enroll(f, i, 2 * i, 2 * i + 2);
    return rc < 0 ? rc : hold_set(f->state, fixture_subject(PEOPLE - 1), 'e', 0);
}

/* All of them and one who is unknown, in one transaction.  What is said is person 1's answer. */
static int do_forget_all(struct fixture *f, struct said *ret_said)
{
    static const char *const name[PEOPLE + 1] = {"0", "1", "2", "3", "4", "5"};
    struct erasure_request asked[PEOPLE + 1];
    struct forgotten done[PEOPLE + 1];
    for (uint32_t i = 0; i <= PEOPLE; i++)
        asked[i] = (struct erasure_request){
            .subject = fixture_subject(i), .request = name[i], .idempotent = true};
    int rc = forget_batch(f->state, asked, PEOPLE + 1, done);
    if (rc == 0)
        said_take(&done[1].answer, ret_said);
    for (uint32_t i = 0; rc == 0 && i <= PEOPLE; i++)
        forgotten_done(&done[i]);
    return rc;
}

static int answer_restricted(int rc, struct restricted *done, struct said *ret_said)
{
    if (rc == 0) {
        said_take(&done->answer, ret_said);
        restricted_done(done);
    }
    return rc;
}

static int do_restrict(struct fixture *f, struct said *ret_said)
{
    struct restricted done;
    return answer_restricted(
        restrict_set(f->state, fixture_subject(1), 'a', "to-restrict", true, &done),
        &done, ret_said);
}

static int do_lift(struct fixture *f, struct said *ret_said)
{
    struct restricted done;
    return answer_restricted(
        restrict_lift(f->state, fixture_subject(1), "to-lift", true, &done), &done,
        ret_said);
}

static int do_hold(struct fixture *f, struct said *ret_said)
{
    (void)ret_said;
    return hold_set(f->state, fixture_subject(1), 'e', 0);
}

static int do_release(struct fixture *f, struct said *ret_said)
{
    (void)ret_said;
    return hold_lift(f->state, fixture_subject(1));
}

static int do_audit(struct fixture *f, struct said *ret_said)
{
    int rc = audit_begin(f->state);
    (void)ret_said;
    while (rc >= 0 && (rc = audit_step(f->state)) == 1)
        ;
    return rc;
}

static int do_rotate_log(struct fixture *f, struct said *ret_said)
{
    struct rotated rotated;
    (void)ret_said;
    return rotate(f->state, KEY_LOG, &rotated);
}

static int do_rotate_receipt(struct fixture *f, struct said *ret_said)
{
    struct rotated rotated;
    (void)ret_said;
    return rotate(f->state, KEY_RECEIPT, &rotated);
}

static int do_backup(struct fixture *f, struct said *ret_said)
{
    (void)ret_said;
    return state_backup(f->state, fixture_path(f, "backup.db"), NULL, NULL);
}

static const struct step {
    const char *name;
    int (*run)(struct fixture *f, struct said *ret_said);
    const char *request; /* under which it is answered again; NULL: without a receipt */
} steps[] = {{"enroll", do_enroll, NULL},
             {"import", do_import, NULL},
             {"forget", do_forget, "to-erase"},
             {"tell", do_tell, "to-erase"},
             {"deliver", do_deliver, NULL},
             {"forget-all", do_forget_all, "1"},
             {"enroll-all", do_enroll_all, NULL},
             {"visit", do_visit, "to-erase"},
             {"restrict", do_restrict, "to-restrict"},
             {"lift", do_lift, "to-lift"},
             {"hold", do_hold, NULL},
             {"release", do_release, NULL},
             {"audit", do_audit, NULL},
             {"backup", do_backup, NULL},
             {"rotate-log", do_rotate_log, NULL},
             {"rotate-receipt", do_rotate_receipt, NULL}};

static const struct {
    const char *name;
    int (*run)(struct fixture *f);
} looks[] = {{"check", look_check},
             {"keys", look_keys},
             {"people", look_people},
             {"told", look_told},
             {"needles", look_needles}};

static int again(struct fixture *f, const struct step *step)
{
    static struct said before, now;
    said_read(&before);
    int rc = step->run(f, &now);
    if (rc == 0 && step->request)
        rc = said_verify(f, &now, fixture_subject(1), step->request);
    if (rc < 0 || !before.receipt[0])
        return rc;
    return strcmp(before.receipt, now.receipt) || strcmp(before.salt, now.salt)
               ? fail(MK_EINPUT, "another receipt or salt than before")
               : said_verify(f, &before, fixture_subject(1), step->request);
}

/* What was done is said before the folder is closed, as a reply is sent. */
static int run_step(struct fixture *f, const struct step *step)
{
    static struct said said;
    int rc = step->run(f, &said);
    if (rc == 0)
        said_print(&said);
    fflush(stdout);
    return rc;
}

static int run(struct fixture *f, const char *name, bool repeat)
{
    int rc = fixture_try_open(f);
    for (size_t i = 0; rc == 0 && i < sizeof steps / sizeof *steps; i++)
        if (!strcmp(name, steps[i].name))
            rc = repeat ? again(f, &steps[i]) : run_step(f, &steps[i]);
    for (size_t i = 0; rc == 0 && i < sizeof looks / sizeof *looks; i++)
        if (!strcmp(name, looks[i].name))
            rc = looks[i].run(f);
    fixture_close(f);
    return rc;
}

int main(int argc, char **argv)
{
    struct fixture f;
    if (argc < 3)
        return 2;
    fixture_name(&f, argv[1]);
    bool init = !strcmp(argv[2], "init"), restore = !strcmp(argv[2], "restore");
    int rc = init      ? do_init(&f)
             : restore ? fixture_try_restore(&f, fixture_path(&f, "backup.db"), NULL)
                       : run(&f, argv[2], argc > 3);
    if (rc < 0) {
        fprintf(stderr, "%s: %s\n", argv[2], err_why());
        return rc == MK_EUNKNOWN ? 3 : 1;
    }
    if (init || restore)
        puts("done");
    return 0;
}

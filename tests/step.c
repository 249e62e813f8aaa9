/* SPDX-License-Identifier: Apache-2.0 */
/* One operation on a state folder, for tests that end it in the middle.
 *
 *     step FOLDER init | enroll | forget      prints "done" when it was done
 *     step FOLDER check                       prints "held" or "gone", and how many erasures
 *                                             the log knows
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/log.h"
#include "storage/subject.h"
#include "tests/fixture.h"

static int init(struct fixture *f)
{
    struct init_options init = {.origin = "munkeyd.test/log"};
    static const uint8_t sha256[32];
    return state_init(&f->options, &init, &f->model, sha256);
}

static int do_enroll(struct fixture *f)
{
    return fixture_enroll(f, 1, 0, 5);
}

static int do_forget(struct fixture *f)
{
    struct forgotten done;
    int rc = fixture_forget(f, 1, &done);
    if (rc == 0)
        forgotten_done(&done);
    return rc;
}

static int check(struct fixture *f)
{
    struct state_status status;
    struct held held;
    unsigned erasures = 0;
    int rc = subject_read(f->state, fixture_subject(1), 0, 10, &held);
    state_status(f->state, &status);
    for (uint64_t i = 0; i < status.entries; i++) {
        char *entry = NULL;
        if (log_entry(f->state, i, &entry) < 0)
            return MK_ESTORE;
        erasures += strstr(entry, "\"act\":\"erase\"") != NULL;
        free(entry);
    }
    printf("%s %u\n", rc == 0 ? "held" : "gone", erasures);
    if (rc == 0)
        held_done(&held);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(struct fixture *f);
} steps[] = {{"enroll", do_enroll}, {"forget", do_forget}, {"check", check}};

static int run(struct fixture *f, const char *name)
{
    int rc = fixture_try_open(f);
    for (size_t i = 0; rc == 0 && i < sizeof steps / sizeof *steps; i++)
        if (!strcmp(name, steps[i].name))
            rc = steps[i].run(f);
    fixture_close(f);
    return rc;
}

int main(int argc, char **argv)
{
    struct fixture f;
    if (argc != 3)
        return 2;
    fixture_name(&f, argv[1]);
    int rc = strcmp(argv[2], "init") ? run(&f, argv[2]) : init(&f);
    if (rc < 0) {
        fprintf(stderr, "%s: %s\n", argv[2], err_why());
        return rc == MK_EUNKNOWN ? 3 : 1;
    }
    if (strcmp(argv[2], "check"))
        puts("done");
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A state folder for tests, and made-up instances of made-up people.
 *
 *     struct fixture f;
 *     fixture_new(&f);                       folder, model, bank; initialised, not open
 *     fixture_open(&f);
 *     fixture_import(&f, 0, 2000, NOBODY);   rows of 200 subjects, ids fixed by a seed
 *     fixture_forget(&f, 7, &done);
 *     fixture_close(&f);
 *     fixture_remove(&f);                    closes, and removes the folder
 */
#ifndef MUNKEY_TESTS_FIXTURE_H
#define MUNKEY_TESTS_FIXTURE_H

#include "storage/enroll.h"
#include "storage/forget.h"
#include "storage/restore.h"

enum { DIM = 128, SUBJECTS = 200 };
#define NOBODY UINT32_MAX

struct fixture {
    char folder[128];
    struct model_info model;
    struct state_options options;
    struct memory *bank;
    struct state *state;
};

void fixture_new(struct fixture *f);
void fixture_new_open(struct fixture *f); /* with a model of open labels */
void fixture_name(struct fixture *f, const char *folder); /* one that is there already */
int fixture_try_open(struct fixture *f);                  /* what state_open() says */
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
void fixture_remove(struct fixture *f);

/* For cmocka: a fixture that is open in *data; and its removal. */
int fixture_set_up(void **data);
int fixture_set_up_open(void **data);
int fixture_tear_down(void **data);

/* The path of a file in the folder; valid until the next call. */
const char *fixture_path(const struct fixture *f, const char *name);
/* Runs a shell command in the folder; the test fails when it fails. */
void fixture_run(const struct fixture *f, const char *command);

/* Subject number i is "person-<i>"; valid until the eighth next call. */
struct subject fixture_subject(uint32_t number);
/* Row number i belongs to subject i % SUBJECTS and has a key of its own; its label's name, in an open
 * set, is one of five, of which "shirt" is built in.  Written in place: a
 * value that is returned leaves copies on the stack, and tests look for remnants. */
void fixture_instance(uint64_t row, struct new_instance *ret_instance);

/* Rows [begin, end), in batches, without those of one subject. */
int fixture_try_import(struct fixture *f, uint64_t begin, uint64_t end, uint32_t without);
void fixture_import(struct fixture *f, uint64_t begin, uint64_t end, uint32_t without);

/* Restores the closed folder from a file and leaves it closed.  plan: NULL, or what it would do. */
int fixture_try_restore(struct fixture *f, const char *file,
                        struct restore_plan *ret_plan);

/* Enrols rows [begin, end) for one subject. */
int fixture_enroll(struct fixture *f, uint32_t subject, uint64_t begin, uint64_t end);
int fixture_forget(struct fixture *f, uint32_t subject, struct forgotten *ret_forgotten);

#endif

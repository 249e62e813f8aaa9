/* SPDX-License-Identifier: Apache-2.0 */
/* What can be seen of a state folder after an operation that was ended, and whether what the
 * operation said holds.
 *
 *     rc = look_check(&f);                         prints "there 0"
 *     said_take(&done.answer, &said);
 *     said_print(&said);
 *     ... ended, started again ...
 *     said_read(&said);                            from standard input; empty: nothing was said
 *     rc = said_verify(&f, &said, subject, "the-idempotency-key");
 */
#ifndef MUNKEY_TESTS_LOOK_H
#define MUNKEY_TESTS_LOOK_H

#include <stdio.h>

#include "storage/answer.h"
#include "tests/fixture.h"

enum { SAID_MAX = 65536, PEOPLE = 5 };

/* Prints "there", "restricted", "held" or "gone", as person 1 is, and how many entries with a
 * receipt the log has, all of which hold. */
int look_check(struct fixture *f);
/* Prints how many rotations the log knows, when keys and signatures are in keeping with it. */
int look_keys(struct fixture *f);
/* Prints how many of the five people are there, and how many receipts and requests with a name
 * there are. */
int look_people(struct fixture *f);
/* Prints how person 1 is, and how many callbacks wait, each of which can be read. */
int look_told(struct fixture *f);
/* Prints bytes of person 1 that nobody may find after an erasure, 16 a line: slots as they lie on
 * the disk, what is in them, and the keys. */
int look_needles(struct fixture *f);
int look_for_needles(struct fixture *f, FILE *out);

/* What an operation was answered; all of it is empty where there is no receipt. */
struct said {
    char receipt[SAID_MAX], salt[64], proof[SAID_MAX];
};

void said_take(struct answer *answer, struct said *ret_said);
void said_print(const struct said *said);
void said_read(struct said *ret_said);
/* Whether every check passes with the folder's keys, and its log is the one of the proof. */
int said_verify(struct fixture *f, const struct said *said, struct subject subject,
                const char *request);

#endif

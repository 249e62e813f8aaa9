/* SPDX-License-Identifier: Apache-2.0 */
/* People who are enrolled, restricted and erased by several threads of a client at once, and what they were
 * answered: the word that the server has to keep.
 *
 *     struct crowd crowd = {.client = client};
 *     crowd_begin(&crowd);                 its threads ask until they get no answer
 *     ... the server is killed ...
 *     crowd_join(&crowd);
 *     ... the server is started ...
 *     ok = crowd_settle(&crowd) &&         what was under way is as before or as after
 *          crowd_audit(&crowd);            all is as it was answered, and every answer again
 *     crowd_free(&crowd);
 */
#ifndef MUNKEY_TESTS_PEOPLE_H
#define MUNKEY_TESTS_PEOPLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stddef.h>

#include "tests/client.h"

enum { WORKERS = 3, RESTRICTED = 1000 };

enum deed { ENROL, ERASE, RESTRICT, LIFT, DEEDS };

struct person {
    char id[32];
    unsigned requests;
    int state; /* as far as was answered: how many instances are held, and RESTRICTED */
};

/* One request, which is repeated as it was until it is answered. */
struct request {
    struct person *person;
    enum deed deed;
    unsigned number; /* of the person's */
    char *reply;     /* NULL: none came */
};

struct worker {
    struct crowd *crowd;
    unsigned number;
    uint64_t random;
    pthread_t thread;
    struct person *person;   /* (people) */
    struct request *request; /* (requests); only the last may lack its reply */
    size_t people, requests;
};

struct crowd {
    struct client client;
    struct worker worker[WORKERS];
    pthread_t asker;      /* of predictions */
    atomic_bool deaf;     /* answers that come from now on do not count */
    atomic_bool stopping; /* 503 is an answer like none */
    char *jwks, *vkey;
    unsigned interrupted; /* requests that were sent and not answered */
};

bool crowd_new(struct crowd *crowd, uint64_t seed);
void crowd_free(struct crowd *crowd);

void crowd_begin(struct crowd *crowd);
void crowd_join(struct crowd *crowd);

/* These say what is wrong, on standard output. */
bool crowd_settle(struct crowd *crowd);
bool crowd_audit(struct crowd *crowd);
bool crowd_erase_all(struct crowd *crowd);

/* How many requests of a kind were answered. */
size_t crowd_count(const struct crowd *crowd, enum deed deed);
/* The n-th answer with a receipt, or NULL. */
const char *crowd_receipt(const struct crowd *crowd, size_t n);

uint64_t random_next(uint64_t *state);
bool wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

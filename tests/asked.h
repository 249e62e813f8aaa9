/* SPDX-License-Identifier: Apache-2.0 */
/* A service whose handlers a test calls like any function: a model, and a bank of made-up instances.
 *
 *     asked_begin(drawn_model(names, n));                   or asked_shipped()
 *     rc = asked_call(predict_post, &request, &reply);      fills in service, scratch, target
 *     asked_end();
 */
#ifndef MUNKEY_TESTS_ASKED_H
#define MUNKEY_TESTS_ASKED_H

#include "api/handler.h"

enum {
    ASKED_SIZE = 28 * 28,
    ASKED_N = 500, /* instances */
    ASKED_ROOM = 70,
    ASKED_BATCH = 80,
    ASKED_BUILT_IN = 10,
    ASKED_NAMES = 13
};

extern struct service asked;
extern struct scratch *asked_scratch;

/* Names of labels: the first ten are for models to have them built in. */
extern const char *const asked_names[ASKED_NAMES];

/* Picture number seed. */
void asked_paint(uint8_t *pixels, unsigned seed);

/* A memory's state: n instances, and a digest of one byte over and over. */
struct memory_state asked_state(uint64_t n, uint8_t digest);

/* Record i, of picture i + 1, with the number-th label. */
void asked_record(unsigned i, unsigned number, struct record *ret_record);

/* Takes the model.  The bank has ASKED_N instances and room for ASKED_ROOM more; its digest is
 * 0xab.... */
void asked_begin(struct model *model_take);
void asked_shipped(void);
void asked_end(void);

/* Calls a handler with a request that has media, body and body_len. */
int asked_call(handler *run, const char *raw_target, struct request *request,
               struct reply *ret_reply);

/* Whether a change of the bank has to wait for the reply. */
bool asked_locks(struct reply *reply);

#endif

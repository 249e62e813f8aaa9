/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP client over raw sockets, for tests that end the server in the middle of a reply.
 *
 *     struct client client = {port, token};
 *     struct ask ask = {"DELETE", "/subjects/a", .key = "idempotency-key-1"};
 *     if (client_ask(&client, &ask, &reply)) {
 *         ... reply.status, reply.body ...
 *         free(reply.body);
 *     }
 */
#ifndef MUNKEY_TESTS_CLIENT_H
#define MUNKEY_TESTS_CLIENT_H

#include <stdbool.h>

struct client {
    unsigned port;     /* on the loopback */
    const char *token; /* borrowed */
};

struct ask {
    const char *method, *target;
    const char *key;  /* the Idempotency-Key, or NULL */
    const char *type; /* of the body */
    const char *body; /* or NULL */
};

struct reply {
    int status;
    char *body;
};

/* Whether a whole reply came; the caller frees its body. */
bool client_ask(const struct client *client, const struct ask *ask,
                struct reply *ret_reply);

#endif

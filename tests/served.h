/* SPDX-License-Identifier: Apache-2.0 */
/* A replica that is served over HTTP by this process, and clients of it.
 *
 *     served_start(&s, &shipped, threads);
 *     client_open(&client, &s);
 *     json_t *reply = client_call(&client, "POST", "/predict", MEDIA_JSON, body, len, 200);
 *     client_close(&client);
 *     served_stop(&s);                             and removes the folder
 *
 * A client belongs to one thread.  What does not work ends the process with a message.
 */
#ifndef MUNKEY_TESTS_SERVED_H
#define MUNKEY_TESTS_SERVED_H

#include <jansson.h>
#include <openssl/ssl.h>

#include "api/http.h"
#include "tests/recorded.h"
#include "tests/replica.h"

#define MEDIA_RAW "application/octet-stream"
#define MEDIA_JSON "application/json"

struct served {
    struct replica replica;
    struct service service;
    struct http *http;
    char token[64];
    SSL_CTX *tls; /* of the clients; NULL: without */
    struct recorded *recorded;
};

void served_start(struct served *s, const struct shipped *shipped, unsigned threads);
void served_again(struct served *s, unsigned threads); /* with so many that predict */
void served_encrypt(struct served *s,
                    unsigned threads); /* the same over TLS from here on */
void served_stop(struct served *s);

struct client {
    const struct served *served;
    int fd;   /* -1: not connected */
    SSL *ssl; /* NULL: plain */
    /* When the kernel had the first bytes of the reply, and the last: ns, CLOCK_REALTIME. */
    int64_t began, arrived;
};

void client_open(struct client *client, const struct served *s);
void client_close(struct client *client);

/* Asks and waits for the reply, which has to have this status.  body: NULL for none. */
json_t *client_call(struct client *client, const char *method, const char *target,
                    const char *media, const void *body, size_t len, unsigned status);

/* The body of POST /predict for n images, image i being at pixels[i].  The caller frees. */
char *predict_body(const uint8_t *const *pixels, size_t n);
/* The body of POST /subjects/{id}/instances for them, all with one label. */
char *enrol_body(const uint8_t *const *pixels, size_t n, uint32_t label);

#endif

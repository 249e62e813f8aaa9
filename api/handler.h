/* SPDX-License-Identifier: Apache-2.0 */
/* What a handler sees: a parsed request, and a reply to fill.  Never a socket.
 *
 *     int version_get(struct request *request, struct reply *ret_reply)
 *     {
 *         return reply_json(ret_reply, 200, json_pack("{s:s}", "name", "munkeyd"));
 *     }
 *
 * A handler returns 0 and a reply, or fail(MK_E..., "sentence"), which becomes a problem
 * document (api/problem.h).
 */
#ifndef MUNKEY_API_HANDLER_H
#define MUNKEY_API_HANDLER_H

#include <jansson.h>

#include "api/service.h"
#include "api/target.h"
#include "api/trace.h"
#include "storage/tokens.h"

enum { REQUEST_ID_SIZE = 37, REPLY_HEADERS = 8 };

struct request {
    const struct route *route;
    struct service *service;
    struct scratch *scratch;     /* of the lane's thread; NULL when inline */
    const struct target *target; /* decoded */
    const char *raw_path;        /* as sent, without the query */
    const char *media;           /* of the body: lower case, no parameters; or "" */
    const char *idempotency_key; /* 1 to 255 visible ASCII bytes, or NULL */
    const char *json_length;     /* Inference-Header-Content-Length as sent, or NULL */
    const char *if_none_match;   /* as sent, or NULL */
    const char *body;            /* body[body_len] is NUL */
    size_t body_len;
    char id[REQUEST_ID_SIZE]; /* a UUID; the reply's X-Request-Id */
    struct trace trace;
};

/* Whom /subjects/{id} is about, borrowed; and what the request is called: the caller's
 * Idempotency-Key, else the reply's X-Request-Id. */
struct subject request_subject(const struct request *request);
const char *request_name(const struct request *request);
void request_make_id(char ret_id[static REQUEST_ID_SIZE]);

/* Bytes that are wiped when they are freed. */
struct blob {
    size_t len;
    char data[];
};

struct reply {
    unsigned status;
    const char *media;
    const char *cache; /* Cache-Control; NULL: no-store */
    struct blob *body;
    struct {
        const char *name;
        char *value; /* owned */
    } header[REPLY_HEADERS];
    size_t headers;
    uint64_t log_index; /* of the entry that answers a request, for its record; 0: none */
    bool close;         /* the connection, after this reply */
    bool fatal; /* the process, after this reply: the outcome of a commit is unknown */
    /* The bank whose shared lock is held until the reply is on its way: a forget that
     * returns afterwards knows that no prediction made with the erased keys is sent any
     * more. */
    struct memory *locked;
};

typedef int handler(struct request *request, struct reply *ret_reply);

/* Who runs a handler: the connection's own thread, or a lane (api/lanes.h). */
enum lane {
    LANE_INLINE,
    LANE_PREDICT,
    LANE_ENROLL,
    LANE_ERASE,
    LANE_BULK,
    LANE_READ,
    LANE_BACKUP,
    LANES
};

struct route {
    const char *method,
        *path; /* "/subjects/{id}": braces match one segment, {id...} all */
    enum scope scope;
    enum lane lane;
    handler *run;
    const char *media; /* of bodies, separated by spaces; NULL: a body is ignored */
    const char *query; /* names that the query may hold; NULL: no query at all */
    bool large;        /* the body may have limits.predict_body bytes, else json_body */
    bool untyped;      /* the body may come without a Content-Type */
    bool personal;     /* the reply knows of a person, and leaves ... */
    bool forgets;      /* ... before one of these, if it is a 200 */
    bool log;          /* open to everybody where service->public_log says so */
};

/* A JSON reply.  Takes json, which may be NULL when there was no memory for it. */
int reply_json(struct reply *reply, unsigned status, json_t *json_take);
/* Lines of JSON, each made by line_json(), as one body with status 200.  Wipes and frees them, and
 * sets them NULL. */
int line_json(json_t *json_take, struct blob **ret_line);
int reply_lines(struct reply *reply, struct blob **line, size_t n);
/* Text or bytes of another media type; copies. */
int reply_text(struct reply *reply, unsigned status, const char *media, const char *text);
int reply_bytes(struct reply *reply, unsigned status, const char *media,
                const void *bytes, size_t len);
int reply_header(struct reply *reply, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Unlocks, wipes, frees. */
void reply_done(struct reply *reply);

struct blob *blob_new(size_t len); /* zeroed, one NUL more than len; NULL: no memory */
void blob_free(void *blob);        /* wipes */

#endif

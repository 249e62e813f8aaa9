/* SPDX-License-Identifier: Apache-2.0 */
/* One erasure that a body asks for: {"subject": {"value", "raw"}, "request_id", "regulation",
 * "callback_urls"}.
 *
 *     struct line line = {.text = text, .len = len, .number = 3,
 *                         .received = time(NULL)};
 *     rc = line_read(request, &line);
 *     one = line_request(&line);
 *     ... forget_batch(state, &one, 1, &line.done) ...
 *     reply = line_reply(&line, request, origin);
 *     line_done(&line);                                    wipes: it names a person
 */
#ifndef MUNKEY_API_LINE_H
#define MUNKEY_API_LINE_H

#include "api/handler.h"
#include "storage/callback.h"
#include "storage/forget.h"

struct line {
    const char *text;
    size_t len;
    int64_t received;
    size_t number; /* from 1; 0: the body is this object alone */
    json_t *json;  /* that subject points into; owned */
    struct subject subject;
    char name[REQUEST_MAX + 1]; /* its request_id; "": none that could be read */
    const struct regime *regime;
    const char *url[CALLBACKS_EACH]; /* (urls): where to tell that it is done */
    size_t urls;
    struct forgotten done; /* rc: why there is no receipt */
};

/* Without a request_id it has the name of the whole request, and its number.  MK_EINPUT,
 * MK_ETOOBIG, MK_EUNPROCESSABLE. */
int line_read(const struct request *request, struct line *line);
void line_done(struct line *line);

/* Borrows from the line. */
struct erasure_request line_request(const struct line *line);

/* What DELETE would say, with request_id, received and due; or why it has no receipt. */
json_t *line_reply(const struct line *line, const struct request *request,
                   const char *origin);

/* What became of a request, in a word and in a sentence. */
const char *line_status(const struct request_row *row);
const char *line_reason(const struct request_row *row);

#endif

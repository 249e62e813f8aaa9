/* SPDX-License-Identifier: Apache-2.0 */
/* Problem documents (RFC 9457), with `error` beside them for KServe clients.
 *
 *     if ((rc = route->run(request, &reply)) < 0)
 *         problem_of_error(rc, request->id, &reply);        err_why() is the sentence
 *     ...
 *     problem(405, request->id, "use GET", &reply);
 */
#ifndef MUNKEY_API_PROBLEM_H
#define MUNKEY_API_PROBLEM_H

#include "api/handler.h"

/* Replaces what is in the reply.  A status from 400 up closes the connection, so that
 * nothing behind a refused request is read as a second one. */
void problem(unsigned status, const char *request_id, const char *detail,
             struct reply *reply);

/* The same for MK_E... and this thread's err_why(). */
void problem_of_error(int err, const char *request_id, struct reply *reply);

/* 429: the caller has used up a quota; with Retry-After. */
void problem_limited(const struct quota *quota, const char *request_id,
                     struct reply *reply);

/* The same document, for a part of a reply that is none itself. */
json_t *problem_json(int err, const char *request_id, const char *why);

/* "Not Found"; "Problem" for a status that we never send. */
const char *status_title(unsigned status);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* One route as an OpenAPI operation: what the table knows, added to what a file says. */
#ifndef MUNKEY_API_OPENAPI_OPERATION_H
#define MUNKEY_API_OPENAPI_OPERATION_H

#include <jansson.h>

#include "api/handler.h"

/* said: the files of api/openapi/, as one object; parameters that are used get their place.
 * operation: what they say of the route; completed.  MK_EINPUT: they do not agree. */
int operation_complete(json_t *said, const struct route *route, bool public_log,
                       json_t *operation);

/* The operation of a path of the route, spelt out; MK_EINPUT: a parameter is not described. */
int operation_at(json_t *said, const char *path, const json_t *operation,
                 json_t **ret_operation);

/* Adds the headers that every reply has.  replies: by status. */
void replies_complete(const json_t *said, json_t *replies);

/* HEAD for a GET. */
json_t *operation_head(const json_t *get);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The interface as an OpenAPI 3.1 document, which GET /openapi.json hands out.
 *
 *     char *text;
 *     rc = openapi_make(public_routes, service->public_log, &text);
 *
 * Paths, methods, names of parameters, media types and scopes are those of the table; the files of
 * api/openapi/ say the rest.  docs/API.md ("Adding a route") has how.
 */
#ifndef MUNKEY_API_OPENAPI_H
#define MUNKEY_API_OPENAPI_H

#include "api/handler.h"

/* MK_EINPUT when files and table do not agree; says which route.  The caller frees ret_text. */
int openapi_make(const struct route *routes, bool public_log, char **ret_text);

#endif

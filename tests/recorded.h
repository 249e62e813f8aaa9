/* SPDX-License-Identifier: Apache-2.0 */
/* Replies of a server in this process, checked at the end against the document that it hands out
 * (tests/openapi/recorded.mjs), so that the check takes no time from what is tested.
 *
 *     struct recorded *recorded = recorded_new(service.openapi);
 *     recorded_add(recorded, "GET", "/healthz", reply, len);
 *     recorded_check(recorded);                          ends the process if one is wrong
 *
 * Does nothing where $validator is not a folder that Makefile.am has made.
 */
#ifndef MUNKEY_TESTS_RECORDED_H
#define MUNKEY_TESTS_RECORDED_H

#include <stddef.h>

struct recorded; /* opaque */

struct recorded *recorded_new(const char *document); /* NULL: nothing is kept */
void recorded_add(struct recorded *recorded, const char *method, const char *target,
                  const char *reply, size_t len);
void recorded_check(struct recorded *recorded_take);

#endif

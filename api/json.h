/* SPDX-License-Identifier: Apache-2.0 */
/* Strict JSON: bounded before it is parsed, no duplicate and no unknown members.
 *
 *     json_auto_t *body = NULL;
 *     if ((rc = json_read(text, len, 100, &body)) < 0 ||
 *         (rc = json_known(body, "receipt proof opening")) < 0 ||
 *         (rc = json_text(body, "receipt", true, &receipt)) < 0)
 *         return rc;
 *
 * No sentence repeats what was sent: not even a member's name, which may name a person.
 */
#ifndef MUNKEY_API_JSON_H
#define MUNKEY_API_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 16 };

/* Once, before threads start: fixes the hash seed, and wipes what jansson frees. */
void json_setup(void);

/* Parses one object of at most max_values values and members, nested at most
 * JSON_DEPTH_MAX deep: jansson would make 61 MiB out of a 1 MiB body of `{}`.  MK_EINPUT,
 * MK_ETOOBIG. */
int json_read(const char *text, size_t len, size_t max_values, json_t **ret_object);

/* The object has no other members than these, separated by spaces; MK_EINPUT. */
int json_known(const json_t *object, const char *names);

/* Members by type, MK_EINPUT when of another type or missing though needed.  An absent
 * one that is not needed leaves *ret as it was.  Texts are borrowed from the object. */
int json_text(const json_t *object, const char *name, bool needed, const char **ret_text);
int json_flag(const json_t *object, const char *name, bool *ret_flag);
int json_count(const json_t *object, const char *name, int64_t low, int64_t high,
               int64_t *ret_count);
/* One letter of a range; needed. */
int json_letter(const json_t *object, const char *name, char low, char high,
                char *ret_letter);
/* RFC 3339 with any offset, to the second, after 1970; null is as if it were absent. */
int json_moment(const json_t *object, const char *name, int64_t *ret_seconds);
int json_list(const json_t *object, const char *name, json_t **ret_array);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The request target, as it was sent: split at `/`, then percent-decoded exactly once.
 *
 *     if ((rc = target_split(raw, &target)) < 0)           "/subjects/a%2Fb?export=1"
 *         return rc;
 *     route = route_find(method, &target, ...);            on undecoded segments
 *     if ((rc = target_decode(&target)) < 0)               {"subjects", "a/b"}
 *         return rc;
 *     export = target_query(&target, "export");            "1"
 *     target_done(&target);                                wipes: it may name a person
 *
 * libmicrohttpd decodes %2F and cuts at %00 before a handler runs; DELETE
 * /subjects/alice%00x would erase alice.  So nothing but this file decodes.
 */
#ifndef MUNKEY_API_TARGET_H
#define MUNKEY_API_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TARGET_SEGMENTS = 9, TARGET_PAIRS = 16, SEGMENT_MAX = 512 };

/* Decoded text; data[len] is NUL, and there is no NUL before it. */
struct text {
    char *data;
    size_t len;
};

struct target {
    char *copy; /* what the texts point into; owned */
    size_t size;
    struct text segment[TARGET_SEGMENTS];
    size_t segments;
    bool has_query; /* there was a `?`, even with nothing behind it */
    struct {
        struct text name, value;
    } pair[TARGET_PAIRS];
    size_t pairs;
};

/* Splits a copy of raw; nothing is decoded yet.  MK_EINPUT: not an absolute path of
 * visible ASCII, or too many parts. */
int target_split(const char *raw, struct target *ret_target);

/* Decodes every part in place.  MK_EINPUT with a sentence: malformed percent, %00,
 * invalid UTF-8, an empty segment, one over SEGMENT_MAX bytes, `.`, `..`, a bare `+` in
 * the query, a name given twice. */
int target_decode(struct target *target);

/* The value of a query parameter, or NULL. */
const char *target_query(const struct target *target, const char *name);

/* A number out of a target: digits alone, without a leading zero, so that one thing has one URL.
 * text may be NULL. */
bool target_number(const char *text, uint64_t *ret_number);

/* The value of a hexadecimal digit, or -1. */
int hex_digit(char c);

void target_done(struct target *target); /* wipes */

#endif

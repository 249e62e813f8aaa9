/* SPDX-License-Identifier: Apache-2.0 */
/* The request target: our own decoder, because an id must mean the same bytes to
 * everybody. */
#include "api/target.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/encode.h"

/* RFC 3986: pchar / "/" / "?"; everything else has to be percent-encoded. */
static bool is_target_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~%!$&'()*+,;=:@/?", c));
}

static struct text text_of(char *start, char *end)
{
    *end = '\0';
    return (struct text){start, (size_t)(end - start)};
}

/* path: "/a/b", without the query; `end` may be overwritten. */
static int split_path(struct target *target, char *path, char *end)
{
    for (char *start = path + 1, *p = start; p <= end; p++) {
        if (p < end && *p != '/')
            continue;
        if (target->segments == TARGET_SEGMENTS)
            return fail(MK_ENOTFOUND,
                        "no route has that many path segments; a `/` inside a "
                        "subject id has to be written %%2F");
        target->segment[target->segments++] = text_of(start, p);
        start = p + 1;
    }
    return 0;
}

static int split_query(struct target *target, char *query, char *end)
{
    for (char *start = query, *p = start; p <= end; p++) {
        if (p < end && *p != '&')
            continue;
        char *equals = memchr(start, '=', (size_t)(p - start));
        if (target->pairs == TARGET_PAIRS)
            return fail(MK_EINPUT, "more than %d query parameters", TARGET_PAIRS);
        if (p > start) {
            struct text value = text_of(equals ? equals + 1 : p, p);
            target->pair[target->pairs].name = text_of(start, equals ? equals : p);
            target->pair[target->pairs++].value = value;
        }
        start = p + 1;
    }
    return 0;
}

int target_split(const char *raw, struct target *ret_target)
{
    size_t len = strlen(raw);
    if (raw[0] != '/')
        return fail(MK_EINPUT,
                    "the request target has to be a path that starts with `/`");
    for (size_t i = 0; i < len; i++)
        if (!is_target_char(raw[i]))
            return fail(MK_EINPUT,
                        "byte %zu of the request target may not stand in a URL: "
                        "percent-encode it (RFC 3986)",
                        i);
    struct target target = {.copy = malloc(len + 1), .size = len + 1};
    if (!target.copy)
        return fail(MK_ENOMEM, "no memory for the request target");
    memcpy(target.copy, raw, len + 1);
    char *end = target.copy + len, *mark = strchr(target.copy, '?');
    target.has_query = mark;
    int rc = split_path(&target, target.copy, mark ? mark : end);
    if (rc == 0 && mark)
        rc = split_query(&target, mark + 1, end);
    if (rc < 0)
        target_done(&target);
    else
        *ret_target = target;
    return rc;
}

int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place; the text only gets shorter. */
static int percent_decode(struct text *text)
{
    size_t n = 0;
    for (size_t i = 0; i < text->len; i++, n++) {
        if (text->data[i] != '%') {
            text->data[n] = text->data[i];
            continue;
        }
        /* data[len] is NUL, which is no hex digit: the second is read only after the
         * first */
        int high = hex_digit(text->data[i + 1]),
            low = high < 0 ? -1 : hex_digit(text->data[i + 2]);
        if (low < 0)
            return fail(
                MK_EINPUT,
                "malformed percent-encoding: `%%` needs two hex digits behind it; "
                "write %%25 for the character itself");
        if (high == 0 && low == 0)
            return fail(MK_EINPUT, "%%00 may not stand in a URL");
        text->data[n] = (char)(high << 4 | low);
        i += 2;
    }
    memset(text->data + n, 0, text->len - n + 1);
    text->len = n;
    if (!is_utf8(text->data, n))
        return fail(MK_EINPUT, "a percent-decoded part of the URL is not valid UTF-8");
    return 0;
}

static int decode_segment(struct text *segment)
{
    int rc = percent_decode(segment);
    if (rc < 0)
        return rc;
    if (segment->len == 0)
        return fail(MK_EINPUT, "a path segment is empty: an id has 1 to %d bytes",
                    SEGMENT_MAX);
    if (segment->len > SEGMENT_MAX)
        return fail(MK_EINPUT, "a path segment has %zu bytes: an id has 1 to %d",
                    segment->len, SEGMENT_MAX);
    if (strcmp(segment->data, ".") == 0 || strcmp(segment->data, "..") == 0)
        return fail(MK_EINPUT,
                    "`.` and `..` cannot be ids in a URL: clients and proxies drop "
                    "them on the way");
    return 0;
}

/* Form encoding writes a space as `+`, RFC 3986 does not: refuse to guess. */
static int decode_value(struct text *text)
{
    if (strchr(text->data, '+'))
        return fail(MK_EINPUT,
                    "a bare `+` in the query: write %%20 for a space, %%2B for a plus");
    return percent_decode(text);
}

static int decode_pair(struct target *target, size_t i)
{
    int rc = decode_value(&target->pair[i].name);
    if (rc == 0)
        rc = decode_value(&target->pair[i].value);
    for (size_t j = 0; rc == 0 && j < i; j++)
        if (strcmp(target->pair[i].name.data, target->pair[j].name.data) == 0)
            rc = fail(MK_EINPUT, "query parameter %zu has the name of an earlier one",
                      i + 1);
    return rc;
}

int target_decode(struct target *target)
{
    /* "/" alone: the root, and no id that is empty. */
    bool root = target->segments == 1 && target->segment[0].len == 0;
    int rc = 0;
    for (size_t i = 0; rc == 0 && !root && i < target->segments; i++)
        rc = decode_segment(&target->segment[i]);
    for (size_t i = 0; rc == 0 && i < target->pairs; i++)
        rc = decode_pair(target, i);
    return rc;
}

const char *target_query(const struct target *target, const char *name)
{
    for (size_t i = 0; i < target->pairs; i++)
        if (strcmp(target->pair[i].name.data, name) == 0)
            return target->pair[i].value.data;
    return NULL;
}

bool target_number(const char *text, uint64_t *ret_number)
{
    size_t len = text ? strlen(text) : 0;
    if (len == 0 || len > 15 || text[strspn(text, "0123456789")] ||
        (text[0] == '0' && len > 1))
        return false;
    *ret_number = strtoull(text, NULL, 10);
    return true;
}

void target_done(struct target *target)
{
    if (target->copy)
        explicit_bzero(target->copy, target->size);
    free(target->copy);
    *target = (struct target){0};
}

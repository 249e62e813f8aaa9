/* SPDX-License-Identifier: Apache-2.0 */
/* Which trace a request belongs to. */
#include "api/trace.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "storage/encode.h"

/* "00-" trace-id "-" parent-id "-" trace-flags */
enum { ID_AT = 3, PARENT_AT = 36, FLAGS_AT = 53, LENGTH = 55 };

/* Section 3.2.2: HEXDIGLC, so that upper case is no number. */
static bool is_hex(const char *text, size_t len)
{
    return strspn(text, "0123456789abcdef") >= len;
}

/* "All bytes as zero is considered an invalid value", of either number. */
static bool is_zero(const char *text, size_t len)
{
    return strspn(text, "0") >= len;
}

/* "Version ff is invalid."  Of version 00 the length is LENGTH; of a later one, whose beginning is
 * read as if it were 00, what follows begins with a dash (section 3.2.4). */
static bool is_version(const char *text, size_t len)
{
    if (!is_hex(text, 2) || memcmp(text, "ff", 2) == 0)
        return false;
    return len == LENGTH || (memcmp(text, "00", 2) != 0 && text[LENGTH] == '-');
}

static bool is_traceparent(const char *text)
{
    size_t len = strlen(text);
    return len >= LENGTH && is_version(text, len) && text[ID_AT - 1] == '-' &&
           is_hex(text + ID_AT, 32) && !is_zero(text + ID_AT, 32) &&
           text[PARENT_AT - 1] == '-' && is_hex(text + PARENT_AT, 16) &&
           !is_zero(text + PARENT_AT, 16) && text[FLAGS_AT - 1] == '-' &&
           is_hex(text + FLAGS_AT, 2);
}

/* Never all zeros: that would be a defect of the system's source. */
static void make_number(size_t bytes, char *ret_hex)
{
    uint8_t number[16];
    if (getrandom(number, bytes, 0) != (ssize_t)bytes)
        abort(); /* cannot happen once the system's source is ready: getrandom(2) */
    hex_encode(number, bytes, ret_hex);
}

void trace_begin(const char *traceparent, struct trace *ret_trace)
{
    struct trace trace = {0};
    if (traceparent && is_traceparent(traceparent))
        memcpy(trace.id, traceparent + ID_AT, TRACE_ID_SIZE - 1);
    else
        make_number(16, trace.id);
    make_number(8, trace.span);
    *ret_trace = trace;
}

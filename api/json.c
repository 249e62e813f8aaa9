/* SPDX-License-Identifier: Apache-2.0 */
/* Strict JSON in, with sentences that say what to change. */
#include "api/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "storage/zeroing.h"

void json_setup(void)
{
    json_object_seed(0);
    json_set_alloc_funcs(malloc, free_zeroed);
}

/* Where the scan stands: strings hide brackets and commas. */
struct scan {
    size_t depth, values;
    bool in_string, escaped;
};

static void scan_byte(struct scan *scan, char c)
{
    if (scan->in_string) {
        scan->in_string = scan->escaped || c != '"';
        scan->escaped = !scan->escaped && c == '\\';
    } else if (c == '"') {
        scan->in_string = true;
    } else if (c == '{' || c == '[') {
        scan->depth++;
        scan->values++;
    } else if (c == '}' || c == ']') {
        scan->depth -= scan->depth > 0;
    } else if (c == ',' || c == ':') {
        scan->values++;
    }
}

static int check_size(const char *text, size_t len, size_t max_values)
{
    struct scan scan = {0};
    for (size_t i = 0; i < len; i++) {
        scan_byte(&scan, text[i]);
        if (scan.depth > JSON_DEPTH_MAX)
            return fail(MK_EINPUT, "JSON: nested more than %d deep at byte %zu",
                        JSON_DEPTH_MAX, i);
        if (scan.values > max_values)
            return fail(MK_ETOOBIG, "JSON: more than %zu values; send a smaller batch",
                        max_values);
    }
    return 0;
}

/* jansson's own text quotes the input. */
static const char *sentence(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_duplicate_key:
        return "an object has two members of the same name";
    case json_error_invalid_utf8:
        return "a string is not valid UTF-8";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "a string holds the character U+0000";
    case json_error_numeric_overflow:
        return "a number is too large";
    case json_error_premature_end_of_input:
        return "it ends too early";
    case json_error_end_of_input_expected:
        return "something follows the value";
    default:
        return "not well-formed";
    }
}

int json_read(const char *text, size_t len, size_t max_values, json_t **ret_object)
{
    if (len == 0)
        return fail(MK_EINPUT, "JSON: the body is empty");
    int rc = check_size(text, len, max_values);
    if (rc < 0)
        return rc;
    json_error_t error;
    json_auto_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!json && json_error_code(&error) == json_error_out_of_memory)
        return fail(MK_ENOMEM, "no memory for a JSON body of %zu bytes", len);
    if (!json)
        return fail(MK_EINPUT, "JSON: %s (line %d, byte %d)", sentence(&error),
                    error.line, error.position);
    if (!json_is_object(json))
        return fail(MK_EINPUT, "JSON: the body has to be an object, {...}");
    *ret_object = json_incref(json);
    return 0;
}

/* Whether name is one of the words of names. */
static bool is_word(const char *names, const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || strchr(name, ' '))
        return false;
    for (const char *p = names; (p = strstr(p, name)); p++)
        if ((p == names || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
            return true;
    return false;
}

int json_known(const json_t *object, const char *names)
{
    const char *name;
    json_t *value;
    size_t i = 0;
    if (!json_is_object(object))
        return fail(MK_EINPUT, "JSON: an object with these members belongs here: %s",
                    names);
    json_object_foreach((json_t *)object, name, value)
    {
        i++;
        if (!is_word(names, name))
            return fail(MK_EINPUT,
                        "JSON: member %zu of an object is not known here; known are: %s",
                        i, names);
    }
    return 0;
}

int json_text(const json_t *object, const char *name, bool needed, const char **ret_text)
{
    const json_t *value = json_object_get(object, name);
    if (!value && !needed)
        return 0;
    if (!json_is_string(value))
        return fail(MK_EINPUT, "JSON: `%s` has to be a string", name);
    *ret_text = json_string_value(value);
    return 0;
}

int json_flag(const json_t *object, const char *name, bool *ret_flag)
{
    const json_t *value = json_object_get(object, name);
    if (value && !json_is_boolean(value))
        return fail(MK_EINPUT, "JSON: `%s` has to be true or false", name);
    if (value)
        *ret_flag = json_is_true(value);
    return 0;
}

int json_count(const json_t *object, const char *name, int64_t low, int64_t high,
               int64_t *ret_count)
{
    const json_t *value = json_object_get(object, name);
    if (!value)
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < low ||
        json_integer_value(value) > high)
        return fail(MK_EINPUT, "JSON: `%s` has to be an integer from %lld to %lld", name,
                    (long long)low, (long long)high);
    *ret_count = json_integer_value(value);
    return 0;
}

int json_list(const json_t *object, const char *name, json_t **ret_array)
{
    json_t *value = json_object_get(object, name);
    if (!json_is_array(value) || json_array_size(value) == 0)
        return fail(MK_EINPUT, "JSON: `%s` has to be an array that is not empty", name);
    *ret_array = value;
    return 0;
}

int json_letter(const json_t *object, const char *name, char low, char high,
                char *ret_letter)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (!text || text[0] < low || text[0] > high || text[1])
        return fail(MK_EINPUT, "JSON: `%s` has to be one letter, %c to %c", name, low,
                    high);
    *ret_letter = text[0];
    return 0;
}

/* Behind the seconds of RFC 3339's date-time: a fraction, which is dropped, and the offset. */
static bool read_offset(const char *at, int64_t *ret_seconds)
{
    if (*at == '.') {
        size_t digits = strspn(at + 1, "0123456789");
        if (digits == 0)
            return false;
        at += 1 + digits;
    }
    if (strcmp(at, "Z") == 0 || strcmp(at, "z") == 0) {
        *ret_seconds = 0;
        return true;
    }
    unsigned hours, minutes;
    if (strlen(at) != 6 || strspn(at + 1, "0123456789:") != 5 ||
        sscanf(at + 1, "%2u:%2u", &hours, &minutes) != 2 || hours > 23 || minutes > 59)
        return false;
    int64_t seconds = 3600 * (int64_t)hours + 60 * (int64_t)minutes;
    *ret_seconds = *at == '-' ? -seconds : seconds;
    return *at == '-' || *at == '+';
}

/* "1985-04-12T23:20:50.52Z", "1996-12-19T16:39:57-08:00" */
static bool read_date_time(const char *text, int64_t *ret_seconds)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    struct tm tm = {0};
    int64_t offset;
    for (size_t i = 0; form[i]; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        bool fits = form[i] == 'd' ? digit : text[i] == form[i];
        if (!fits && !(form[i] == 'T' && text[i] == 't'))
            return false;
    }
    sscanf(text, "%4d-%2d-%2d%*c%2d:%2d:%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
           &tm.tm_hour, &tm.tm_min, &tm.tm_sec);
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    struct tm same = tm;
    int64_t seconds = timegm(&same);
    /* A day or an hour that there is not would have been carried over. */
    if (same.tm_mon != tm.tm_mon || same.tm_mday != tm.tm_mday ||
        same.tm_hour != tm.tm_hour || same.tm_min != tm.tm_min ||
        same.tm_sec != tm.tm_sec || !read_offset(text + strlen(form), &offset))
        return false;
    *ret_seconds = seconds - offset;
    return true;
}

int json_moment(const json_t *object, const char *name, int64_t *ret_seconds)
{
    const json_t *value = json_object_get(object, name);
    const char *text = json_string_value(value);
    int64_t seconds = 0;
    if (!value || json_is_null(value))
        return 0;
    if (!text || !read_date_time(text, &seconds) || seconds <= 0)
        return fail(MK_EINPUT,
                    "JSON: `%s` has to be a time of RFC 3339 such as "
                    "\"2030-01-31T12:00:00Z\"",
                    name);
    *ret_seconds = seconds;
    return 0;
}

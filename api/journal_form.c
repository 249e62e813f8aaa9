/* SPDX-License-Identifier: Apache-2.0 */
/* How what is said looks: text, JSON, journald's fields. */
#include "api/journal_form.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "storage/encode.h"

void form_put(struct log_line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(line->data + line->len, sizeof line->data - line->len, format,
                        arguments);
    va_end(arguments);
    assert(len >= 0 && (size_t)len < sizeof line->data - line->len);
    line->len += (size_t)len;
}

/* Of one of U+0000 to U+001F and U+007F to U+009F, the last of which are two bytes. */
static bool is_control(const char *text, size_t i)
{
    const unsigned char *c = (const unsigned char *)text + i;
    return c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0) ||
           (c[0] >= 0x80 && c[0] < 0xa0 && i > 0 && c[-1] == 0xc2);
}

void form_clean(const char *text, char *ret_clean)
{
    bool utf8 = is_utf8(text, strlen(text));
    for (size_t i = 0; text[i]; i++)
        if (is_control(text, i) || ((unsigned char)text[i] >= 0x80 && !utf8))
            ret_clean += sprintf(ret_clean, "\\x%02x", (unsigned char)text[i]);
        else
            *ret_clean++ = text[i];
    *ret_clean = '\0';
}

/* RFC 8259, 7; control characters there are none. */
static void put_json(struct log_line *line, const char *name, const char *text)
{
    form_put(line, "%c\"%s\":\"", line->len ? ',' : '{', name);
    assert(2 * strlen(text) < sizeof line->data - line->len);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            line->data[line->len++] = '\\';
        line->data[line->len++] = *text;
    }
    form_put(line, "\"");
}

void form_json(struct log_line *line, int priority, const char *message,
               const struct field *fields, size_t n)
{
    static const char *const levels[] = {"emerg",   "alert",  "crit", "err",
                                         "warning", "notice", "info", "debug"};
    char now[32];
    struct tm tm;
    time_t time_now = time(NULL);
    strftime(now, sizeof now, "%FT%TZ", gmtime_r(&time_now, &tm));
    put_json(line, "time", now);
    put_json(line, "level", levels[priority]);
    put_json(line, "message", message);
    for (size_t i = 0; i < n; i++)
        if (fields[i].number)
            form_put(line, ",\"%s\":%s", fields[i].name, fields[i].value);
        else
            put_json(line, fields[i].name, fields[i].value);
    form_put(line, "}\n");
}

/* systemd.io/JOURNAL_NATIVE_PROTOCOL: values without a newline are NAME=value lines. */
void form_fields(struct log_line *line, int priority, const char *message,
                 const struct field *fields, size_t n)
{
    form_put(line, "PRIORITY=%d\nSYSLOG_IDENTIFIER=munkeyd\nMESSAGE=%s\n", priority,
             message);
    for (size_t i = 0; i < n; i++) {
        form_put(line, "MUNKEYD_");
        for (const char *c = fields[i].name; *c; c++)
            line->data[line->len++] = (char)toupper((unsigned char)*c);
        form_put(line, "=%s\n", fields[i].value);
    }
}

void form_text(struct log_line *line, bool prefix, int priority, const char *message)
{
    if (prefix)
        form_put(line, "<%d>", priority);
    form_put(line, "munkeyd: %s\n", message);
}

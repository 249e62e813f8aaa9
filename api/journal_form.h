/* SPDX-License-Identifier: Apache-2.0 */
/* How what is said looks: a line of text, a line of JSON, or journald's fields.
 *
 *     struct log_line line;
 *     form_clean(sentence, message);
 *     line.len = 0;
 *     form_json(&line, LOG_INFO, message, fields, n);
 *
 * A part of api/journal.c.  Messages are clean, and so are the values of fields: no control characters.
 */
#ifndef MUNKEY_API_JOURNAL_FORM_H
#define MUNKEY_API_JOURNAL_FORM_H

#include <stdbool.h>
#include <stddef.h>

enum { MESSAGE_SIZE = 1024, LINE_SIZE = 10240 };

struct field {
    const char *name, *value;
    bool number;
};

struct log_line {
    size_t len;
    char data[LINE_SIZE]; /* not zeroed: that would be half of what a record costs */
};

/* Appends; there is room for a message of MESSAGE_SIZE bytes in any form, and its fields. */
void form_put(struct log_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Text in which control characters are written \xNN, and so is all but ASCII where it is no UTF-8:
 * at most 4 bytes for one. */
void form_clean(const char *text, char *ret_clean);

/* priority: of syslog(3), which text tells where prefix is set: to a stream that leads to the journal
 * (sd-daemon(3)); people need it not. */
void form_text(struct log_line *line, bool prefix, int priority, const char *message);
void form_json(struct log_line *line, int priority, const char *message,
               const struct field *fields, size_t n);
void form_fields(struct log_line *line, int priority, const char *message,
                 const struct field *fields, size_t n);

#endif

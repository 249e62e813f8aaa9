/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences and records, as text, JSON or journald's fields.
 *
 * journald's protocol is spoken here, and not by sd_journal_send(3), which waits for journald: while
 * that hangs, so would every erasure. */
#include "api/journal.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "storage/encode.h"

enum { MESSAGE_SIZE = 1024, LINE_SIZE = 8192, FIELDS_MAX = 8, NUMBER_SIZE = 24 };

enum form { FORM_TEXT, FORM_JSON, FORM_JOURNAL };

/* Of the process, as is standard error. */
static struct {
    enum form form;
    bool requests, prefix; /* of text: the priority */
    int socket;
    struct sockaddr_un address; /* of journald */
    _Atomic uint64_t dropped;
} journal = {.socket = -1};

struct field {
    const char *name, *value;
    bool number;
};

struct line {
    size_t len;
    char data[LINE_SIZE];
};

/* ---- where it goes ---- */

/* systemd.exec(5): JOURNAL_STREAM is the device and inode of the stream that leads to the journal. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat stat;
    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &stat) == 0 && stat.st_dev == device &&
           stat.st_ino == inode;
}

static int find_form(const char *name, enum form *ret_form)
{
    if (strcmp(name, "auto") == 0)
        *ret_form = stderr_is_journal() ? FORM_JOURNAL : FORM_TEXT;
    else if (strcmp(name, "journal") == 0)
        *ret_form = FORM_JOURNAL;
    else if (strcmp(name, "json") == 0)
        *ret_form = FORM_JSON;
    else if (strcmp(name, "text") == 0)
        *ret_form = FORM_TEXT;
    else
        return fail(MK_EINPUT, "the setting log has to be auto, journal, json or text");
    return 0;
}

int journal_open(const struct journal_options *options)
{
    enum form form;
    int rc = find_form(options->form, &form);
    if (rc < 0)
        return rc;
    journal.address.sun_family = AF_UNIX;
    snprintf(journal.address.sun_path, sizeof journal.address.sun_path, "%s",
             options->socket ? options->socket : "/run/systemd/journal/socket");
    if (form == FORM_JOURNAL && journal.socket < 0)
        journal.socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (form == FORM_JOURNAL && journal.socket < 0)
        return fail(MK_EIO, "no socket to the journal: %s", strerror(errno));
    journal.requests = options->requests;
    journal.prefix = stderr_is_journal();
    journal.form = form;
    return 0;
}

/* ---- what goes out ---- */

static void put(struct line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void put(struct line *line, const char *format, ...)
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

/* Text in which control characters are written \xNN, and so is all but ASCII where it is no UTF-8.
 * At most 4 bytes for one. */
static void clean(const char *text, char *ret_clean)
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
static void put_json(struct line *line, const char *name, const char *text)
{
    put(line, "%c\"%s\":\"", line->len ? ',' : '{', name);
    for (; *text; text++)
        put(line, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    put(line, "\"");
}

static void write_json(struct line *line, int priority, const char *message,
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
            put(line, ",\"%s\":%s", fields[i].name, fields[i].value);
        else
            put_json(line, fields[i].name, fields[i].value);
    put(line, "}\n");
}

/* systemd.io/JOURNAL_NATIVE_PROTOCOL: values without a newline are NAME=value lines. */
static void write_fields(struct line *line, int priority, const char *message,
                         const struct field *fields, size_t n)
{
    put(line, "PRIORITY=%d\nSYSLOG_IDENTIFIER=munkeyd\nMESSAGE=%s\n", priority, message);
    for (size_t i = 0; i < n; i++) {
        put(line, "MUNKEYD_");
        for (const char *c = fields[i].name; *c; c++)
            put(line, "%c", toupper((unsigned char)*c));
        put(line, "=%s\n", fields[i].value);
    }
}

/* The journal reads the priority (sd-daemon(3)); people need not. */
static void write_text(struct line *line, int priority, const char *message)
{
    if (journal.prefix)
        put(line, "<%d>", priority);
    put(line, "munkeyd: %s\n", message);
}

static bool send_fields(const struct line *line)
{
    return sendto(journal.socket, line->data, line->len, MSG_DONTWAIT | MSG_NOSIGNAL,
                  (const struct sockaddr *)&journal.address,
                  sizeof journal.address) == (ssize_t)line->len;
}

/* A pipe that can be written to has room for 4,096 bytes: a record that is written only then leaves
 * room for sentences, and nobody waits who does not have to. */
static bool is_read(void)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && out.revents & POLLOUT;
}

/* One write, so that lines of several threads do not mix. */
static bool write_line(const struct line *line)
{
    return write(STDERR_FILENO, line->data, line->len) == (ssize_t)line->len;
}

/* patient: it is not a record of a request.  A sentence that journald does not take is written. */
static bool emit(int priority, const char *message, const struct field *fields, size_t n,
                 bool patient)
{
    struct line line = {0};
    if (journal.form == FORM_JOURNAL) {
        write_fields(&line, priority, message, fields, n);
        bool sent = send_fields(&line);
        if (sent || !patient)
            return sent;
        line = (struct line){0};
    }
    if (journal.form == FORM_JSON)
        write_json(&line, priority, message, fields, n);
    else
        write_text(&line, priority, message);
    return (patient || is_read()) && write_line(&line);
}

void journal_say(int priority, const char *format, ...)
{
    char sentence[MESSAGE_SIZE], message[4 * MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    clean(sentence, message);
    emit(priority, message, NULL, 0, true);
}

/* ---- records of requests ---- */

/* The same for people: "GET /stats 200 in 1.250 ms, request ID, trace ID-SPAN, log index 42". */
static void describe(const struct request_record *record, struct line *ret_message)
{
    put(ret_message, "%s %s %u", record->method, record->route, record->status);
    if (record->nanoseconds)
        put(ret_message, " in %.3f ms", (double)record->nanoseconds * 1e-6);
    if (record->id)
        put(ret_message, ", request %s", record->id);
    if (record->trace)
        put(ret_message, ", trace %s-%s", record->trace->id, record->trace->span);
    if (record->log_index)
        put(ret_message, ", log index %llu", (unsigned long long)record->log_index);
}

void journal_request(const struct request_record *record)
{
    struct line message = {0};
    char status[NUMBER_SIZE], seconds[NUMBER_SIZE], index[NUMBER_SIZE];
    struct field field[FIELDS_MAX];
    size_t n = 0;
    if (!journal.requests)
        return;
    snprintf(status, sizeof status, "%u", record->status);
    snprintf(seconds, sizeof seconds, "%.6f", (double)record->nanoseconds * 1e-9);
    snprintf(index, sizeof index, "%llu", (unsigned long long)record->log_index);
    field[n++] = (struct field){"method", record->method, false};
    field[n++] = (struct field){"route", record->route, false};
    field[n++] = (struct field){"status", status, true};
    if (record->nanoseconds)
        field[n++] = (struct field){"duration_seconds", seconds, true};
    if (record->id)
        field[n++] = (struct field){"request_id", record->id, false};
    if (record->trace) {
        field[n++] = (struct field){"trace_id", record->trace->id, false};
        field[n++] = (struct field){"span_id", record->trace->span, false};
    }
    if (record->log_index)
        field[n++] = (struct field){"log_index", index, true};
    describe(record, &message);
    if (!emit(LOG_INFO, message.data, field, n, false))
        journal.dropped++;
}

uint64_t journal_dropped(void)
{
    return journal.dropped;
}

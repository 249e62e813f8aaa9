/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences and records, as text, JSON or journald's fields.
 *
 * journald's protocol is spoken here, and not by sd_journal_send(3), which waits for journald: while
 * that hangs, so would every erasure. */
#include "api/journal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/journal_form.h"
#include "core/err.h"

enum { FIELDS_MAX = 8, NUMBER_SIZE = 24 };

enum form { FORM_TEXT, FORM_JSON, FORM_JOURNAL };

/* Of the process, as is standard error. */
static struct {
    enum form form;
    bool requests, prefix; /* of text: the priority */
    int socket;
    struct sockaddr_un address; /* of journald */
    _Atomic uint64_t dropped;
} journal = {.socket = -1};

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

static bool send_fields(const struct log_line *line)
{
    return sendto(journal.socket, line->data, line->len, MSG_DONTWAIT | MSG_NOSIGNAL,
                  (const struct sockaddr *)&journal.address,
                  sizeof journal.address) == (ssize_t)line->len;
}

/* One write, so that lines of several threads do not mix. */
static bool write_line(const struct log_line *line)
{
    return write(STDERR_FILENO, line->data, line->len) == (ssize_t)line->len;
}

/* A pipe that can be written to has room for 4,096 bytes: a record that is written only then, one at a
 * time, does not wait, and leaves room for sentences. */
static bool write_if_read(const struct log_line *line)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    pthread_mutex_lock(&mutex);
    bool written = poll(&out, 1, 0) == 1 && out.revents & POLLOUT && write_line(line);
    pthread_mutex_unlock(&mutex);
    return written;
}

/* patient: it is not a record of a request.  A sentence that journald does not take is written. */
static bool emit(int priority, const char *message, const struct field *fields, size_t n,
                 bool patient)
{
    struct log_line line;
    line.len = 0;
    if (journal.form == FORM_JOURNAL) {
        form_fields(&line, priority, message, fields, n);
        bool sent = send_fields(&line);
        if (sent || !patient)
            return sent;
        line.len = 0;
    }
    if (journal.form == FORM_JSON)
        form_json(&line, priority, message, fields, n);
    else
        form_text(&line, journal.prefix, priority, message);
    return patient ? write_line(&line) : write_if_read(&line);
}

void journal_say(int priority, const char *format, ...)
{
    char sentence[MESSAGE_SIZE], message[4 * MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    form_clean(sentence, message);
    emit(priority, message, NULL, 0, true);
}

/* ---- records of requests ---- */

/* The same for people: "GET /stats 200 in 1.250 ms, request ID, trace ID-SPAN, log index 42". */
static void describe(const struct request_record *record, struct log_line *ret_message)
{
    ret_message->len = 0;
    form_put(ret_message, "%s %s %u", record->method, record->route, record->status);
    if (record->nanoseconds)
        form_put(ret_message, " in %.3f ms", (double)record->nanoseconds * 1e-6);
    if (record->id)
        form_put(ret_message, ", request %s", record->id);
    if (record->trace)
        form_put(ret_message, ", trace %s-%s", record->trace->id, record->trace->span);
    if (record->log_index)
        form_put(ret_message, ", log index %llu", (unsigned long long)record->log_index);
}

/* The numbers of a record, as text. */
struct numbers {
    char status[NUMBER_SIZE], seconds[NUMBER_SIZE], index[NUMBER_SIZE];
};

static size_t make_fields(const struct request_record *record, struct numbers *numbers,
                          struct field ret_field[static FIELDS_MAX])
{
    size_t n = 0;
    snprintf(numbers->status, NUMBER_SIZE, "%u", record->status);
    snprintf(numbers->seconds, NUMBER_SIZE, "%.6f", (double)record->nanoseconds * 1e-9);
    snprintf(numbers->index, NUMBER_SIZE, "%llu", (unsigned long long)record->log_index);
    ret_field[n++] = (struct field){"method", record->method, false};
    ret_field[n++] = (struct field){"route", record->route, false};
    ret_field[n++] = (struct field){"status", numbers->status, true};
    if (record->nanoseconds)
        ret_field[n++] = (struct field){"duration_seconds", numbers->seconds, true};
    if (record->id)
        ret_field[n++] = (struct field){"request_id", record->id, false};
    if (record->trace) {
        ret_field[n++] = (struct field){"trace_id", record->trace->id, false};
        ret_field[n++] = (struct field){"span_id", record->trace->span, false};
    }
    if (record->log_index)
        ret_field[n++] = (struct field){"log_index", numbers->index, true};
    return n;
}

void journal_request(const struct request_record *record)
{
    struct log_line message;
    struct numbers numbers;
    struct field field[FIELDS_MAX];
    if (!journal.requests)
        return;
    describe(record, &message);
    size_t n = make_fields(record, &numbers, field);
    if (!emit(LOG_INFO, message.data, field, n, false))
        journal.dropped++;
}

uint64_t journal_dropped(void)
{
    return journal.dropped;
}

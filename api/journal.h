/* SPDX-License-Identifier: Apache-2.0 */
/* What munkeyd tells its operator: sentences, and a record of each request.
 *
 *     rc = journal_open(&(struct journal_options){.form = "auto", .requests = true});
 *     journal_say(LOG_WARNING, "the tokens stay as they were: %s", err_why());
 *     journal_request(&record);
 *
 * As lines of text or of JSON on standard error, or as fields to systemd's journal (docs/munkeyd.8).
 * Before it is opened sentences are text.  Whatever they are made of, nothing but UTF-8 without control
 * characters goes out, and one line is one record.
 *
 * A sentence is worth waiting for; a record of a request is not, and is dropped when nobody reads.
 */
#ifndef MUNKEY_API_JOURNAL_H
#define MUNKEY_API_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

#include "api/trace.h"

struct journal_options {
    const char
        *form;     /* "auto": the journal's where standard error leads there, else text;
                         * "journal", "json", "text" */
    bool requests; /* whether requests are recorded */
    const char *socket; /* of journald; NULL: where it is */
};

/* MK_EINPUT: no such form; MK_EIO: no socket. */
int journal_open(const struct journal_options *options);

/* priority: of syslog(3). */
void journal_say(int priority, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A request and what became of it.  Nothing in it comes from a caller but the trace's number. */
struct request_record {
    const char *method, *route; /* of the route */
    unsigned status;
    uint64_t nanoseconds;      /* 0: not known */
    const char *id;            /* NULL: it has none */
    const struct trace *trace; /* NULL: it has none */
    uint64_t log_index;        /* of the entry that answers it; 0: none */
};
void journal_request(const struct request_record *record);

/* Records that were dropped. */
uint64_t journal_dropped(void);

#endif

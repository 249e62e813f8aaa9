/* SPDX-License-Identifier: Apache-2.0 */
/* Which trace a request belongs to: W3C Trace Context, level 1 (w3.org/TR/trace-context).
 *
 *     trace_begin(value, &trace);                of the header traceparent, or NULL
 *
 * The caller's trace is taken up, with a span of our own; without one, or with one that is not as the
 * specification has it, a new trace begins.  Numbers are lower-case hex.
 */
#ifndef MUNKEY_API_TRACE_H
#define MUNKEY_API_TRACE_H

enum { TRACE_ID_SIZE = 33, SPAN_ID_SIZE = 17 };

struct trace {
    char id[TRACE_ID_SIZE];  /* the caller's, or new */
    char span[SPAN_ID_SIZE]; /* ours */
};

void trace_begin(const char *traceparent, struct trace *ret_trace);

#endif

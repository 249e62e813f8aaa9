/* SPDX-License-Identifier: Apache-2.0 */
/* Request headers: what we read of them, and what makes a request ambiguous.
 *
 *     headers_add(&headers, "Content-Length", "12");        for each, as it came
 *     if ((status = headers_check(&headers, "HTTP/1.1")))
 *         ... 4xx, err_why() says why, and the connection closes
 *
 * libmicrohttpd 0.9.75 accepts two Content-Length headers, Content-Length beside
 * Transfer-Encoding, `Content-Length :` and two Host headers.  Wherever it and a proxy
 * could disagree about where a request ends, we refuse.
 */
#ifndef MUNKEY_API_HEADERS_H
#define MUNKEY_API_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

/* Says why, as fail() does, and yields a status. */
#define refuse(status, ...) ((void)fail(MK_EINPUT, __VA_ARGS__), (unsigned)(status))

enum { MEDIA_MAX = 64 };

enum header_name {
    HEADER_HOST,
    HEADER_CONTENT_LENGTH,
    HEADER_TRANSFER_ENCODING,
    HEADER_CONTENT_ENCODING,
    HEADER_CONTENT_TYPE,
    HEADER_AUTHORIZATION,
    HEADER_IDEMPOTENCY_KEY,
    HEADER_JSON_LENGTH, /* of the Open Inference Protocol */
    HEADER_IF_NONE_MATCH,
    HEADER_EXPECT,
    HEADER_TRACEPARENT,
    HEADER_NAMES
};

struct headers {
    struct {
        const char *value; /* borrowed from the connection; the last one */
        unsigned count;
    } field[HEADER_NAMES];
    bool bad_name;         /* a field name that is no token (RFC 9110, 5.1) */
    size_t content_length; /* set by headers_check() */
    bool chunked;
    char media[MEDIA_MAX]; /* of Content-Type: lower case, without parameters; or "" */
};

void headers_add(struct headers *headers, const char *name, const char *value);

/* 0, or a status: 400, or 415 for a coded body. */
unsigned headers_check(struct headers *headers, const char *version);

#endif

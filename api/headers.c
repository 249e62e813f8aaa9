/* SPDX-License-Identifier: Apache-2.0 */
/* Request headers: one reading of a request, or none. */
#include "api/headers.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const names[HEADER_NAMES] = {
    [HEADER_HOST] = "Host",
    [HEADER_CONTENT_LENGTH] = "Content-Length",
    [HEADER_TRANSFER_ENCODING] = "Transfer-Encoding",
    [HEADER_CONTENT_ENCODING] = "Content-Encoding",
    [HEADER_CONTENT_TYPE] = "Content-Type",
    [HEADER_AUTHORIZATION] = "Authorization",
    [HEADER_IDEMPOTENCY_KEY] = "Idempotency-Key",
    [HEADER_JSON_LENGTH] = "Inference-Header-Content-Length",
    [HEADER_IF_NONE_MATCH] = "If-None-Match",
    [HEADER_EXPECT] = "Expect",
    [HEADER_TRACEPARENT] = "traceparent",
};

/* RFC 9110, 5.6.2: token = 1*tchar. */
static bool is_token(const char *name)
{
    if (!*name)
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && !strchr("!#$%&'*+-.^_`|~", *name))
            return false;
    return true;
}

void headers_add(struct headers *headers, const char *name, const char *value)
{
    if (!is_token(name))
        headers->bad_name = true;
    for (int i = 0; i < HEADER_NAMES; i++)
        if (strcasecmp(name, names[i]) == 0) {
            headers->field[i].value = value ? value : "";
            headers->field[i].count++;
        }
}

/* RFC 9112, 6.3: "a message with multiple Content-Length ... or an invalid value" is an
 * unrecoverable error. */
static unsigned check_length(struct headers *headers)
{
    const char *value = headers->field[HEADER_CONTENT_LENGTH].value;
    if (!value)
        return 0;
    if (!*value || strlen(value) > 15 || value[strspn(value, "0123456789")])
        return refuse(400, "Content-Length has to be digits alone");
    headers->content_length = strtoull(value, NULL, 10);
    return 0;
}

static unsigned check_coding(struct headers *headers, bool old)
{
    const char *coding = headers->field[HEADER_TRANSFER_ENCODING].value;
    if (headers->field[HEADER_CONTENT_ENCODING].count)
        return refuse(415, "Content-Encoding is not read here: send the body as it is");
    if (!coding)
        return 0;
    if (headers->field[HEADER_CONTENT_LENGTH].count)
        return refuse(400,
                      "Content-Length and Transfer-Encoding together: send one of them");
    if (strcasecmp(coding, "chunked") != 0 || old)
        return refuse(400,
                      "the only Transfer-Encoding is `chunked`, and only in HTTP/1.1");
    headers->chunked = true;
    return 0;
}

static unsigned check_media(struct headers *headers)
{
    const char *type = headers->field[HEADER_CONTENT_TYPE].value;
    size_t len = type ? strcspn(type, "; \t") : 0;
    if (len >= MEDIA_MAX)
        return refuse(415, "Content-Type names no media type that is read here");
    for (size_t i = 0; i < len; i++)
        headers->media[i] = (char)tolower((unsigned char)type[i]);
    headers->media[len] = '\0';
    return 0;
}

unsigned headers_check(struct headers *headers, const char *version)
{
    bool old = strcmp(version, "HTTP/1.0") == 0;
    unsigned status;
    if (!old && strcmp(version, "HTTP/1.1") != 0)
        return refuse(400, "HTTP/1.1 and HTTP/1.0 are spoken here");
    if (headers->bad_name)
        return refuse(
            400, "a header's name is not a token: no space may stand before the colon");
    for (int i = 0; i < HEADER_NAMES; i++)
        if (headers->field[i].count > 1 && i != HEADER_TRACEPARENT)
            return refuse(400, "more than one %s header", names[i]);
    if (!old && headers->field[HEADER_HOST].count == 0)
        return refuse(400, "the Host header is missing");
    if ((status = check_length(headers)) || (status = check_coding(headers, old)))
        return status;
    return check_media(headers);
}

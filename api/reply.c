/* SPDX-License-Identifier: Apache-2.0 */
/* Replies: bytes with a status, wiped when they have been sent. */
#include "api/handler.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"

struct blob *blob_new(size_t len)
{
    struct blob *blob = calloc(1, sizeof *blob + len + 1);
    if (blob)
        blob->len = len;
    return blob;
}

void blob_free(void *data)
{
    struct blob *blob = data;
    if (blob)
        explicit_bzero(blob->data, blob->len);
    free(blob);
}

static int set_body(struct reply *reply, unsigned status, const char *media, size_t len)
{
    if (!(reply->body = blob_new(len)))
        return fail(MK_ENOMEM, "no memory for a reply of %zu bytes", len);
    reply->status = status;
    reply->media = media;
    return 0;
}

/* 9 significant digits give a float back bit for bit: equal predictions are equal bytes.
 */
enum { JSON_FORM = JSON_COMPACT | JSON_REAL_PRECISION(9) };

int line_json(json_t *json_take, struct blob **ret_line)
{
    json_auto_t *json = json_take;
    size_t len = json ? json_dumpb(json, NULL, 0, JSON_FORM) : 0;
    struct blob *line = len > 0 ? blob_new(len + 1) : NULL;
    if (!line)
        return fail(MK_ENOMEM, "no memory for a JSON reply");
    json_dumpb(json, line->data, len, JSON_FORM);
    line->data[len] = '\n';
    *ret_line = line;
    return 0;
}

int reply_json(struct reply *reply, unsigned status, json_t *json_take)
{
    int rc = line_json(json_take, &reply->body);
    if (rc < 0)
        return rc;
    reply->status = status;
    reply->media = "application/json";
    return 0;
}

int reply_lines(struct reply *reply, struct blob **line, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += line[i]->len;
    int rc = set_body(reply, 200, "application/x-ndjson", len);
    if (rc < 0)
        return rc;
    char *end = reply->body->data;
    for (size_t i = 0; i < n; i++) {
        end = mempcpy(end, line[i]->data, line[i]->len);
        blob_free(line[i]);
        line[i] = NULL;
    }
    return 0;
}

int reply_bytes(struct reply *reply, unsigned status, const char *media,
                const void *bytes, size_t len)
{
    int rc = set_body(reply, status, media, len);
    if (rc == 0)
        memcpy(reply->body->data, bytes, len);
    return rc;
}

int reply_text(struct reply *reply, unsigned status, const char *media, const char *text)
{
    return reply_bytes(reply, status, media, text, strlen(text));
}

int reply_header(struct reply *reply, const char *name, const char *format, ...)
{
    va_list arguments;
    char *value;
    va_start(arguments, format);
    int len = vasprintf(&value, format, arguments);
    va_end(arguments);
    if (len < 0)
        return fail(MK_ENOMEM, "no memory for a reply's header");
    reply->header[reply->headers].name = name;
    reply->header[reply->headers++].value = value;
    return 0;
}

void reply_done(struct reply *reply)
{
    if (reply->locked)
        memory_unlock_shared(reply->locked);
    for (size_t i = 0; i < reply->headers; i++) {
        explicit_bzero(reply->header[i].value, strlen(reply->header[i].value));
        free(reply->header[i].value);
    }
    blob_free(reply->body);
    *reply = (struct reply){0};
}

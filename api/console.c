/* SPDX-License-Identifier: Apache-2.0 */
/* The console: one page and its files, which stand in api/console/ and are built in.  It asks
 * the other routes, from the browser, for whatever it shows. */
#include <stdio.h>
#include <string.h>

#include "api/console_files.h" /* files[]: made by the Makefile */
#include "api/routes.h"
#include "core/err.h"
#include "storage/crypto.h"
#include "storage/encode.h"

/* Nothing but this server's own files, nothing inline, no text that becomes code, and no other
 * page around it. */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

static const char *media_of(const char *name)
{
    static const char *const media[][2] = {{".html", "text/html; charset=utf-8"},
                                           {".css", "text/css; charset=utf-8"},
                                           {".js", "text/javascript; charset=utf-8"},
                                           {".svg", "image/svg+xml"}};
    for (size_t i = 0; i < sizeof media / sizeof *media; i++)
        if (strcmp(strrchr(name, '.'), media[i][0]) == 0)
            return media[i][1];
    return "application/octet-stream";
}

/* RFC 9110, 8.8.3: a strong validator, of the bytes. */
static void make_tag(const struct file *file,
                     char ret_tag[static HEX_SIZE(SHA256_SIZE) + 2])
{
    uint8_t digest[SHA256_SIZE];
    char hex[HEX_SIZE(SHA256_SIZE)];
    crypto_sha256(file->text, file->len, digest);
    hex_encode(digest, sizeof digest, hex);
    snprintf(ret_tag, sizeof hex + 2, "\"%s\"", hex);
}

static int reply_headers(struct reply *reply, const char *tag)
{
    static const char *const headers[][2] = {
        {"Content-Security-Policy", policy},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"}};
    int rc = reply_header(reply, "ETag", "%s", tag);
    for (size_t i = 0; rc == 0 && i < sizeof headers / sizeof *headers; i++)
        rc = reply_header(reply, headers[i][0], "%s", headers[i][1]);
    return rc;
}

/* A browser asks each time whether its copy is still the one: no two releases are mixed. */
static int send_file(const struct request *request, const struct file *file,
                     struct reply *reply)
{
    char tag[HEX_SIZE(SHA256_SIZE) + 2];
    make_tag(file, tag);
    bool has = request->if_none_match && strstr(request->if_none_match, tag);
    int rc = reply_bytes(reply, has ? 304 : 200, media_of(file->name), file->text,
                         has ? 0 : file->len);
    reply->cache = "no-cache";
    return rc < 0 ? rc : reply_headers(reply, tag);
}

static int send_named(const struct request *request, const char *name,
                      struct reply *reply)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strcmp(files[i].name, name) == 0)
            return send_file(request, &files[i], reply);
    return fail(MK_ENOTFOUND, "the console has no such file");
}

int console_get(struct request *request, struct reply *ret_reply)
{
    return send_named(request, "index.html", ret_reply);
}

int console_file_get(struct request *request, struct reply *ret_reply)
{
    return send_named(request, request->target->segment[1].data, ret_reply);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One request to the running daemon: HTTP/1.1 over a unix socket, a connection each. */
#include "daemon/control.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/err.h"

enum { REPLY_MAX = 1 << 20 };

static int dial(const char *folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd, len;

    len = snprintf(address.sun_path, sizeof address.sun_path, "%s/control.sock", folder);
    if (len >= (int)sizeof address.sun_path)
        return fail(MK_EINPUT, "%s/control.sock is too long for the address of a socket",
                    folder);
    if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
        return fail(MK_EIO, "no socket: %m");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        const int err = errno;
        close(fd);
        errno = err;
        if (err == ENOENT || err == ECONNREFUSED)
            return fail(MK_ENOTFOUND, "no munkeyd runs on the state folder %s", folder);
        return fail(MK_EIO, "cannot reach %s: %m", address.sun_path);
    }
    return fd;
}

/* Reads until the daemon closes: every request asks it to. */
static int read_reply(int fd, char *reply)
{
    size_t len = 0;
    ssize_t n;

    while ((n = recv(fd, reply + len, REPLY_MAX - len, 0)) != 0) {
        if (n < 0 && errno != EINTR)
            return fail(MK_EIO, "the daemon broke off: %m");
        len += n > 0 ? n : 0;
        if (len == REPLY_MAX)
            return fail(MK_ETOOBIG, "the daemon's reply is longer than %d bytes",
                        REPLY_MAX);
    }
    reply[len] = '\0';
    return 0;
}

static int parse_reply(const char *reply, int *ret_status, char **ret_body)
{
    const char *body = strstr(reply, "\r\n\r\n");
    int status;

    if (!body || sscanf(reply, "HTTP/1.%*1d %3d", &status) != 1)
        return fail(MK_EIO, "what the daemon replied is not HTTP");
    if (!(*ret_body = strdup(body + 4)))
        return fail(MK_ENOMEM, "no memory for the daemon's reply");
    *ret_status = status;
    return 0;
}

static int converse(int fd, const char *method, const char *target, const char *json,
                    char *reply)
{
    if (dprintf(fd,
                "%s %s HTTP/1.1\r\nHost: munkeyd\r\n%sContent-Length: %zu\r\n"
                "Connection: close\r\n\r\n%s",
                method, target, json ? "Content-Type: application/json\r\n" : "",
                json ? strlen(json) : 0, json ? json : "") < 0)
        return fail(MK_EIO, "cannot write to the daemon: %m");
    return read_reply(fd, reply);
}

/* The sentence of a problem document. */
static int check(int status, const char *body)
{
    json_auto_t *json = NULL;
    const char *detail;

    if (status / 100 == 2)
        return 0;
    json = json_loads(body, 0, NULL);
    detail = json_string_value(json_object_get(json, "detail"));
    return fail(status / 100 == 4 ? MK_EINPUT : MK_EIO, "%s",
                detail ? detail : "the daemon refuses without saying why");
}

int control_request(const char *folder, const char *method, const char *target,
                    const char *json, char **ret_body)
{
    char *reply = malloc(REPLY_MAX), *body = NULL;
    int fd, rc, status;

    if (!reply)
        return fail(MK_ENOMEM, "no memory for the daemon's reply");
    if ((rc = fd = dial(folder)) >= 0) {
        if ((rc = converse(fd, method, target, json, reply)) == 0)
            rc = parse_reply(reply, &status, &body);
        close(fd);
    }
    free(reply);
    if (rc == 0)
        rc = check(status, body);
    if (rc == 0)
        *ret_body = body; /* transferred */
    else
        free(body);
    return rc;
}

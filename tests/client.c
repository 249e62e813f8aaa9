/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP client over raw sockets: a connection for each request. */
#include "tests/client.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REPLY_MAX = 1 << 20 };

static int connect_to(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool send_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

static bool send_request(int fd, const struct client *client, const struct ask *ask)
{
    char head[1024];
    size_t body = ask->body ? strlen(ask->body) : 0;
    int len =
        snprintf(head, sizeof head,
                 "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                 "Authorization: Bearer %s\r\n%s%s%sContent-Type: %s\r\n"
                 "Content-Length: %zu\r\n\r\n",
                 ask->method, ask->target, client->token,
                 ask->key ? "Idempotency-Key: " : "", ask->key ? ask->key : "",
                 ask->key ? "\r\n" : "", ask->type ? ask->type : "text/plain", body);
    return send_all(fd, head, (size_t)len) && send_all(fd, ask->body, body);
}

/* Until the connection ends; NUL-terminated, the caller frees. */
static char *receive_all(int fd)
{
    size_t len = 0;
    ssize_t n;
    char *text = malloc(REPLY_MAX + 1);
    while (text && (n = recv(fd, text + len, REPLY_MAX - len, 0)) > 0)
        len += (size_t)n;
    if (text)
        text[len] = '\0';
    return text;
}

/* A body that is shorter than announced was cut off. */
static bool parse(const char *text, struct reply *ret_reply)
{
    struct reply reply = {0};
    size_t length = 0;
    const char *end = strstr(text, "\r\n\r\n");
    const char *announced = strcasestr(text, "\r\nContent-Length:");
    if (!end || !announced || announced > end ||
        sscanf(text, "HTTP/1.1 %d", &reply.status) != 1 ||
        sscanf(announced + 2, "%*[^:]: %zu", &length) != 1 || strlen(end + 4) != length)
        return false;
    reply.body = strdup(end + 4);
    *ret_reply = reply;
    return reply.body != NULL;
}

bool client_ask(const struct client *client, const struct ask *ask,
                struct reply *ret_reply)
{
    int fd = connect_to(client->port);
    if (fd < 0)
        return false;
    char *text = send_request(fd, client, ask) ? receive_all(fd) : NULL;
    bool whole = text && parse(text, ret_reply);
    free(text);
    close(fd);
    return whole;
}

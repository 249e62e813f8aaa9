/* SPDX-License-Identifier: Apache-2.0 */
/* A served replica, and clients of it. */
#include "tests/served.h"

#include <arpa/inet.h>
#include <signal.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "api/tls.h"
#include "tests/check.h"

static void serve(struct served *s, unsigned threads)
{
    const struct http_options options = {
        .address = "127.0.0.1", .listen_fd = -1, .predict_threads = threads};
    assert_ok(http_start(&options, &s->service, &s->http));
}

void served_start(struct served *s, const struct shipped *shipped, unsigned threads)
{
    char id[17];
    memset(s, 0, sizeof *s);
    assert_ok(replica_new(&s->replica, shipped));
    replica_close(&s->replica);
    s->replica.options.scrub = http_wipe;
    s->replica.options.scrub_context = &s->service;
    assert_ok(replica_open(&s->replica));
    assert_ok(tokens_add(s->replica.folder, SCOPE_ALL, 0, id, s->token));
    s->service.model = shipped->model;
    memcpy(s->service.model_sha256, shipped->sha256, sizeof shipped->sha256);
    s->service.bank = s->replica.bank;
    s->service.state = s->replica.state;
    s->service.limits = (struct limits){.predict_body = 8 << 20,
                                        .json_body = 1 << 20,
                                        .batch = 256,
                                        .image_side = 4096,
                                        .image_pixels = 1 << 24,
                                        .queue = 1000,
                                        .connections = 100,
                                        .connections_per_ip = 100,
                                        .request_seconds = 60,
                                        .idle_seconds = 60};
    assert_ok(tokens_open(s->replica.folder, &s->service.tokens));
    serve(s, threads);
    s->recorded = recorded_new(s->service.openapi);
}

void served_again(struct served *s, unsigned threads)
{
    http_stop(s->http);
    s->service.draining = false;
    serve(s, threads);
}

void served_encrypt(struct served *s, unsigned threads)
{
    char command[512], certificate[160], key[160];
    snprintf(certificate, sizeof certificate, "%s/tls.pem", s->replica.folder);
    snprintf(key, sizeof key, "%s/tls.key", s->replica.folder);
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey ed25519 -nodes -subj /CN=localhost -out %s "
             "-keyout %s 2>/dev/null",
             certificate, key);
    assert_int_equal(system(command), 0);
    assert_ok(tls_open(certificate, key, &s->service.tls));
    unlink(certificate);
    unlink(key);
    s->tls = SSL_CTX_new(TLS_client_method());
    signal(SIGPIPE, SIG_IGN);
    served_again(s, threads);
}

void served_stop(struct served *s)
{
    http_stop(s->http);
    tls_close(s->service.tls);
    SSL_CTX_free(s->tls);
    tokens_close(s->service.tokens);
    replica_remove(&s->replica);
    recorded_check(s->recorded);
}

static void die(const char *what)
{
    fprintf(stderr, "client: %s: %m\n", what);
    abort();
}

static void dial(struct client *client)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(http_port(client->served->http)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int yes = 1;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(client->fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes);
    if (connect(client->fd, (const struct sockaddr *)&to, sizeof to) < 0)
        die("connect");
    if (!client->served->tls)
        return;
    client->ssl = SSL_new(client->served->tls);
    if (SSL_set_fd(client->ssl, client->fd) != 1 || SSL_connect(client->ssl) != 1)
        die("speak TLS");
}

void client_open(struct client *client, const struct served *s)
{
    *client = (struct client){.served = s, .fd = -1};
    dial(client);
}

void client_close(struct client *client)
{
    SSL_free(client->ssl);
    client->ssl = NULL;
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
}

static void send_all(const struct client *client, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = client->ssl ? SSL_write(client->ssl, bytes, (int)len)
                                   : send(client->fd, bytes, len, MSG_NOSIGNAL);
        if (sent <= 0)
            die("send");
        bytes += sent;
        len -= (size_t)sent;
    }
}

/* The value of a header of the reply, or NULL. */
static const char *header(const char *reply, const char *name)
{
    const char *line = strstr(reply, name);
    return line ? line + strlen(name) : NULL;
}

/* Some bytes; notes when the kernel had them, which is before this thread was woken. */
static size_t receive_some(struct client *client, char *to, size_t room)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct timespec))];
    } control;
    struct iovec into = {to, room};
    struct msghdr message = {.msg_iov = &into,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t got = recvmsg(client->fd, &message, client->ssl ? MSG_PEEK : 0);
    const struct cmsghdr *stamp = CMSG_FIRSTHDR(&message);
    struct timespec t;
    if (got <= 0)
        die("receive");
    clock_gettime(CLOCK_REALTIME,
                  &t); /* the kernel begins to stamp a little later than asked */
    if (stamp && stamp->cmsg_type == SCM_TIMESTAMPNS)
        memcpy(&t, CMSG_DATA(stamp), sizeof t);
    client->arrived = t.tv_sec * 1000000000 + t.tv_nsec;
    if (client->ssl && (got = SSL_read(client->ssl, to, (int)room)) <= 0)
        die("receive");
    return (size_t)got;
}

/* The whole reply, NUL-terminated; the caller frees. */
static char *receive(struct client *client, size_t *ret_len)
{
    size_t room = 1 << 20, len = 0;
    client->began = 0;
    char *reply = calloc(1, room + 1), *end;
    for (;;) {
        len += receive_some(client, reply + len, room - len);
        reply[len] = '\0';
        if (!client->began)
            client->began = client->arrived;
        const char *length = header(reply, "Content-Length: ");
        if ((end = strstr(reply, "\r\n\r\n")) && length &&
            reply + len >= end + 4 + strtoul(length, NULL, 10)) {
            *ret_len = len;
            return reply;
        }
    }
}

json_t *client_call(struct client *client, const char *method, const char *target,
                    const char *media, const void *body, size_t len, unsigned status)
{
    char head[1024];
    if (client->fd < 0)
        dial(client);
    int n = snprintf(head, sizeof head,
                     "%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
                     "%s%s%sContent-Length: %zu\r\n\r\n",
                     method, target, client->served->token, body ? "Content-Type: " : "",
                     body ? media : "", body ? "\r\n" : "", body ? len : 0);
    send_all(client, head, (size_t)n);
    if (body)
        send_all(client, body, len);
    char *reply = receive(client, &len);
    recorded_add(client->served->recorded, method, target, reply, len);
    if (strtoul(reply + strlen("HTTP/1.1 "), NULL, 10) != status) {
        fprintf(stderr, "%s\n", reply);
        die(target);
    }
    if (header(reply, "Connection: close"))
        client_close(client);
    json_t *json = json_loads(strstr(reply, "\r\n\r\n") + 4, 0, NULL);
    free(reply);
    return json;
}

static json_t *json_of(const uint8_t *pixels)
{
    json_t *input = json_array();
    for (size_t i = 0; i < IMAGE_SIZE; i++)
        json_array_append_new(input, json_integer(pixels[i]));
    return input;
}

static char *dump(json_t *json_take)
{
    char *text = json_dumps(json_take, JSON_COMPACT);
    json_decref(json_take);
    return text;
}

char *predict_body(const uint8_t *const *pixels, size_t n)
{
    json_t *inputs = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(inputs, json_of(pixels[i]));
    return dump(json_pack("{s:i, s:o}", "top_k", 10, "inputs", inputs));
}

char *enrol_body(const uint8_t *const *pixels, size_t n, uint32_t label)
{
    json_t *instances = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(instances,
                              json_pack("{s:o, s:I}", "input", json_of(pixels[i]),
                                        "label", (json_int_t)label));
    return dump(json_pack("{s:o}", "instances", instances));
}

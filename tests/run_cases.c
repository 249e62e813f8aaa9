/* SPDX-License-Identifier: Apache-2.0 */
/* Runs tests/cases/<what-is-wrong>/ against a server: sends `request`, expects `status`
 * and, in a problem document, the sentence of `reply`, and that nothing changed.
 *
 *     run_cases FOLDER PORT TOKEN...                TOKEN: name=value
 *     run_cases FOLDER tls:PORT TOKEN...            over TLS, where a 408 is a bare end
 *
 * In `request` the lines of the header end as HTTP wants them; behind the first empty
 * line come the body's bytes, or those of the file `body`.  {name} is a token, {length}
 * the body's length, {NUMBER*x} the character x so many times, and \xNN a byte.  Writes
 * TAP.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { BYTES_MAX = 1 << 20, PATIENCE_SECONDS = 20 };

struct bytes {
    char *data; /* NUL-terminated */
    size_t len;
};

struct runner {
    const char *folder;
    uint16_t port;
    SSL_CTX *tls;  /* NULL: without */
    char **tokens; /* name=value, NULL-terminated */
};

struct line {
    int fd;
    SSL *ssl; /* NULL: plain */
};

static void die(const char *what, const char *name)
{
    printf("Bail out! %s %s: %s\n", what, name, strerror(errno));
    exit(99);
}

static void append(struct bytes *bytes, const char *data, size_t len)
{
    if (!bytes->data && !(bytes->data = calloc(1, BYTES_MAX + 1)))
        die("allocate", "bytes");
    if (len > BYTES_MAX - bytes->len)
        die("too large", "request");
    memcpy(bytes->data + bytes->len, data, len);
    bytes->len += len;
    bytes->data[bytes->len] = '\0';
}

/* A file of a case; no data when there is none. */
static struct bytes read_file(const struct runner *runner, const char *name,
                              const char *file)
{
    char path[4096];
    struct bytes bytes = {0};
    snprintf(path, sizeof path, "%s/%s/%s", runner->folder, name, file);
    FILE *stream = fopen(path, "rb");
    if (!stream)
        return bytes;
    append(&bytes, "", 0);
    bytes.len = fread(bytes.data, 1, BYTES_MAX, stream);
    bytes.data[bytes.len] = '\0';
    fclose(stream);
    return bytes;
}

/* The value of {name}, or NULL. */
static const char *token(const struct runner *runner, const char *name, size_t len)
{
    for (char **entry = runner->tokens; *entry; entry++)
        if (strncmp(*entry, name, len) == 0 && (*entry)[len] == '=')
            return *entry + len + 1;
    return NULL;
}

/* What {...} stands for, appended; false: it stands for itself. */
static bool expand(const struct runner *runner, const char *inside, size_t len,
                   size_t body_len, struct bytes *out)
{
    char text[32], *star;
    const char *value = token(runner, inside, len);
    long times = strtol(inside, &star, 10);
    if (value) {
        append(out, value, strlen(value));
    } else if (len == 6 && memcmp(inside, "length", 6) == 0) {
        append(out, text, (size_t)snprintf(text, sizeof text, "%zu", body_len));
    } else if (times > 0 && star == inside + len - 2 && *star == '*') {
        while (times-- > 0)
            append(out, star + 1, 1);
    } else {
        return false;
    }
    return true;
}

/* Expands placeholders and \xNN; in a header every newline becomes CR LF. */
static struct bytes render(const struct runner *runner, const char *text, size_t len,
                           bool header, size_t body_len)
{
    struct bytes out = {0};
    append(&out, "", 0);
    for (const char *p = text, *end = text + len; p < end; p++) {
        const char *close = *p == '{' ? memchr(p, '}', (size_t)(end - p)) : NULL;
        char byte;
        if (close && expand(runner, p + 1, (size_t)(close - p - 1), body_len, &out)) {
            p = close;
        } else if (p[0] == '\\' && p[1] == 'x') {
            byte = (char)strtol((char[]){p[2], p[3], '\0'}, NULL, 16);
            append(&out, &byte, 1);
            p += 3;
        } else if (header && *p == '\n') {
            append(&out, "\r\n", 2);
        } else {
            append(&out, p, 1);
        }
    }
    return out;
}

static struct bytes read_request(const struct runner *runner, const char *name)
{
    struct bytes raw = read_file(runner, name, "request"),
                 body = read_file(runner, name, "body");
    if (!raw.data)
        die("no request in", name);
    char *gap = memmem(raw.data, raw.len, "\n\n", 2);
    size_t head = gap ? (size_t)(gap - raw.data) + 2 : raw.len;
    if (!body.data) {
        /* the newline that ends a text file is not part of the body */
        size_t rest = raw.len - head;
        rest -= rest > 0 && raw.data[raw.len - 1] == '\n';
        body = render(runner, raw.data + head, rest, false, 0);
    }
    struct bytes request = render(runner, raw.data, head, true, body.len);
    append(&request, body.data, body.len);
    free(raw.data);
    free(body.data);
    return request;
}

static struct line connect_to(const struct runner *runner)
{
    struct line line = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(runner->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    if (line.fd < 0 || connect(line.fd, (struct sockaddr *)&address, sizeof address) < 0)
        die("connect to", "the server");
    setsockopt(line.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(line.fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (!runner->tls)
        return line;
    if (!(line.ssl = SSL_new(runner->tls)) || SSL_set_fd(line.ssl, line.fd) != 1 ||
        SSL_connect(line.ssl) != 1)
        die("speak TLS with", "the server");
    return line;
}

static ssize_t say(const struct line *line, const char *bytes, size_t len)
{
    return line->ssl ? SSL_write(line->ssl, bytes, (int)len)
                     : send(line->fd, bytes, len, MSG_NOSIGNAL);
}

static ssize_t hear(const struct line *line, char *bytes, size_t len)
{
    return line->ssl ? SSL_read(line->ssl, bytes, (int)len)
                     : recv(line->fd, bytes, len, 0);
}

/* Everything that comes until the server closes. */
static struct bytes talk(const struct runner *runner, struct bytes request)
{
    struct line line = connect_to(runner);
    struct bytes reply = {0};
    char buffer[4096];
    ssize_t n;
    append(&reply, "", 0);
    for (size_t sent = 0; sent < request.len; sent += (size_t)n)
        if ((n = say(&line, request.data + sent, request.len - sent)) <= 0)
            break; /* refused before it was all sent */
    while ((n = hear(&line, buffer, sizeof buffer)) > 0)
        append(&reply, buffer, (size_t)n);
    SSL_free(line.ssl);
    close(line.fd);
    return reply;
}

/* The server ends what takes a second to send, which a busy machine may need: asked again. */
static struct bytes ask_patiently(const struct runner *runner, struct bytes request)
{
    struct bytes reply = talk(runner, request);
    for (int i = 0; i < 9 && reply.len == 0; i++) {
        free(reply.data);
        reply = talk(runner, request);
    }
    return reply;
}

/* What a change would change: the memory's digest and the size of the log. */
static struct bytes fingerprint(const struct runner *runner)
{
    static const char text[] = "GET /memory/digest HTTP/1.1\nHost: localhost\n"
                               "Authorization: Bearer {all}\nConnection: close\n\n";
    struct bytes request = render(runner, text, strlen(text), true, 0);
    struct bytes reply = ask_patiently(runner, request);
    char *body = strstr(reply.data, "\r\n\r\n");
    if (!body || strncmp(reply.data, "HTTP/1.1 200", 12) != 0) {
        reply.data[strcspn(reply.data, "\r\n")] = '\0';
        die("no digest from the server, but", *reply.data ? reply.data : "nothing");
    }
    memmove(reply.data, body, strlen(body) + 1);
    free(request.data);
    return reply;
}

/* NULL, or what is wrong with the reply. */
static const char *judge(const struct bytes *reply, const char *status,
                         const char *sentence)
{
    char line[32];
    snprintf(line, sizeof line, "HTTP/1.1 %.3s ", status);
    if (strncmp(reply->data, line, strlen(line)) != 0)
        return "another status";
    if (strstr(reply->data + 1, "\nHTTP/1."))
        return "more than one reply";
    if (!strcasestr(reply->data, "\r\nContent-Type: application/problem+json\r\n"))
        return "no problem document";
    if (!strcasestr(reply->data, "\r\nConnection: close\r\n"))
        return "the connection stays open";
    if (!strstr(reply->data, sentence))
        return "another sentence";
    if (strcasestr(reply->data, "alice"))
        return "the subject is repeated";
    return NULL;
}

static void cut_newline(struct bytes *text)
{
    if (text->len && text->data[text->len - 1] == '\n')
        text->data[--text->len] = '\0';
}

static bool run_case(const struct runner *runner, const char *name, int number)
{
    struct bytes status = read_file(runner, name, "status");
    struct bytes sentence = read_file(runner, name, "reply");
    if (!status.data || !sentence.data)
        die("no status or no reply in", name);
    cut_newline(&sentence);
    struct bytes request = read_request(runner, name), before = fingerprint(runner);
    struct bytes reply = talk(runner, request), after = fingerprint(runner);
    bool bare = runner->tls && strncmp(status.data, "408", 3) == 0;
    const char *wrong = bare ? (reply.len ? "a reply in clear" : NULL)
                             : judge(&reply, status.data, sentence.data);
    if (!wrong && strcmp(before.data, after.data) != 0)
        wrong = "something changed";
    printf("%sok %d - %s\n", wrong ? "not " : "", number, name);
    if (wrong)
        printf("# %s; wanted %.3s and: %s\n# came: %s\n", wrong, status.data,
               sentence.data, reply.data);
    struct bytes *all[] = {&status, &sentence, &request, &before, &reply, &after};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free(all[i]->data);
    return !wrong;
}

static int is_case(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: run_cases FOLDER [tls:]PORT token=TOKEN ...\n");
        return 2;
    }
    bool tls = strncmp(argv[2], "tls:", 4) == 0;
    struct runner runner = {argv[1], (uint16_t)atoi(argv[2] + (tls ? 4 : 0)),
                            tls ? SSL_CTX_new(TLS_client_method()) : NULL, argv + 3};
    signal(SIGPIPE, SIG_IGN);
    struct dirent **names;
    bool good = true;
    int n = scandir(runner.folder, &names, is_case, alphasort);
    if (n < 0)
        die("read", runner.folder);
    setlinebuf(stdout);
    printf("1..%d\n", n);
    for (int i = 0; i < n; i++) {
        good &= run_case(&runner, names[i]->d_name, i + 1);
        free(names[i]);
    }
    free(names);
    SSL_CTX_free(runner.tls);
    return !good;
}

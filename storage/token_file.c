/* SPDX-License-Identifier: Apache-2.0 */
/* The file `tokens`: id, SHA-256, scopes and expiry, a token a line. */
#include "storage/token_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "storage/encode.h"

enum { ID_BYTES = 8, LINE_SIZE = 512, SCOPES_SIZE = 128 };

static const char prefix[] = "mkt_"; /* lets secret scanners know one when they see one */

static const struct {
    const char *name;
    enum scope scope;
} scopes[] = {
    {"predict", SCOPE_PREDICT}, {"enroll", SCOPE_ENROLL},     {"erase", SCOPE_ERASE},
    {"access", SCOPE_ACCESS},   {"restrict", SCOPE_RESTRICT}, {"audit", SCOPE_AUDIT},
    {"admin", SCOPE_ADMIN},     {"all", SCOPE_ALL},
};
enum { SCOPES = sizeof scopes / sizeof scopes[0] };

static int fail_file(const char *what)
{
    return fail(MK_EIO, "cannot %s the file tokens: %s", what, strerror(errno));
}

const char *scope_name(enum scope scope)
{
    for (size_t i = 0; i < SCOPES; i++)
        if (scopes[i].scope == scope)
            return scopes[i].name;
    return "none";
}

static unsigned find_scope(const char *name, size_t len)
{
    for (size_t i = 0; i < SCOPES; i++)
        if (strlen(scopes[i].name) == len && memcmp(scopes[i].name, name, len) == 0)
            return scopes[i].scope;
    return SCOPE_NONE;
}

int scopes_parse(const char *text, unsigned *ret_scopes)
{
    unsigned found = 0;
    for (const char *at = text;; at++) {
        size_t len = strcspn(at, ",");
        unsigned scope = find_scope(at, len);
        if (scope == SCOPE_NONE)
            return fail(
                MK_EINPUT,
                "unknown scope \"%.*s\": predict, enroll, erase, access, restrict, "
                "audit, admin, separated by commas, or all",
                len < 32 ? (int)len : 32, at);
        found |= scope;
        at += len;
        if (!*at)
            break;
    }
    *ret_scopes = found;
    return 0;
}

static void scopes_text(unsigned granted, char ret_text[static SCOPES_SIZE])
{
    ret_text[0] = '\0';
    if (granted == SCOPE_ALL) {
        strcpy(ret_text, scope_name(SCOPE_ALL));
        return;
    }
    for (size_t i = 0; i < SCOPES && scopes[i].scope != SCOPE_ALL; i++)
        if (granted & scopes[i].scope) {
            strcat(ret_text, *ret_text ? "," : "");
            strcat(ret_text, scopes[i].name);
        }
}

/* "id sha256 scopes expiry"; the id is for people. */
static int parse_line(const char *line, struct token *ret_token)
{
    struct token token = {0};
    char digest[HEX_SIZE(SHA256_SIZE)], granted[SCOPES_SIZE];
    long long expires;
    int end = 0;
    if (sscanf(line, "%16s %64s %127s %lld %n", token.info.id, digest, granted, &expires,
               &end) != 4 ||
        line[end] != '\0' || expires < 0)
        return fail(MK_EINPUT, "expected id, SHA-256, scopes and expiry (0: never)");
    token.info.expires = expires;
    int rc = hex_decode(digest, strlen(digest), token.digest, SHA256_SIZE);
    if (rc == 0)
        rc = scopes_parse(granted, &token.info.scopes);
    if (rc == 0)
        *ret_token = token;
    return rc;
}

/* Empty lines and lines with # are for people. */
static bool is_remark(const char *line)
{
    return line[0] == '#' || line[strspn(line, " \t\r\n")] == '\0';
}

static int append(struct token_list *list, const struct token *token)
{
    struct token *grown = reallocarray(list->token, list->n + 1, sizeof *grown);
    if (!grown)
        return fail(MK_ENOMEM, "no memory for the tokens");
    grown[list->n++] = *token;
    list->token = grown;
    return 0;
}

static int read_lines(FILE *in, struct token_list *list)
{
    char line[LINE_SIZE];
    for (int number = 1; fgets(line, sizeof line, in); number++) {
        struct token token;
        if (is_remark(line))
            continue;
        if (parse_line(line, &token) < 0) {
            char why[256];
            snprintf(why, sizeof why, "%s", err_why());
            return fail(MK_EINPUT, "tokens, line %d: %s", number, why);
        }
        int rc = append(list, &token);
        if (rc < 0)
            return rc;
    }
    return ferror(in) ? fail_file("read") : 0;
}

/* "folder/name" */
static char *path_of(const char *folder, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* NULL when there is no file. */
static int open_stream(const char *folder, FILE **ret_in)
{
    char *path = path_of(folder, "tokens");
    if (!path)
        return fail(MK_ENOMEM, "no memory for the tokens");
    FILE *in = fopen(path, "re");
    free(path);
    if (!in && errno != ENOENT)
        return fail_file("open");
    *ret_in = in;
    return 0;
}

int token_file_read(const char *folder, struct token_list *ret_list)
{
    FILE *in = NULL;
    int rc = open_stream(folder, &in);
    if (rc < 0)
        return rc;
    struct token_list list = {0};
    rc = in ? read_lines(in, &list) : 0;
    if (in)
        fclose(in);
    if (rc < 0)
        free(list.token);
    else
        *ret_list = list;
    return rc;
}

int tokens_list(const char *folder, struct token_info **ret_list, size_t *ret_n)
{
    struct token_list list;
    int rc = token_file_read(folder, &list);
    if (rc < 0)
        return rc;
    struct token_info *infos = calloc(list.n + 1, sizeof *infos);
    for (size_t i = 0; infos && i < list.n; i++)
        infos[i] = list.token[i].info;
    free(list.token);
    if (!infos)
        return fail(MK_ENOMEM, "no memory for the tokens");
    *ret_list = infos;
    *ret_n = list.n;
    return 0;
}

/* One line, after a newline if an editor has left the last line without one. */
static int append_line(int fd, const char *line)
{
    char text[LINE_SIZE], last = '\n';
    off_t size = lseek(fd, 0, SEEK_END);
    if (size < 0 || (size > 0 && pread(fd, &last, 1, size - 1) != 1))
        return fail_file("read");
    int len = snprintf(text, sizeof text, "%s%s\n", last == '\n' ? "" : "\n", line);
    if (write(fd, text, (size_t)len) != len || fsync(fd) < 0)
        return fail_file("write");
    return 0;
}

static int append_to_file(const char *folder, const char *line)
{
    char *path = path_of(folder, "tokens");
    if (!path)
        return fail(MK_ENOMEM, "no memory for the tokens");
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    int rc = fd < 0 ? fail_file("open") : append_line(fd, line);
    if (fd >= 0)
        close(fd);
    free(path);
    return rc;
}

int tokens_add(const char *folder, unsigned granted, int64_t expires,
               char ret_id[static 17], char ret_token[static 64])
{
    uint8_t id[ID_BYTES], secret[SECRET_SIZE], digest[SHA256_SIZE];
    char id_text[HEX_SIZE(ID_BYTES)], digest_text[HEX_SIZE(SHA256_SIZE)],
        list[SCOPES_SIZE], line[LINE_SIZE / 2];
    char token[sizeof prefix + BASE64URL_SIZE(SECRET_SIZE)];
    if (granted == 0 || granted & ~(unsigned)SCOPE_ALL)
        return fail(MK_EINPUT, "a token grants at least one scope");
    crypto_random(id, sizeof id);
    crypto_random(secret, sizeof secret);
    strcpy(token, prefix);
    base64url_encode(secret, sizeof secret, token + strlen(prefix));
    crypto_sha256(token, strlen(token), digest);
    hex_encode(id, sizeof id, id_text);
    hex_encode(digest, sizeof digest, digest_text);
    scopes_text(granted, list);
    snprintf(line, sizeof line, "%s %s %s %lld", id_text, digest_text, list,
             (long long)expires);
    int rc = append_to_file(folder, line);
    if (rc == 0) {
        strcpy(ret_id, id_text);
        strcpy(ret_token, token);
    }
    crypto_wipe(secret, sizeof secret);
    crypto_wipe(token, sizeof token);
    return rc;
}

/* Copies all lines but the token's; returns how many were left out. */
static int copy_others(FILE *in, FILE *out, const char *id)
{
    char line[LINE_SIZE];
    int left_out = 0;
    while (fgets(line, sizeof line, in)) {
        struct token token;
        if (!is_remark(line) && parse_line(line, &token) == 0 &&
            strcmp(token.info.id, id) == 0)
            left_out++;
        else
            fputs(line, out);
    }
    return ferror(in) ? fail_file("read") : left_out;
}

static int write_others(FILE *in, const char *new_path, const char *id)
{
    int fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    if (!out)
        return fail_file("write");
    int rc = copy_others(in, out, id);
    if (rc == 0)
        rc = fail(MK_ENOTFOUND,
                  "no token has this id; `munkeyctl token list` shows the ids");
    bool bad = fflush(out) != 0 || fsync(fd) < 0;
    bad |= fclose(out) != 0;
    return rc >= 0 && bad ? fail_file("write") : rc;
}

int tokens_revoke(const char *folder, const char *id)
{
    FILE *in = NULL;
    int rc = open_stream(folder, &in);
    if (rc < 0)
        return rc;
    if (!in)
        return fail(MK_ENOTFOUND, "there is no token");
    char *path = path_of(folder, "tokens"), *new_path = path_of(folder, "tokens.new");
    rc = path && new_path ? write_others(in, new_path, id)
                          : fail(MK_ENOMEM, "no memory for the tokens");
    if (rc >= 0)
        rc = rename(new_path, path) < 0 ? fail_file("replace") : 0;
    else if (new_path)
        unlink(new_path);
    free(path);
    free(new_path);
    fclose(in);
    return rc;
}

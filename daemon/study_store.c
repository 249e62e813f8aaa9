/* SPDX-License-Identifier: Apache-2.0 */
/* A study's folder: lines of results, and trained models by the hash of their settings. */
#include "daemon/study_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "daemon/files.h"
#include "storage/crypto.h"

enum { RESULTS_LIMIT = 256 << 20, ABOUT_LIMIT = 1 << 20 };
static const size_t model_limit = (size_t)4 << 30;

struct study_store {
    char folder[STORE_PATH - 128];
    int fd;        /* of results.jsonl, locked */
    json_t *lines; /* by id */
};

/* A last line without its end was being written when the program was killed. */
static int cut_tail(struct study_store *s, const char *text, size_t *len)
{
    size_t whole = *len;
    while (whole > 0 && text[whole - 1] != '\n')
        whole--;
    if (whole < *len && ftruncate(s->fd, (off_t)whole) < 0)
        return fail(MK_EIO, "cannot shorten the results: %m");
    *len = whole;
    return 0;
}

static int take_lines(struct study_store *s, const char *text, size_t len)
{
    json_error_t error;
    size_t number = 1;
    for (size_t at = 0; at < len; number++) {
        size_t end =
            at + (size_t)((const char *)memchr(text + at, '\n', len - at) - (text + at));
        json_t *line = json_loadb(text + at, end - at, 0, &error);
        const char *id = json_string_value(json_object_get(line, "id"));
        if (!id) {
            json_decref(line);
            return fail(MK_EINPUT, "line %zu of the results has no id", number);
        }
        if (json_object_set_new(s->lines, id, line) < 0)
            return fail(MK_ENOMEM, "no memory for results");
        at = end + 1;
    }
    return 0;
}

static int read_lines(struct study_store *s, const char *path)
{
    uint8_t *bytes;
    size_t len;
    int rc = file_read(path, RESULTS_LIMIT, &bytes, &len);
    if (rc < 0)
        return rc;
    rc = cut_tail(s, (const char *)bytes, &len);
    if (rc == 0)
        rc = take_lines(s, (const char *)bytes, len);
    free(bytes);
    return rc;
}

static int open_folder(struct study_store *s, const char *folder)
{
    char path[STORE_PATH];
    if ((size_t)snprintf(s->folder, sizeof s->folder, "%s", folder) >= sizeof s->folder)
        return fail(MK_EINPUT, "the folder's name is too long");
    snprintf(path, sizeof path, "%s/models", folder);
    mkdir(folder, 0777);
    mkdir(path, 0777);
    if (access(path, W_OK) < 0)
        return fail(MK_EIO, "cannot write in %s: %m", path);
    snprintf(path, sizeof path, "%s/results.jsonl", folder);
    s->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (s->fd < 0)
        return fail(MK_EIO, "cannot open %s: %m", path);
    if (flock(s->fd, LOCK_EX | LOCK_NB) < 0)
        return fail(MK_ECONFLICT, "another munkey-eval works in %s", folder);
    return read_lines(s, path);
}

int study_store_open(const char *folder, struct study_store **ret_store)
{
    struct study_store *s = calloc(1, sizeof *s);
    if (!s || !(s->lines = json_object())) {
        free(s);
        return fail(MK_ENOMEM, "no memory for a study");
    }
    s->fd = -1;
    int rc = open_folder(s, folder);
    if (rc < 0)
        study_store_close(s);
    else
        *ret_store = s;
    return rc;
}

void study_store_close(struct study_store *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    json_decref(s->lines);
    free(s);
}

const json_t *study_store_line(const struct study_store *s, const char *id)
{
    return json_object_get(s->lines, id);
}

size_t study_store_lines(const struct study_store *s)
{
    return json_object_size(s->lines);
}

const json_t *study_store_next(const struct study_store *s, const char *kind, void **at)
{
    while (
        (*at = *at ? json_object_iter_next(s->lines, *at) : json_object_iter(s->lines))) {
        const json_t *line = json_object_iter_value(*at);
        const char *its = json_string_value(json_object_get(line, "kind"));
        if (its && strcmp(its, kind) == 0)
            return line;
    }
    return NULL;
}

static int write_line(struct study_store *s, char *text)
{
    size_t len = strlen(text);
    text[len] = '\n'; /* in place of the NUL, so that a line is one write */
    if (write(s->fd, text, len + 1) != (ssize_t)len + 1 || fdatasync(s->fd) < 0)
        return fail(MK_EIO, "cannot write the results: %m");
    return 0;
}

int study_store_append(struct study_store *s, const char *id, json_t *line_take)
{
    json_object_set_new(line_take, "id", json_string(id));
    json_object_set_new(line_take, "time", json_integer(time(NULL)));
    char *text = json_dumps(line_take, JSON_COMPACT | JSON_REAL_PRECISION(9));
    int rc = text && json_object_set(s->lines, id, line_take) == 0
                 ? write_line(s, text)
                 : fail(MK_ENOMEM, "no memory for a line of results");
    free(text);
    json_decref(line_take);
    return rc;
}

void study_store_name(const json_t *settings, char ret_hex[static SETTINGS_HEX])
{
    uint8_t digest[SHA256_SIZE];
    char *text = json_dumps(settings, JSON_COMPACT | JSON_SORT_KEYS);
    crypto_sha256(text ? text : "", text ? strlen(text) : 0, digest);
    for (int i = 0; i < SHA256_SIZE; i++)
        sprintf(ret_hex + 2 * i, "%02x", digest[i]);
    free(text);
}

static void path_of(const struct study_store *s, const json_t *settings, const char *end,
                    char path[static STORE_PATH])
{
    char hex[SETTINGS_HEX];
    study_store_name(settings, hex);
    snprintf(path, STORE_PATH, "%s/models/%s.%s", s->folder, hex, end);
}

int study_store_find(const struct study_store *s, const json_t *settings,
                     json_t **ret_about)
{
    char path[STORE_PATH];
    json_error_t error;
    path_of(s, settings, "json", path);
    if (access(path, F_OK) < 0)
        return 0;
    *ret_about = json_load_file(path, 0, &error);
    return *ret_about ? 1 : fail(MK_EIO, "%s: %s", path, error.text);
}

int study_store_load(const struct study_store *s, const json_t *settings,
                     uint8_t **ret_bytes, size_t *ret_len)
{
    char path[STORE_PATH];
    path_of(s, settings, "safetensors", path);
    return file_read(path, model_limit, ret_bytes, ret_len);
}

/* What is kept about a model is written last: then the model is there. */
int study_store_keep(const struct study_store *s, const json_t *settings,
                     const void *bytes, size_t len, json_t *about_take)
{
    char path[STORE_PATH];
    char *text = json_dumps(about_take, JSON_INDENT(1));
    path_of(s, settings, "safetensors", path);
    int rc = text ? file_write(path, bytes, len)
                  : fail(MK_ENOMEM, "no memory for what is known of a model");
    path_of(s, settings, "json", path);
    if (rc == 0)
        rc = file_write(path, text, strlen(text));
    path_of(s, settings, "checkpoint", path);
    if (rc == 0)
        unlink(path);
    free(text);
    json_decref(about_take);
    return rc;
}

static void add_pace(const char *path, double *work, double *seconds)
{
    json_t *about = json_load_file(path, 0, NULL);
    *work += json_number_value(json_object_get(about, "work"));
    *seconds += json_number_value(json_object_get(about, "seconds"));
    json_decref(about);
}

double study_store_pace(const struct study_store *s)
{
    char path[STORE_PATH];
    double work = 0, seconds = 0;
    snprintf(path, sizeof path, "%s/models", s->folder);
    DIR *folder = opendir(path);
    for (struct dirent *e; folder && (e = readdir(folder));) {
        size_t len = strlen(e->d_name);
        if (len <= 5 || strcmp(e->d_name + len - 5, ".json") != 0)
            continue;
        snprintf(path, sizeof path, "%s/models/%s", s->folder, e->d_name);
        add_pace(path, &work, &seconds);
    }
    if (folder)
        closedir(folder);
    return work > 0 ? seconds / work : 0;
}

void study_store_checkpoint(const struct study_store *s, const json_t *settings,
                            char ret_path[static STORE_PATH])
{
    path_of(s, settings, "checkpoint", ret_path);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of class folders, as the manifest that somebody would have written of it. */
#include "daemon/folder.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/err.h"

struct names {
    struct dirent **entry;
    int n;
};

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* alphasort() would follow the locale. */
static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_names(const char *path, struct names *ret_names)
{
    const int n = scandir(path, &ret_names->entry, is_visible, by_bytes);

    if (n < 0)
        return fail(MK_EIO, "cannot read the folder %s: %m", path);
    ret_names->n = n;
    return 0;
}

static void free_names(struct names *names)
{
    for (int i = 0; i < names->n; i++)
        free(names->entry[i]);
    free(names->entry);
}

/* Whether path/name is a folder, or a link to one. */
static bool is_folder(const char *path, const char *name)
{
    struct stat status;
    char *whole;
    bool is = false;

    if (asprintf(&whole, "%s/%s", path, name) < 0)
        return false;
    is = stat(whole, &status) == 0 && S_ISDIR(status.st_mode);
    free(whole);
    return is;
}

/* As csv_row() reads it. */
static void put_field(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '"')
            putc('"', out);
        putc(*text, out);
    }
}

static int list_class(const char *path, const char *top, const char *class, FILE *out)
{
    struct names names = {0};
    int rc = read_names(path, &names);

    for (int i = 0; rc == 0 && i < names.n; i++) {
        const char *name = names.entry[i]->d_name;
        if (is_folder(path, name)) {
            rc = fail(MK_EINPUT,
                      "%s/%s is a folder in a class folder, where images belong", path,
                      name);
            break;
        }
        fprintf(out, "\"%s", top);
        put_field(out, class);
        putc('/', out);
        put_field(out, name);
        fputs("\",\"", out);
        put_field(out, class);
        fprintf(out, "\",%s\n", strcmp(top, "test/") == 0 ? "test" : "");
    }
    free_names(&names);
    return rc;
}

/* top: "", "train/" or "test/". */
static int list_classes(const char *path, const char *top, FILE *out)
{
    struct names names = {0};
    char *whole, *below;
    int rc, classes = 0;

    if (asprintf(&whole, "%s/%s", path, top) < 0)
        return fail(MK_ENOMEM, "no memory for a path");
    rc = read_names(whole, &names);
    for (int i = 0; rc == 0 && i < names.n; i++) {
        const char *class = names.entry[i]->d_name;
        if (!is_folder(whole, class))
            continue;
        classes++;
        if (asprintf(&below, "%s%s", whole, class) < 0) {
            rc = fail(MK_ENOMEM, "no memory for a path");
            break;
        }
        rc = list_class(below, top, class, out);
        free(below);
    }
    if (rc == 0 && classes == 0)
        rc = fail(MK_EINPUT, "%s has no class folders", whole);
    free_names(&names);
    free(whole);
    return rc;
}

/* A class may be called train: only beside other classes. */
static bool has_tops(const char *path, const struct names *names)
{
    for (int i = 0; i < names->n; i++)
        if (is_folder(path, names->entry[i]->d_name) &&
            strcmp(names->entry[i]->d_name, "train") != 0 &&
            strcmp(names->entry[i]->d_name, "test") != 0)
            return false;
    return is_folder(path, "train");
}

static int list(const char *path, FILE *out)
{
    struct names names = {0};
    int rc = read_names(path, &names);

    if (rc < 0)
        return rc;
    fputs("path,label,split\n", out);
    if (!has_tops(path, &names)) {
        rc = list_classes(path, "", out);
    } else {
        rc = list_classes(path, "train/", out);
        if (rc == 0 && is_folder(path, "test"))
            rc = list_classes(path, "test/", out);
    }
    free_names(&names);
    return rc;
}

int folder_list(const char *path, char **ret_text, size_t *ret_len)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    int rc = out ? list(path, out) : fail(MK_ENOMEM, "no memory to list %s", path);

    if (out && fclose(out) != 0 && rc == 0)
        rc = fail(MK_ENOMEM, "no memory to list %s", path);
    if (rc < 0) {
        free(text);
        return rc;
    }
    *ret_text = text;
    *ret_len = len;
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Labelled images: opened from IDX files, a manifest or a folder of class folders. */
#include "daemon/dataset.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "daemon/files.h"
#include "daemon/folder.h"
#include "daemon/manifest.h"
#include "storage/crypto.h"

enum { MANIFEST_MAX = 1 << 30 };

int dataset_fail(const struct dataset *data, const struct sample *sample, int err,
                 const char *why)
{
    if (sample->line)
        return fail(err, "%s: line %zu: %s", data->name, sample->line, why);
    if (sample->path)
        return fail(err, "%s/%s: %s", data->name, sample->path, why);
    return fail(err, "%s: image %ju: %s", data->name, (uintmax_t)sample->row, why);
}

static int by_path(const void *a, const void *b)
{
    const struct sample *const *x = a, *const *y = b;
    const int order = strcmp((*x)->path, (*y)->path);

    return order ? order : ((*x)->row > (*y)->row) - ((*x)->row < (*y)->row);
}

static int check_paths(const struct dataset *data)
{
    const struct sample **sorted = calloc(data->n, sizeof *sorted);
    char why[64];
    int rc = 0;

    if (!sorted)
        return fail(MK_ENOMEM, "no memory for %zu rows", data->n);
    for (size_t i = 0; i < data->n; i++)
        sorted[i] = &data->sample[i];
    qsort(sorted, data->n, sizeof *sorted, by_path);
    for (size_t i = 1; i < data->n && rc == 0; i++)
        if (strcmp(sorted[i - 1]->path, sorted[i]->path) == 0) {
            snprintf(why, sizeof why, "the image of line %zu again", sorted[i - 1]->line);
            rc = dataset_fail(data, sorted[i], MK_EINPUT, why);
        }
    free(sorted);
    return rc;
}

/* Either every row but those of test says base or enrol, or none does. */
static int check_splits(struct dataset *data)
{
    const struct sample *said = NULL, *unsaid = NULL;
    char why[128];

    for (size_t i = 0; i < data->n; i++) {
        const enum split split = data->sample[i].split;
        if (split == SPLIT_NONE && !unsaid)
            unsaid = &data->sample[i];
        if ((split == SPLIT_BASE || split == SPLIT_ENROL) && !said)
            said = &data->sample[i];
    }
    data->has_split = said != NULL;
    if (!said || !unsaid)
        return 0;
    snprintf(why, sizeof why, "no split, while line %zu has one: base or enrol",
             said->line);
    return dataset_fail(data, unsaid, MK_EINPUT, why);
}

/* Takes the samples of data->text. */
static int parse(struct dataset *data, uint64_t images)
{
    struct manifest manifest;
    int rc;

    crypto_sha256(data->text, data->len, data->sha256);
    if ((rc = manifest_parse(data->text, data->len, images, &manifest)) < 0)
        return fail(rc, "%s: %s", data->name, err_why());
    data->sample = manifest.sample; /* transferred */
    data->n = manifest.n;
    data->has_subject = manifest.has_subject;
    if (data->n == 0)
        return fail(MK_EINPUT, "%s names no image", data->name);
    return check_splits(data);
}

static int finish(int rc, struct dataset *data, struct dataset *ret_data)
{
    if (rc < 0)
        dataset_done(data);
    else
        *ret_data = *data; /* transferred */
    return rc;
}

static int read_text(const char *path, struct dataset *data)
{
    data->name = path;
    return file_read(path, MANIFEST_MAX, (uint8_t **)&data->text, &data->len);
}

static int find_root(const char *path, struct dataset *data)
{
    char *copy = strdup(path);

    data->root = copy ? strdup(dirname(copy)) : NULL;
    free(copy);
    return data->root ? 0 : fail(MK_ENOMEM, "no memory for a path");
}

int dataset_open_manifest(const char *path, struct dataset *ret_data)
{
    struct dataset data = {0};
    int rc;

    if ((rc = read_text(path, &data)) == 0 && (rc = find_root(path, &data)) == 0 &&
        (rc = parse(&data, 0)) == 0)
        rc = check_paths(&data);
    return finish(rc, &data, ret_data);
}

int dataset_open_folder(const char *path, struct dataset *ret_data)
{
    struct dataset data = {.name = path, .root = strdup(path)};
    int rc = data.root ? 0 : fail(MK_ENOMEM, "no memory for a path");

    if (rc == 0 && (rc = folder_list(path, &data.text, &data.len)) == 0)
        rc = parse(&data, 0);
    for (size_t i = 0; i < data.n; i++)
        data.sample[i].line = 0; /* of a manifest that nobody can look into */
    return finish(rc, &data, ret_data);
}

static int every_image(struct dataset *data)
{
    if (!(data->sample = calloc(data->images.n + 1, sizeof *data->sample)))
        return fail(MK_ENOMEM, "no memory for %zu images", data->images.n);
    data->n = data->images.n;
    for (size_t i = 0; i < data->n; i++)
        data->sample[i] = (struct sample){.row = i, .provenance = {{"", "", "", ""}}};
    return 0;
}

static int take_labels(const char *path, struct dataset *data)
{
    uint8_t part[3][SHA256_SIZE];
    struct idx labels;
    int rc = idx_read(path, 1, &labels);

    if (rc < 0)
        return rc;
    if (labels.n != data->images.n)
        rc = fail(MK_EINPUT, "%zu images, but %zu labels", data->images.n, labels.n);
    for (size_t i = 0; rc == 0 && i < data->n; i++)
        data->sample[i].label = labels.data[data->sample[i].row];
    memcpy(part[0], data->images.sha256, SHA256_SIZE);
    memcpy(part[1], labels.sha256, SHA256_SIZE);
    memcpy(part[2], data->sha256, SHA256_SIZE); /* of rows, or zeros */
    crypto_sha256(part, sizeof part, data->input_sha256);
    idx_free(&labels);
    return rc;
}

int dataset_open_idx(const char *images, const char *labels, const char *rows,
                     struct dataset *ret_data)
{
    struct dataset data = {.name = rows ? rows : images};
    int rc = idx_read(images, 3, &data.images);

    if (rc == 0 && data.images.n == 0)
        rc = fail(MK_EINPUT, "%s has no images", images);
    if (rc == 0 && !rows)
        rc = every_image(&data);
    else if (rc == 0 && (rc = read_text(rows, &data)) == 0)
        rc = parse(&data, data.images.n);
    if (rc == 0)
        rc = take_labels(labels, &data);
    return finish(rc, &data, ret_data);
}

void dataset_done(struct dataset *data)
{
    if (data->sample)
        crypto_wipe(data->sample, data->n * sizeof *data->sample);
    if (data->text)
        crypto_wipe(data->text, data->len);
    free(data->sample);
    free(data->text);
    free(data->label);
    free(data->digest);
    if (data->kept)
        crypto_wipe(data->kept, data->kept_len);
    free(data->kept);
    free(data->root);
    idx_free(&data->images);
    *data = (struct dataset){0};
}

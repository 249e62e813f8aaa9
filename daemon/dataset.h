/* SPDX-License-Identifier: Apache-2.0 */
/* Labelled images: what there is, whose, and what of; pixels when they are asked for.
 *
 *     if ((rc = dataset_open_manifest("people.csv", &data)) < 0)
 *         return rc;
 *     rc = dataset_number_labels(&data);              or dataset_use_labels()
 *     rc = dataset_read(&data, &reading);             looks at every image
 *     rc = dataset_pixels(&data, &frame, i, pixels);  of data.sample[i]
 *     dataset_done(&data);
 *
 * A sentence about a manifest names its line, never a path or a person.
 */
#ifndef MUNKEY_DAEMON_DATASET_H
#define MUNKEY_DAEMON_DATASET_H

#include "core/model.h"
#include "daemon/idx.h"
#include "daemon/sample.h"

/* What a model takes. */
struct frame {
    uint32_t height, width, channels;
};

struct dataset {
    struct sample *sample; /* (n): in the order of rows, until split_order() */
    size_t n;
    const char **label; /* (classes): names; NULL: labels are numbers */
    uint32_t classes;
    uint32_t
        built_in; /* the first of them, which the weights know; all where labels are closed */
    bool has_split, has_subject; /* somebody said base or enrol; said whose they are */
    uint8_t sha256[32];          /* names the data; of files: once they are read */
    uint8_t input_sha256[32];    /* names all that was read, whose it is included */
    uint8_t (*digest)[32]; /* (n): SHA-256 of each file, by row, once they are read */
    const char *name;      /* as it was opened, for sentences; borrowed */
    char *root;            /* the folder of its files; NULL: an IDX file */
    struct idx images;
    uint8_t *kept; /* (n, height, width, channels): pixels by row, or NULL */
    size_t kept_len;
    char *text; /* of the manifest */
    size_t len;
};

/* IDX files, plain or gzip; rows: a CSV file that names some of their images and whose they
 * are, or NULL. */
int dataset_open_idx(const char *images, const char *labels, const char *rows,
                     struct dataset *ret_data);
int dataset_open_manifest(const char *path, struct dataset *ret_data);
int dataset_open_folder(const char *path, struct dataset *ret_data);
void dataset_done(struct dataset *data); /* wipes what is personal; takes zeros */

/* Numbers the labels that rows to train on have, in byte order.  MK_EINPUT: a test row has
 * another one. */
int dataset_number_labels(struct dataset *data);

/* The same for open labels, once samples are in order: those of the first n, which are built
 * into a model, come before the others. */
int dataset_open_labels(struct dataset *data, size_t n);

/* Numbers labels as a model does; the others of open labels follow.  MK_EINPUT: one that the
 * model does not have, or a test row has another than all other rows. */
int dataset_use_labels(struct dataset *data, const struct model_info *info);

/* Looks at every image, on several threads, with progress. */
struct reading {
    struct frame frame;
    size_t threads;
    size_t keep;     /* of the first so many samples pixels are kept */
    uint8_t *pixels; /* (keep, height, width, channels) */
};

/* Sets data->sha256: of an IDX file that of the file; of a manifest SHA-256(manifest || files),
 * both SHA-256: of its bytes, and of those of all files in the order of rows.  MK_EINPUT names
 * the line: no PNG or JPEG image, or a damaged one. */
int dataset_read(struct dataset *data, const struct reading *reading);

/* The same, keeping all pixels for dataset_pixels() of this frame when they are not many: small
 * files take as long to decode as their keys to compute.  data is in the order of rows. */
int dataset_read_all(struct dataset *data, const struct frame *frame, size_t threads);

/* ret_pixels: (height, width, channels), resized as POST /predict does. */
int dataset_pixels(const struct dataset *data, const struct frame *frame,
                   const struct sample *sample, uint8_t *ret_pixels);

/* Fails about a sample: "people.csv, line 7: ...". */
int dataset_fail(const struct dataset *data, const struct sample *sample, int err,
                 const char *why);

#endif

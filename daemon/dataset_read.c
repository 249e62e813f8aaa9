/* SPDX-License-Identifier: Apache-2.0 */
/* The pixels of a data set: decoded, fitted to a model, hashed. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/image.h"
#include "core/err.h"
#include "core/train_parallel.h"
#include "daemon/dataset.h"
#include "daemon/files.h"
#include "daemon/progress.h"
#include "storage/crypto.h"

enum {
    FILE_MAX = 256 << 20,
    SIDE_MAX = 65535,
    PIXELS_MAX = 1 << 26,
    PIECE = 256,
    KEEP_MAX = 1 << 29
};

static size_t frame_size(const struct frame *frame)
{
    return (size_t)frame->height * frame->width * frame->channels;
}

/* By their first bytes: names end in anything. */
static const char *media_of(const uint8_t *bytes, size_t len)
{
    if (len >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0)
        return "image/png";
    return len >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0 ? "image/jpeg" : NULL;
}

static int decode(const struct frame *frame, const uint8_t *bytes, size_t len,
                  uint8_t *ret_pixels)
{
    const struct shape shape = {frame->height, frame->width, frame->channels,
                                true,          SIDE_MAX,     PIXELS_MAX};
    const char *media = media_of(bytes, len);

    return media ? image_read(media, bytes, len, &shape, ret_pixels)
                 : fail(MK_EINPUT, "neither a PNG nor a JPEG image");
}

/* The path may name a person, and stays out of the sentence. */
static int read_file(const struct dataset *data, const struct sample *sample,
                     uint8_t **ret_bytes, size_t *ret_len)
{
    char *path;
    int rc;

    if (asprintf(&path, "%s/%s", data->root, sample->path) < 0)
        return fail(MK_ENOMEM, "no memory for a path");
    rc = file_read(path, FILE_MAX, ret_bytes, ret_len);
    free(path);
    return rc < 0 ? fail(MK_EINPUT,
                         "the image is missing, not readable, no regular file, or "
                         "larger than %d MiB",
                         FILE_MAX >> 20)
                  : 0;
}

static int file_pixels(const struct dataset *data, const struct frame *frame,
                       const struct sample *sample, uint8_t *ret_pixels,
                       uint8_t ret_sha256[static SHA256_SIZE])
{
    uint8_t *bytes;
    size_t len;
    int rc = read_file(data, sample, &bytes, &len);

    if (rc == 0) {
        crypto_sha256(bytes, len, ret_sha256);
        rc = decode(frame, bytes, len, ret_pixels);
        crypto_wipe(bytes, len);
        free(bytes);
    }
    return rc < 0 ? dataset_fail(data, sample, MK_EINPUT, err_why()) : 0;
}

static int idx_pixels(const struct dataset *data, const struct frame *frame,
                      const struct sample *sample, uint8_t *ret_pixels)
{
    const struct idx *idx = &data->images;

    if (idx->height != frame->height || idx->width != frame->width ||
        frame->channels != 1)
        return fail(
            MK_EINPUT, "the images are %zu x %zu x 1, the model takes %u x %u x %u",
            idx->height, idx->width, frame->height, frame->width, frame->channels);
    memcpy(ret_pixels, idx->data + sample->row * frame_size(frame), frame_size(frame));
    return 0;
}

int dataset_pixels(const struct dataset *data, const struct frame *frame,
                   const struct sample *sample, uint8_t *ret_pixels)
{
    uint8_t sha256[SHA256_SIZE];

    if (data->kept) {
        memcpy(ret_pixels, data->kept + sample->row * frame_size(frame),
               frame_size(frame));
        return 0;
    }
    return data->root ? file_pixels(data, frame, sample, ret_pixels, sha256)
                      : idx_pixels(data, frame, sample, ret_pixels);
}

/* One pass over all samples.  The first of those that fail in the order of samples is the one
 * that is told, whatever the threads do. */
struct pass {
    const struct dataset *data;
    const struct reading *reading;
    size_t first;   /* sample of piece 0 */
    uint8_t *spare; /* (threads, height, width, channels) */
    pthread_mutex_t mutex;
    size_t failed; /* sample; SIZE_MAX: none */
    char why[512];
};

static void keep_failure(struct pass *pass, size_t i)
{
    pthread_mutex_lock(&pass->mutex);
    if (i < pass->failed) {
        pass->failed = i;
        snprintf(pass->why, sizeof pass->why, "%s", err_why());
    }
    pthread_mutex_unlock(&pass->mutex);
}

static void read_one(void *context, size_t worker, size_t number)
{
    struct pass *pass = context;
    const struct reading *r = pass->reading;
    const size_t i = pass->first + number, size = frame_size(&r->frame);
    const struct sample *sample = &pass->data->sample[i];
    uint8_t *pixels = i < r->keep ? r->pixels + i * size : pass->spare + worker * size;
    int rc = pass->data->root ? file_pixels(pass->data, &r->frame, sample, pixels,
                                            pass->data->digest[sample->row])
                              : idx_pixels(pass->data, &r->frame, sample, pixels);

    if (rc < 0)
        keep_failure(pass, i);
}

static int read_all(struct pass *pass)
{
    struct progress progress = progress_start("read", "images", pass->data->n);

    for (; pass->first < pass->data->n && pass->failed == SIZE_MAX;
         pass->first += PIECE) {
        const size_t left = pass->data->n - pass->first;
        parallel_for(pass->reading->threads, left < PIECE ? left : PIECE, read_one, pass);
        progress_at(&progress, pass->first + (left < PIECE ? left : PIECE), NULL);
    }
    progress_end(&progress);
    return pass->failed == SIZE_MAX ? 0 : fail(MK_EINPUT, "%s", pass->why);
}

static void name_data(struct dataset *data)
{
    uint8_t parts[2][SHA256_SIZE]; /* of the manifest, of all files */

    if (!data->root) {
        memcpy(data->sha256, data->images.sha256, sizeof data->sha256);
        return;
    }
    memcpy(parts[0], data->sha256, SHA256_SIZE);
    crypto_sha256(data->digest, data->n * SHA256_SIZE, parts[1]);
    crypto_sha256(parts, sizeof parts, data->sha256);
    memcpy(data->input_sha256, data->sha256, sizeof data->sha256);
}

int dataset_read(struct dataset *data, const struct reading *reading)
{
    struct pass pass = {data, reading, .failed = SIZE_MAX,
                        .mutex = PTHREAD_MUTEX_INITIALIZER};
    int rc;

    pass.spare = calloc(reading->threads, frame_size(&reading->frame));
    if (data->root)
        data->digest = calloc(data->n, sizeof *data->digest);
    rc = pass.spare && (data->digest || !data->root)
             ? read_all(&pass)
             : fail(MK_ENOMEM, "no memory to read %zu images", data->n);
    if (rc == 0)
        name_data(data);
    free(pass.spare);
    return rc;
}

int dataset_read_all(struct dataset *data, const struct frame *frame, size_t threads)
{
    struct reading reading = {.frame = *frame, .threads = threads};
    int rc;

    if (data->root && data->n <= KEEP_MAX / frame_size(frame)) {
        reading.pixels =
            calloc(data->n, frame_size(frame)); /* without, they are decoded again */
        reading.keep = reading.pixels ? data->n : 0;
    }
    if ((rc = dataset_read(data, &reading)) < 0) {
        free(reading.pixels);
        return rc;
    }
    data->kept = reading.pixels;
    data->kept_len = reading.keep * frame_size(frame);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A data set's images in RAM, as training and measuring want them.
 *
 *     rc = pictures_read(&data, &frame, parts.val.end, threads, &pictures);
 *     trainer_new(&plan, &pictures.view, &trainer);
 *     pictures_free(&pictures);
 */
#ifndef MUNKEY_DAEMON_PICTURES_H
#define MUNKEY_DAEMON_PICTURES_H

#include "core/train_data.h"
#include "daemon/dataset.h"

/* Zeros: none yet. */
struct pictures {
    uint8_t *pixels;
    uint32_t *labels; /* (n) */
    struct images view;
};

/* Looks at all images and keeps the first. */
int pictures_read(struct dataset *data, const struct frame *frame, size_t keep,
                  size_t threads, struct pictures *ret_pictures);
void pictures_free(struct pictures *pictures);

/* What a model calls the first n labels; the caller frees it.  NULL where they are closed. */
int pictures_codes(const struct dataset *data, bool open, uint32_t n,
                   uint64_t **ret_codes);

#endif

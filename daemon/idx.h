/* SPDX-License-Identifier: Apache-2.0 */
/* IDX files, the format of MNIST and its relatives, plain or compressed with gzip.
 *
 *     struct idx images;
 *     if ((rc = idx_read(path, 3, &images)) < 0)
 *         return rc;
 *     images.data                       (n, height, width)
 *     idx_free(&images);
 */
#ifndef MUNKEY_DAEMON_IDX_H
#define MUNKEY_DAEMON_IDX_H

#include <stddef.h>
#include <stdint.h>

/* Labels are (n); images are (n, height, width). */
struct idx {
    size_t dims;
    size_t n, height, width; /* height and width are 1 for labels */
    uint8_t *data;
    uint8_t sha256[32]; /* of the whole file, uncompressed: a copy is the same file
                           whether it was compressed or not */
};

/* Returns 0, MK_EINPUT when the bytes are no IDX file of bytes in one or three dimensions
 * or are cut short, MK_ETOOBIG above 1 GiB of data, or MK_ENOMEM. */
int idx_parse(const void *bytes, size_t len, struct idx *ret_idx);

/* Reads a file that has to have so many dimensions; the reason names the path. */
int idx_read(const char *path, size_t dims, struct idx *ret_idx);
void idx_free(struct idx *idx);

#endif

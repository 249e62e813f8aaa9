/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors: named tensors of float32 in one file, behind a header of JSON.
 *
 *     struct safetensors *file;
 *     safetensors_parse(bytes, len, &file);
 *     safetensors_metadata(file, "profile");              "F", or NULL
 *     safetensors_read(file, "pca.mean", 0, 128, values);
 *     safetensors_free(file);
 *
 * A file is refused unless its tensors lie one behind the other, with no hole, no overlap
 * and nothing after them, and all numbers in it are finite.
 */
#ifndef MUNKEY_CORE_SAFETENSORS_H
#define MUNKEY_CORE_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct safetensors; /* opaque; points into the bytes that it was made from */

/* One tensor to write: (rows, cols), or a vector of cols when rows is 0. */
struct safetensors_entry {
    const char *name;
    size_t rows, cols;
    const float *values;
};

/* Returns 0; MK_EINPUT with the reason; or MK_ENOMEM.  The bytes stay the caller's and
 * must outlive the result. */
int safetensors_parse(const void *bytes, size_t len, struct safetensors **ret_file);
void safetensors_free(struct safetensors *file);

/* Tensors, and the numbers of all of them. */
size_t safetensors_count(const struct safetensors *file);
size_t safetensors_numbers(const struct safetensors *file);

/* Tensors by their place in the file, i < safetensors_count(). */
const char *safetensors_name(const struct safetensors *file, size_t i);

/* The sizes of one tensor, or NULL when there is none of that name. */
const uint64_t *safetensors_shape(const struct safetensors *file, const char *name,
                                  size_t *ret_rank);

/* One string of __metadata__, or NULL. */
const char *safetensors_metadata(const struct safetensors *file, const char *name);

/* Copies one tensor's numbers.  MK_EINPUT when there is none of that name and shape. */
int safetensors_read(const struct safetensors *file, const char *name, size_t rows,
                     size_t cols, float *ret_values);
int safetensors_read_shape(const struct safetensors *file, const char *name,
                           const uint64_t *shape, size_t rank, float *ret_values);

/* A file of n tensors in the given order; metadata: an object of strings.  The caller
 * frees the bytes. */
int safetensors_format(const json_t *metadata, const struct safetensors_entry *entries,
                       size_t n, void **ret_bytes, size_t *ret_len);

#endif

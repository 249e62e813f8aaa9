/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors of the Open Inference Protocol: images, as JSON numbers or as bytes.
 *
 *     if ((rc = tensor_read(input, &shape, &tensor)) < 0 ||
 *         (rc = question_open(question, service, tensor.n)) < 0)
 *         return rc;
 *     rc = tensor_pixels(&tensor, &binary, question->pixels);
 */
#ifndef MUNKEY_API_TENSOR_H
#define MUNKEY_API_TENSOR_H

#include <jansson.h>

#include "api/image.h"

/* What a request holds behind its JSON, borrowed. */
struct binary {
    const uint8_t *bytes;
    size_t len;
};

/* The name and datatype of the one input; FP32 is read, too. */
#define TENSOR_INPUT "image"
#define TENSOR_DATATYPE "UINT8"

enum { TENSOR_RANK = 4 };

struct tensor {
    size_t dim[TENSOR_RANK], rank;
    size_t n;             /* images */
    bool real;            /* FP32, else UINT8 */
    const json_t *data;   /* borrowed from the input; NULL: the bytes behind the JSON */
    int64_t binary_bytes; /* how many they are said to be */
};

/* input: {"name", "shape", "datatype", "data" or "parameters": {"binary_data_size"}}.  MK_EINPUT;
 * MK_EUNPROCESSABLE: another shape than n of the model's images. */
int tensor_read(const json_t *input, const struct shape *shape,
                struct tensor *ret_tensor);

/* ret_pixels: (n, height, width, channels).  All of binary are the tensor's bytes.  MK_EINPUT. */
int tensor_pixels(const struct tensor *tensor, const struct binary *binary,
                  uint8_t *ret_pixels);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors of the Open Inference Protocol: images, as JSON numbers or as bytes.
 *
 *     rc = tensor_read(input, &binary, service, &question);
 */
#ifndef MUNKEY_API_TENSOR_H
#define MUNKEY_API_TENSOR_H

#include "api/question.h"

/* What a request holds behind its JSON, borrowed. */
struct binary {
    const uint8_t *bytes;
    size_t len;
};

/* The name and datatype of the one input; FP32 is read, too. */
#define TENSOR_INPUT "image"
#define TENSOR_DATATYPE "UINT8"

/* Opens the question.  input: {"name", "shape", "datatype", "data" or "parameters": {"binary_data_size"}}, all of binary
 * being its bytes.  MK_EINPUT; MK_EUNPROCESSABLE: another shape than the model's; MK_ETOOBIG. */
int tensor_read(const json_t *input, const struct binary *binary,
                const struct service *service, struct question *question);

#endif

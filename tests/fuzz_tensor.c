/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes a tensor as a request holds it: JSON up to the first NUL, then bytes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/tensor.h"

enum { BATCH = 16 };

/* As question_open() makes room, for as many images as a request may hold. */
static void take(const struct tensor *tensor, const struct shape *shape,
                 const struct binary *binary)
{
    size_t size = (size_t)shape->height * shape->width * shape->channels;
    if (tensor->n > BATCH)
        return;
    uint8_t *pixels = malloc(tensor->n * size);
    assert(pixels);
    tensor_pixels(tensor, binary, pixels);
    free(pixels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct shape shape = {2, 3, 1, false, 256, 1 << 14};
    const uint8_t *end = memchr(data, 0, size);
    size_t len = end ? (size_t)(end - data) : size;
    const struct binary binary = {data + len + (end != NULL), size - len - (end != NULL)};
    struct tensor tensor;
    json_t *json = NULL;
    if (json_read((const char *)data, len, 1000, &json) == 0 &&
        tensor_read(json, &shape, &tensor) == 0)
        take(&tensor, &shape, &binary);
    json_decref(json);
    return 0;
}

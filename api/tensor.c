/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors: what is sent has to be what its shape and datatype say. */
#include "api/tensor.h"

#include <endian.h>
#include <math.h>
#include <string.h>

#include "api/json.h"
#include "core/err.h"

static size_t count(const struct tensor *tensor)
{
    size_t n = 1;
    for (size_t i = 0; i < tensor->rank; i++)
        n *= tensor->dim[i];
    return n;
}

static int read_datatype(const json_t *input, struct tensor *tensor)
{
    const char *datatype = NULL;
    int rc = json_text(input, "datatype", true, &datatype);
    if (rc < 0)
        return rc;
    tensor->real = strcmp(datatype, "FP32") == 0;
    if (!tensor->real && strcmp(datatype, TENSOR_DATATYPE) != 0)
        return fail(MK_EINPUT,
                    "the datatype of `" TENSOR_INPUT "` has to be UINT8 or FP32, with "
                    "values from 0 to 255");
    return 0;
}

static int read_dimensions(const json_t *shape, struct tensor *tensor)
{
    tensor->rank = json_array_size(shape);
    for (size_t i = 0; i < tensor->rank; i++) {
        const json_t *dim = json_array_get(shape, i);
        if (!json_is_integer(dim) || json_integer_value(dim) < 0)
            return fail(MK_EINPUT, "JSON: dimension %zu of a shape is no integer from 0",
                        i);
        if (i < TENSOR_RANK)
            tensor->dim[i] = (size_t)json_integer_value(dim);
    }
    return 0;
}

/* [n, height, width, channels], or without n for one image.  Each dimension is compared, so that no
 * product can overflow. */
static int read_shape(const json_t *input, const struct shape *shape,
                      struct tensor *tensor)
{
    json_t *dims;
    int rc;
    if ((rc = json_list(input, "shape", &dims)) < 0 ||
        (rc = read_dimensions(dims, tensor)) < 0)
        return rc;
    const size_t *image = tensor->dim + (tensor->rank == TENSOR_RANK);
    tensor->n = tensor->rank == TENSOR_RANK ? tensor->dim[0] : 1;
    if (tensor->rank < TENSOR_RANK - 1 || tensor->rank > TENSOR_RANK || tensor->n == 0 ||
        image[0] != shape->height || image[1] != shape->width ||
        image[2] != shape->channels)
        return fail(MK_EUNPROCESSABLE,
                    "the shape of `" TENSOR_INPUT "` has to be [n, %u, %u, %u] (height, "
                    "width, channels) for n images, or [%u, %u, %u] for one",
                    shape->height, shape->width, shape->channels, shape->height,
                    shape->width, shape->channels);
    return 0;
}

static int take_number(const json_t *value, bool real, uint8_t *ret_pixel)
{
    const float number = (float)json_number_value(value);
    if (real ? !json_is_number(value) : !json_is_integer(value))
        return fail(MK_EINPUT, "JSON: `data` has to hold %s, nested as the shape or flat",
                    real ? "numbers" : "integers");
    if (!(number >= 0 && number <= 255))
        return fail(MK_EINPUT, "a value of `" TENSOR_INPUT "` is not from 0 to 255");
    *ret_pixel = (uint8_t)rintf(number);
    return 0;
}

/* Arrays in arrays, dim[0] of them or of numbers, to a depth of rank. */
static int take_numbers(const json_t *array, const size_t *dim, size_t rank, bool real,
                        uint8_t **ret_pixels)
{
    int rc = 0;
    if (!json_is_array(array) || json_array_size(array) != *dim)
        return fail(MK_EINPUT, "JSON: `data` has other numbers than the shape says");
    for (size_t i = 0; rc == 0 && i < *dim; i++) {
        const json_t *value = json_array_get(array, i);
        rc = rank > 1 ? take_numbers(value, dim + 1, rank - 1, real, ret_pixels)
                      : take_number(value, real, (*ret_pixels)++);
    }
    return rc;
}

static int take_data(const struct tensor *tensor, uint8_t *ret_pixels)
{
    const json_t *data = tensor->data;
    const size_t flat = count(tensor);
    if (json_is_array(json_array_get(data, 0)))
        return take_numbers(data, tensor->dim, tensor->rank, tensor->real, &ret_pixels);
    return take_numbers(data, &flat, 1, tensor->real, &ret_pixels);
}

static float read_float(const uint8_t bytes[static 4])
{
    uint32_t bits;
    float number;
    memcpy(&bits, bytes, sizeof bits);
    bits = le32toh(bits);
    memcpy(&number, &bits, sizeof number);
    return number;
}

static int take_floats(const struct binary *binary, uint8_t *ret_pixels)
{
    for (size_t i = 0; i < binary->len / sizeof(float); i++) {
        const float number = read_float(binary->bytes + i * sizeof number);
        if (!(number >= 0 && number <= 255)) /* NaN, too */
            return fail(MK_EINPUT, "a value of `" TENSOR_INPUT "` is not from 0 to 255");
        ret_pixels[i] = (uint8_t)rintf(number);
    }
    return 0;
}

static int take_binary(const struct tensor *tensor, const struct binary *binary,
                       uint8_t *ret_pixels)
{
    const size_t want = count(tensor) * (tensor->real ? sizeof(float) : 1);
    if ((size_t)tensor->binary_bytes != want)
        return fail(MK_EINPUT,
                    "`binary_data_size` is not the %zu bytes that shape and datatype say",
                    want);
    if (binary->len != want)
        return fail(MK_EINPUT,
                    "%zu bytes follow the JSON, not the %zu of `binary_data_size`: "
                    "Inference-Header-Content-Length has to be the bytes of the JSON",
                    binary->len, want);
    if (tensor->real)
        return take_floats(binary, ret_pixels);
    memcpy(ret_pixels, binary->bytes, want);
    return 0;
}

/* Either numbers in the JSON or bytes behind it. */
static int read_place(const json_t *input, struct tensor *tensor)
{
    const json_t *parameters = json_object_get(input, "parameters");
    int rc;
    tensor->data = json_object_get(input, "data");
    tensor->binary_bytes = -1;
    if (parameters && ((rc = json_known(parameters, "binary_data_size")) < 0 ||
                       (rc = json_count(parameters, "binary_data_size", 0, INT64_MAX,
                                        &tensor->binary_bytes)) < 0))
        return rc;
    if ((tensor->binary_bytes >= 0) == (tensor->data != NULL))
        return fail(MK_EINPUT, "JSON: `" TENSOR_INPUT "` needs either `data` or "
                               "`binary_data_size` among its parameters");
    return 0;
}

int tensor_read(const json_t *input, const struct shape *shape, struct tensor *ret_tensor)
{
    struct tensor tensor = {0};
    const char *name = NULL;
    int rc;
    if ((rc = json_known(input, "name shape datatype parameters data")) < 0 ||
        (rc = json_text(input, "name", true, &name)) < 0)
        return rc;
    if (strcmp(name, TENSOR_INPUT) != 0)
        return fail(MK_EINPUT, "the input has to have the name `" TENSOR_INPUT "`");
    if ((rc = read_datatype(input, &tensor)) < 0 ||
        (rc = read_shape(input, shape, &tensor)) < 0 ||
        (rc = read_place(input, &tensor)) < 0)
        return rc;
    *ret_tensor = tensor;
    return 0;
}

int tensor_pixels(const struct tensor *tensor, const struct binary *binary,
                  uint8_t *ret_pixels)
{
    if (!tensor->data)
        return take_binary(tensor, binary, ret_pixels);
    if (binary->len > 0)
        return fail(MK_EINPUT,
                    "%zu bytes follow the JSON and no input is said to be binary",
                    binary->len);
    return take_data(tensor, ret_pixels);
}

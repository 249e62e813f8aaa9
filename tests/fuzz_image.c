/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the decoding of images: the first byte chooses the format and whether to resize.
 */
#include <stdint.h>

#include "api/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t pixels[28 * 28];
    if (size == 0)
        return 0;
    const struct shape shape = {28, 28, 1, data[0] & 2, 256, 1 << 14};
    image_read(data[0] & 1 ? "image/png" : "image/jpeg", data + 1, size - 1, &shape,
               pixels);
    return 0;
}

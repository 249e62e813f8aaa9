/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures for tests.
 *
 *     picture png PIXELS        28 x 28 raw pixels as a PNG image
 *     picture jpeg PIXELS
 *     picture pixels JPEG       and back: what munkeyd reads of it
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

#include "api/image.h"
#include "core/err.h"
#include "daemon/files.h"

static const struct shape shape = {28, 28, 1, false, 4096, 1 << 24};

static int write_png(const uint8_t *pixels)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = shape.width,
                       .height = shape.height,
                       .format = PNG_FORMAT_GRAY};
    return png_image_write_to_stdio(&image, stdout, 0, pixels, 0, NULL)
               ? 0
               : fail(MK_EIO, "no PNG image was made");
}

static int write_jpeg(const uint8_t *pixels)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, stdout);
    jpeg.image_width = shape.width;
    jpeg.image_height = shape.height;
    jpeg.input_components = 1;
    jpeg.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (uint32_t i = 0; i < shape.height; i++) {
        JSAMPROW row = (JSAMPROW)(pixels + i * shape.width);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return 0;
}

static int convert(const char *form, const uint8_t *bytes, size_t len)
{
    uint8_t pixels[28 * 28];
    if (!strcmp(form, "pixels")) {
        int rc = image_read("image/jpeg", bytes, len, &shape, pixels);
        if (rc == 0)
            fwrite(pixels, 1, sizeof pixels, stdout);
        return rc;
    }
    if (len < sizeof pixels)
        return fail(MK_EINPUT, "an image has 784 pixels");
    return !strcmp(form, "png") ? write_png(bytes) : write_jpeg(bytes);
}

int main(int argc, char **argv)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    if (argc != 3)
        return 2;
    int rc = file_read(argv[2], 1 << 20, &bytes, &len);
    if (rc == 0)
        rc = convert(argv[1], bytes, len);
    if (rc < 0)
        fprintf(stderr, "picture: %s\n", err_why());
    free(bytes);
    return rc < 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding images; the only file that includes png.h and jpeglib.h.
 *
 * Both libraries report errors by longjmp.  Everything that has to be released lives in a
 * struct that the caller owns, so that no local variable changes between setjmp and
 * longjmp.
 */
#include "api/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>
#include <setjmp.h>

#include "core/err.h"
#include "storage/zeroing.h"

enum {
    PNG_CHUNK_BYTES = 1 << 20, /* one ancillary chunk, unpacked: zTXt grows 300:1 */
    PNG_CHUNKS = 16,           /* ancillary chunks kept */
    JPEG_SCANS = 64,           /* each scan is a pass over all coefficients */
};

static int check_dimensions(const struct shape *shape, uint64_t height, uint64_t width)
{
    if (height == 0 || width == 0)
        return fail(MK_EINPUT, "the image has no pixels");
    if (height > shape->side_max || width > shape->side_max ||
        height * width > shape->pixels_max)
        return fail(
            MK_ETOOBIG,
            "the image has %llu x %llu pixels (height x width); at most %u a side and "
            "%zu in all are read",
            (unsigned long long)height, (unsigned long long)width, shape->side_max,
            shape->pixels_max);
    return 0;
}

static int allocate(struct image *image)
{
    size_t size = (size_t)image->height * image->width * image->channels;
    if (!(image->pixels = calloc(1, size)))
        return fail(MK_ENOMEM, "no memory for an image of %zu bytes", size);
    return 0;
}

/* ---- PNG ---- */

struct png_reader {
    png_structp png;
    png_infop info;
    const uint8_t *bytes;
    size_t left;
    png_bytep *rows;
};

static void png_take(png_structp png, png_bytep to, size_t len)
{
    struct png_reader *reader = png_get_io_ptr(png);
    if (len > reader->left)
        png_error(png, "truncated");
    memcpy(to, reader->bytes, len);
    reader->bytes += len;
    reader->left -= len;
}

static void png_quiet(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void png_fail(png_structp png, png_const_charp text)
{
    (void)text; /* may quote the file */
    png_longjmp(png, 1);
}

/* "Width and height": the first eight bytes of IHDR, which "shall appear first"
 * (PNG, 11.2.2), behind the signature and the chunk's length and name. */
static uint32_t png_dimension(const uint8_t *bytes, size_t at)
{
    return (uint32_t)bytes[at] << 24 | (uint32_t)bytes[at + 1] << 16 |
           (uint32_t)bytes[at + 2] << 8 | bytes[at + 3];
}

static int png_check(const uint8_t *bytes, size_t len, const struct shape *shape)
{
    if (len < 33 || png_sig_cmp(bytes, 0, 8) != 0 || memcmp(bytes + 12, "IHDR", 4) != 0)
        return fail(MK_EINPUT, "the body is not a PNG image");
    return check_dimensions(shape, png_dimension(bytes, 20), png_dimension(bytes, 16));
}

/* Rows, and zlib's window, which is made with these too. */
static png_voidp png_get(png_structp png, png_alloc_size_t size)
{
    (void)png;
    return malloc(size);
}

static void png_put_back(png_structp png, png_voidp memory)
{
    (void)png;
    free_zeroed(memory);
}

static int png_prepare(struct png_reader *reader, const struct shape *shape)
{
    reader->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, reader, png_fail,
                                           png_quiet, NULL, png_get, png_put_back);
    reader->info = reader->png ? png_create_info_struct(reader->png) : NULL;
    if (!reader->info)
        return fail(MK_ENOMEM, "no memory to decode a PNG image");
    png_set_read_fn(reader->png, reader, png_take);
    png_set_user_limits(reader->png, shape->side_max, shape->side_max);
    png_set_chunk_malloc_max(reader->png, PNG_CHUNK_BYTES);
    png_set_chunk_cache_max(reader->png, PNG_CHUNKS);
    png_set_keep_unknown_chunks(reader->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    return 0;
}

/* To 8 bits, gray or RGB, without alpha. */
static void png_simplify(struct png_reader *reader)
{
    png_set_strip_16(reader->png);
    png_set_expand(reader->png);
    png_set_strip_alpha(reader->png);
    png_set_interlace_handling(reader->png);
    png_read_update_info(reader->png, reader->info);
}

static int png_rows(struct png_reader *reader, struct image *image)
{
    if (!(reader->rows = calloc(image->height, sizeof *reader->rows)))
        return fail(MK_ENOMEM, "no memory to decode a PNG image");
    for (size_t i = 0; i < image->height; i++)
        reader->rows[i] = image->pixels + i * image->width * image->channels;
    return 0;
}

static int png_decode(struct png_reader *reader, struct image *image)
{
    int rc;
    if (setjmp(png_jmpbuf(reader->png)))
        return fail(MK_EINPUT, "the PNG image is damaged or truncated");
    png_read_info(reader->png, reader->info);
    png_simplify(reader);
    image->height = png_get_image_height(reader->png, reader->info);
    image->width = png_get_image_width(reader->png, reader->info);
    image->channels = png_get_channels(reader->png, reader->info);
    if ((rc = allocate(image)) < 0 || (rc = png_rows(reader, image)) < 0)
        return rc;
    png_read_image(reader->png, reader->rows);
    png_read_end(reader->png, NULL);
    return 0;
}

static int read_png(const uint8_t *bytes, size_t len, const struct shape *shape,
                    struct image *image)
{
    struct png_reader reader = {.bytes = bytes, .left = len};
    int rc = png_check(bytes, len, shape);
    if (rc == 0)
        rc = png_prepare(&reader, shape);
    if (rc == 0)
        rc = png_decode(&reader, image);
    free(reader.rows);
    png_destroy_read_struct(&reader.png, &reader.info, NULL);
    return rc;
}

/* ---- JPEG ---- */

/* The two functions of libjpeg's "system-dependent memory manager" (jmemsys.h) that give memory
 * back: the library takes the program's own for its. */
void jpeg_free_small(j_common_ptr jpeg, void *memory, size_t size);
void jpeg_free_large(j_common_ptr jpeg, void *memory, size_t size);

void jpeg_free_small(j_common_ptr jpeg, void *memory, size_t size)
{
    (void)jpeg;
    (void)size;
    free_zeroed(memory);
}

void jpeg_free_large(j_common_ptr jpeg, void *memory, size_t size)
{
    jpeg_free_small(jpeg, memory, size);
}

struct jpeg_reader {
    struct jpeg_decompress_struct jpeg; /* first: libjpeg hands its address back */
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf out;
};

static void jpeg_fail(j_common_ptr jpeg)
{
    longjmp(((struct jpeg_reader *)jpeg)->out, 1);
}

/* A negative level is a warning, "corrupt data", after which libjpeg would make pixels
 * up. */
static void jpeg_message(j_common_ptr jpeg, int level)
{
    if (level < 0)
        jpeg_fail(jpeg);
}

static void jpeg_watch(j_common_ptr jpeg)
{
    if (((struct jpeg_reader *)jpeg)->jpeg.input_scan_number > JPEG_SCANS)
        jpeg_fail(jpeg);
}

static void jpeg_prepare(struct jpeg_reader *reader)
{
    reader->jpeg.err = jpeg_std_error(&reader->errors);
    reader->errors.error_exit = jpeg_fail;
    reader->errors.emit_message = jpeg_message;
    reader->progress.progress_monitor = jpeg_watch;
}

static void jpeg_rows(struct jpeg_reader *reader, struct image *image)
{
    while (reader->jpeg.output_scanline < image->height) {
        JSAMPROW row = image->pixels + (size_t)reader->jpeg.output_scanline *
                                           image->width * image->channels;
        jpeg_read_scanlines(&reader->jpeg, &row, 1);
    }
    jpeg_finish_decompress(&reader->jpeg);
}

static int jpeg_header(struct jpeg_reader *reader, const uint8_t *bytes, size_t len,
                       const struct shape *shape, struct image *image)
{
    jpeg_create_decompress(&reader->jpeg);
    /* a progressive image keeps two bytes for each of its coefficients */
    reader->jpeg.mem->max_memory_to_use = (long)(8 * shape->pixels_max + (8 << 20));
    reader->jpeg.progress = &reader->progress;
    jpeg_mem_src(&reader->jpeg, bytes, len);
    jpeg_read_header(&reader->jpeg, TRUE);
    int components = reader->jpeg.num_components;
    if (components != 1 && components != 3)
        return fail(MK_EUNPROCESSABLE,
                    "the JPEG image has %d components; gray and RGB are read",
                    components);
    *image = (struct image){reader->jpeg.image_height, reader->jpeg.image_width,
                            (uint32_t)components, NULL};
    reader->jpeg.out_color_space = components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    return check_dimensions(shape, image->height, image->width);
}

static int jpeg_decode(struct jpeg_reader *reader, const uint8_t *bytes, size_t len,
                       const struct shape *shape, struct image *image)
{
    int rc;
    if (setjmp(reader->out))
        return fail(MK_EINPUT,
                    "the body is not a JPEG image, or it is damaged or truncated");
    if ((rc = jpeg_header(reader, bytes, len, shape, image)) < 0 ||
        (rc = allocate(image)) < 0)
        return rc;
    jpeg_start_decompress(&reader->jpeg);
    jpeg_rows(reader, image);
    return 0;
}

static int read_jpeg(const uint8_t *bytes, size_t len, const struct shape *shape,
                     struct image *image)
{
    struct jpeg_reader reader = {0};
    jpeg_prepare(&reader);
    int rc = jpeg_decode(&reader, bytes, len, shape, image);
    jpeg_destroy_decompress(&reader.jpeg);
    return rc;
}

/* ---- */

static int read_raw(const uint8_t *bytes, size_t len, const struct shape *shape,
                    uint8_t *ret_pixels)
{
    size_t want = (size_t)shape->height * shape->width * shape->channels;
    if (len != want)
        return fail(
            MK_EUNPROCESSABLE,
            "raw pixels: %zu bytes came, the model reads %u x %u x %u (height x width x "
            "channels), which is %zu",
            len, shape->height, shape->width, shape->channels, want);
    memcpy(ret_pixels, bytes, len);
    return 0;
}

int image_read(const char *media, const uint8_t *bytes, size_t len,
               const struct shape *shape, uint8_t *ret_pixels)
{
    struct image image = {0};
    int rc;
    if (len == 0)
        return fail(MK_EINPUT, "the body is empty; an image belongs there");
    if (strcmp(media, "image/png") == 0)
        rc = read_png(bytes, len, shape, &image);
    else if (strcmp(media, "image/jpeg") == 0)
        rc = read_jpeg(bytes, len, shape, &image);
    else
        return read_raw(bytes, len, shape, ret_pixels);
    if (rc == 0)
        rc = image_fit(&image, shape, ret_pixels);
    image_done(&image);
    return rc;
}

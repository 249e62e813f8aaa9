/* SPDX-License-Identifier: Apache-2.0 */
/* Images: decoded to the bit where that is defined, refused where they are damaged. */
#include "tests/check.h"

#include <stdio.h>

#include <jpeglib.h>
#include <png.h>

#include "api/image.h"

enum { SIDE = 28 };

static const struct shape gray = {SIDE, SIDE, 1, false, 4096, 16 << 20};
static const struct shape color = {SIDE, SIDE, 3, false, 4096, 16 << 20};

struct file {
    uint8_t *bytes;
    size_t len;
};

/* A picture without symmetries. */
static void paint(uint8_t *pixels, size_t n)
{
    for (size_t i = 0; i < n; i++)
        pixels[i] = (uint8_t)(i * 7 + i / 28 * 13 + (i % 5) * 31);
}

static void png_append(png_structp png, png_bytep bytes, size_t len)
{
    struct file *file = png_get_io_ptr(png);
    file->bytes = realloc(file->bytes, file->len + len);
    memcpy(file->bytes + file->len, bytes, len);
    file->len += len;
}

static struct file png_of(const uint8_t *pixels, uint32_t width, uint32_t height,
                          int type, int depth, int interlace)
{
    struct file file = {0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(png, &file, png_append, NULL);
    png_set_IHDR(png, info, width, height, depth, type, interlace, 0, 0);
    if (type == PNG_COLOR_TYPE_PALETTE) {
        png_color colors[2] = {{10, 20, 30}, {200, 100, 50}};
        png_set_PLTE(png, info, colors, 2);
    }
    png_write_info(png, info);
    for (int pass = png_set_interlace_handling(png); pass > 0; pass--)
        for (uint32_t y = 0; y < height; y++)
            png_write_row(png, pixels + y * png_get_rowbytes(png, info));
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return file;
}

static struct file jpeg_of(const uint8_t *pixels, uint32_t side, int channels,
                           bool progressive)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long len = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &len);
    jpeg.image_width = jpeg.image_height = side;
    jpeg.input_components = channels;
    jpeg.in_color_space = channels == 4   ? JCS_CMYK
                          : channels == 3 ? JCS_RGB
                                          : JCS_GRAYSCALE;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    if (progressive)
        jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < side) {
        JSAMPROW row = (JSAMPROW)pixels + jpeg.next_scanline * side * (size_t)channels;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return (struct file){bytes, len};
}

static int read_file(const char *media, struct file file, const struct shape *shape,
                     uint8_t *ret_pixels)
{
    int rc = image_read(media, file.bytes, file.len, shape, ret_pixels);
    free(file.bytes);
    return rc;
}

static void a_gray_png_is_read_bit_for_bit(void **state)
{
    (void)state;
    uint8_t pixels[SIDE * SIDE], got[SIDE * SIDE];
    paint(pixels, sizeof pixels);
    for (int interlace = 0; interlace < 2; interlace++) {
        memset(got, 0, sizeof got);
        assert_ok(read_file("image/png",
                            png_of(pixels, SIDE, SIDE, PNG_COLOR_TYPE_GRAY, 8, interlace),
                            &gray, got));
        assert_memory_equal(got, pixels, sizeof got);
    }
}

static void raw_bytes_are_the_pixels(void **state)
{
    (void)state;
    uint8_t pixels[SIDE * SIDE], got[SIDE * SIDE];
    paint(pixels, sizeof pixels);
    assert_ok(image_read("application/octet-stream", pixels, sizeof pixels, &gray, got));
    assert_memory_equal(got, pixels, sizeof got);
    assert_int_equal(image_read("application/octet-stream", pixels, 783, &gray, got),
                     MK_EUNPROCESSABLE);
    assert_int_equal(image_read("application/octet-stream", pixels, 0, &gray, got),
                     MK_EINPUT);
}

static void color_becomes_luma_and_gray_is_repeated(void **state)
{
    (void)state;
    uint8_t rgb[SIDE * SIDE * 3], got[SIDE * SIDE], three[SIDE * SIDE * 3];
    for (size_t i = 0; i < SIDE * SIDE; i++)
        memcpy(rgb + 3 * i, (uint8_t[]){255, 0, (uint8_t)i}, 3);
    assert_ok(read_file("image/png", png_of(rgb, SIDE, SIDE, PNG_COLOR_TYPE_RGB, 8, 0),
                        &gray, got));
    /* 0.299 * 255 = 76.2; + 0.114 * 100 = 87.6; + 0.114 * 255 = 105.3 */
    assert_int_equal(got[0], 76);
    assert_int_equal(got[100], 88);
    assert_int_equal(got[255], 105);
    assert_ok(read_file("image/png", png_of(rgb, SIDE, SIDE, PNG_COLOR_TYPE_RGB, 8, 0),
                        &color, three));
    assert_memory_equal(three, rgb, sizeof rgb);
    assert_ok(read_file("image/png", png_of(got, SIDE, SIDE, PNG_COLOR_TYPE_GRAY, 8, 0),
                        &color, three));
    for (size_t i = 0; i < sizeof three; i++)
        assert_int_equal(three[i], got[i / 3]);
}

static void alpha_sixteen_bits_and_palettes_are_reduced(void **state)
{
    (void)state;
    uint8_t source[SIDE * SIDE * 4], got[SIDE * SIDE];
    paint(source, sizeof source);
    assert_ok(read_file("image/png",
                        png_of(source, SIDE, SIDE, PNG_COLOR_TYPE_GRAY_ALPHA, 8, 0),
                        &gray, got));
    for (size_t i = 0; i < sizeof got; i++)
        assert_int_equal(got[i], source[2 * i]);
    assert_ok(read_file(
        "image/png", png_of(source, SIDE, SIDE, PNG_COLOR_TYPE_GRAY, 16, 0), &gray, got));
    for (size_t i = 0; i < sizeof got; i++)
        assert_int_equal(got[i], source[2 * i]);
    memset(source, 0x0f, sizeof source); /* a row of 28 bits: 0000 1111 ... */
    assert_ok(read_file("image/png",
                        png_of(source, SIDE, SIDE, PNG_COLOR_TYPE_PALETTE, 1, 0), &gray,
                        got));
    assert_int_equal(got[0], (299 * 10 + 587 * 20 + 114 * 30 + 500) / 1000);
    assert_int_equal(got[4], (299 * 200 + 587 * 100 + 114 * 50 + 500) / 1000);
}

static void a_jpeg_is_read_baseline_and_progressive(void **state)
{
    (void)state;
    uint8_t pixels[SIDE * SIDE], got[SIDE * SIDE];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i % SIDE * 9);
    for (int progressive = 0; progressive < 2; progressive++) {
        assert_ok(
            read_file("image/jpeg", jpeg_of(pixels, SIDE, 1, progressive), &gray, got));
        for (size_t i = 0; i < sizeof got; i++)
            assert_in_range(got[i] + 3 - pixels[i], 0, 6);
    }
}

static void four_components_are_refused(void **state)
{
    (void)state;
    uint8_t pixels[SIDE * SIDE * 4], got[SIDE * SIDE];
    paint(pixels, sizeof pixels);
    assert_int_equal(read_file("image/jpeg", jpeg_of(pixels, SIDE, 4, false), &gray, got),
                     MK_EUNPROCESSABLE);
}

/* Every prefix of the file is refused; none makes pixels up. */
static void refuse_prefixes(const char *media, struct file file, size_t tail)
{
    uint8_t got[SIDE * SIDE];
    for (size_t len = 0; len + tail < file.len; len++) {
        uint8_t *exact = malloc(len ? len : 1); /* so that the sanitizer sees the end */
        memcpy(exact, file.bytes, len);
        assert_int_equal(image_read(media, exact, len, &gray, got), MK_EINPUT);
        free(exact);
    }
    free(file.bytes);
}

static void a_truncated_image_is_refused_at_every_length(void **state)
{
    (void)state;
    uint8_t pixels[SIDE * SIDE];
    paint(pixels, sizeof pixels);
    refuse_prefixes("image/png", png_of(pixels, SIDE, SIDE, PNG_COLOR_TYPE_GRAY, 8, 0),
                    0);
    /* without the last of the two bytes of its end marker libjpeg has all pixels */
    refuse_prefixes("image/jpeg", jpeg_of(pixels, SIDE, 1, false), 2);
    refuse_prefixes("image/jpeg", jpeg_of(pixels, SIDE, 1, true), 2);
}

/* A changed byte may give another picture or a refusal: anything but a crash or a leak.
 */
static void change_bytes(const char *media, struct file file)
{
    uint8_t got[SIDE * SIDE];
    for (size_t i = 0; i < file.len; i++)
        for (int bit = 0; bit < 8; bit += 3) {
            file.bytes[i] ^= (uint8_t)(1 << bit);
            int rc = image_read(media, file.bytes, file.len, &gray, got);
            assert_true(rc == 0 || rc == MK_EINPUT || rc == MK_ETOOBIG ||
                        rc == MK_EUNPROCESSABLE);
            file.bytes[i] ^= (uint8_t)(1 << bit);
        }
    free(file.bytes);
}

static void a_damaged_image_is_never_trusted(void **state)
{
    (void)state;
    uint8_t pixels[SIDE * SIDE];
    paint(pixels, sizeof pixels);
    change_bytes("image/png", png_of(pixels, SIDE, SIDE, PNG_COLOR_TYPE_GRAY, 8, 1));
    change_bytes("image/jpeg", jpeg_of(pixels, SIDE, 1, false));
    change_bytes("image/jpeg", jpeg_of(pixels, SIDE, 1, true));
}

/* The header alone decides: nothing is decoded, nothing is allocated. */
static void a_bomb_is_refused_by_its_dimensions(void **state)
{
    (void)state;
    uint8_t pixels[SIDE * SIDE], got[SIDE * SIDE];
    paint(pixels, sizeof pixels);
    struct file png = png_of(pixels, SIDE, SIDE, PNG_COLOR_TYPE_GRAY, 8, 0);
    memcpy(png.bytes + 16, (uint8_t[]){0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff},
           8);
    assert_int_equal(read_file("image/png", png, &gray, got), MK_ETOOBIG);
    struct file jpeg = jpeg_of(pixels, SIDE, 1, false);
    uint8_t *frame = memmem(jpeg.bytes, jpeg.len, (uint8_t[]){0xff, 0xc0}, 2);
    memcpy(frame + 5, (uint8_t[]){0xff, 0x00, 0xff, 0x00}, 4);
    assert_int_equal(read_file("image/jpeg", jpeg, &gray, got), MK_ETOOBIG);
}

static void a_png_is_no_jpeg(void **state)
{
    (void)state;
    uint8_t pixels[SIDE * SIDE], got[SIDE * SIDE];
    paint(pixels, sizeof pixels);
    assert_int_equal(read_file("image/jpeg",
                               png_of(pixels, SIDE, SIDE, PNG_COLOR_TYPE_GRAY, 8, 0),
                               &gray, got),
                     MK_EINPUT);
    assert_int_equal(read_file("image/png", jpeg_of(pixels, SIDE, 1, false), &gray, got),
                     MK_EINPUT);
}

static void another_size_is_resized_only_if_the_model_says_so(void **state)
{
    (void)state;
    uint8_t small[4] = {0, 100, 200, 40}, got[16];
    struct image image = {2, 2, 1, small};
    struct shape shape = {4, 4, 1, false, 4096, 4096};
    assert_int_equal(image_fit(&image, &shape, got), MK_EUNPROCESSABLE);
    shape.resize = true;
    assert_ok(image_fit(&image, &shape, got));
    /* centres aligned: weights 0, 1/4, 3/4, 1 along each side */
    const uint8_t first_row[4] = {0, 25, 75, 100}, last_row[4] = {200, 160, 80, 40};
    assert_memory_equal(got, first_row, 4);
    assert_memory_equal(got + 12, last_row, 4);
    assert_int_equal(got[4], 50);
    assert_int_equal(got[5], 59); /* (0*9 + 100*3 + 200*3 + 40) / 16 = 58.75 */
}

static void a_plain_image_stays_plain_at_every_size(void **state)
{
    (void)state;
    uint8_t pixels[37 * 37], got[SIDE * SIDE];
    struct shape shape = gray;
    shape.resize = true;
    memset(pixels, 173, sizeof pixels);
    for (uint32_t side = 1; side <= 37; side++) {
        struct image image = {side, 38 - side, 1, pixels};
        assert_ok(image_fit(&image, &shape, got));
        for (size_t i = 0; i < sizeof got; i++)
            assert_int_equal(got[i], 173);
    }
}

/* Weights of a reduction by half: 1, 3, 3, 1 of 8; at the edge 3, 3, 1 of 7. */
static void a_reduction_reads_all_pixels_by_a_triangle(void **state)
{
    (void)state;
    uint8_t line[8] = {70, 7, 0, 80, 160, 240, 70, 70}, got[4];
    struct image image = {1, 8, 1, line};
    struct shape shape = {1, 4, 1, true, 4096, 4096};
    assert_ok(image_fit(&image, &shape, got));
    assert_int_equal(got[0], 33);  /* (3 70 + 3 7 + 0) / 7 */
    assert_int_equal(got[1], 51);  /* (7 + 3 0 + 3 80 + 160) / 8 = 50.875 */
    assert_int_equal(got[2], 169); /* (80 + 3 160 + 3 240 + 70) / 8 = 168.75 */
    image = (struct image){8, 1, 1, line};
    shape = (struct shape){4, 1, 1, true, 4096, 4096};
    assert_ok(image_fit(&image, &shape, got));
    assert_int_equal(got[0], 33);
    assert_int_equal(got[2], 169);
}

/* A stroke of one pixel leaves the same ink wherever it stands. */
static void a_thin_line_is_never_stepped_over(void **state)
{
    (void)state;
    enum { LARGE = 105 };
    uint8_t pixels[LARGE * LARGE], got[28 * 28];
    struct image image = {LARGE, LARGE, 1, pixels};
    struct shape shape = {28, 28, 1, true, 4096, 4096};
    for (size_t at = 4; at < LARGE - 4; at++) {
        memset(pixels, 0, sizeof pixels);
        for (size_t y = 0; y < LARGE; y++)
            pixels[y * LARGE + at] = 255;
        assert_ok(image_fit(&image, &shape, got));
        int ink = 0;
        for (size_t x = 0; x < 28; x++)
            ink += got[14 * 28 + x];
        assert_in_range(ink, 66, 70); /* 255 28 / 105 = 68 */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gray_png_is_read_bit_for_bit),
        cmocka_unit_test(raw_bytes_are_the_pixels),
        cmocka_unit_test(color_becomes_luma_and_gray_is_repeated),
        cmocka_unit_test(alpha_sixteen_bits_and_palettes_are_reduced),
        cmocka_unit_test(a_jpeg_is_read_baseline_and_progressive),
        cmocka_unit_test(four_components_are_refused),
        cmocka_unit_test(a_truncated_image_is_refused_at_every_length),
        cmocka_unit_test(a_damaged_image_is_never_trusted),
        cmocka_unit_test(a_bomb_is_refused_by_its_dimensions),
        cmocka_unit_test(a_png_is_no_jpeg),
        cmocka_unit_test(another_size_is_resized_only_if_the_model_says_so),
        cmocka_unit_test(a_reduction_reads_all_pixels_by_a_triangle),
        cmocka_unit_test(a_thin_line_is_never_stepped_over),
        cmocka_unit_test(a_plain_image_stays_plain_at_every_size),
    };
    return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}

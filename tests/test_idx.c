/* SPDX-License-Identifier: Apache-2.0 */
/* IDX files: plain and compressed ones are read, wrong ones are refused. */
#include "tests/check.h"

#include <zlib.h>

#include "daemon/idx.h"

static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2,  0,  0,
                                 0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9};

/* gzip of some bytes; ret: room for 256. */
static size_t compress_bytes(const void *bytes, size_t len, uint8_t *ret)
{
    z_stream z = {.next_in = (Bytef *)bytes, .avail_in = (uInt)len};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, 0), Z_OK);
    z.next_out = ret;
    z.avail_out = 256;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static void assert_images(const void *bytes, size_t len)
{
    struct idx idx;
    assert_ok(idx_parse(bytes, len, &idx));
    assert_int_equal(idx.dims, 3);
    assert_int_equal(idx.n, 2);
    assert_int_equal(idx.height, 2);
    assert_int_equal(idx.width, 3);
    assert_memory_equal(idx.data, images + 16, 12);
    idx_free(&idx);
}

static void images_are_read_plain_and_compressed(void **state)
{
    (void)state;
    uint8_t zipped[256];
    assert_images(images, sizeof images);
    assert_images(zipped, compress_bytes(images, sizeof images, zipped));
}

static void labels_have_one_dimension(void **state)
{
    (void)state;
    struct idx idx;
    assert_ok(idx_parse(labels, sizeof labels, &idx));
    assert_int_equal(idx.dims, 1);
    assert_int_equal(idx.n, 3);
    assert_int_equal(idx.height * idx.width, 1);
    assert_int_equal(idx.data[2], 9);
    idx_free(&idx);
}

static void assert_refused(const void *bytes, size_t len)
{
    struct idx idx;
    uint8_t *exact = malloc(len + !len); /* so that a sanitizer sees a read behind it */
    memcpy(exact, bytes, len);
    assert_int_equal(idx_parse(exact, len, &idx), MK_EINPUT);
    free(exact);
}

static void a_file_cut_short_is_refused_wherever_it_is_cut(void **state)
{
    (void)state;
    uint8_t zipped[256];
    size_t len = compress_bytes(images, sizeof images, zipped);
    for (size_t n = 0; n < sizeof images; n++)
        assert_refused(images, n);
    for (size_t n = 0; n < len; n++)
        assert_refused(zipped, n);
}

static void bytes_too_many_are_refused(void **state)
{
    (void)state;
    uint8_t more[sizeof images + 1] = {0}, zipped[256];
    memcpy(more, images, sizeof images);
    assert_refused(more, sizeof more);
    assert_refused(zipped, compress_bytes(more, sizeof more, zipped));
}

static void a_wrong_checksum_is_refused(void **state)
{
    (void)state;
    uint8_t zipped[256];
    size_t len = compress_bytes(images, sizeof images, zipped);
    zipped[len - 8] ^= 1;
    assert_refused(zipped, len);
}

static void other_types_and_dimensions_are_refused(void **state)
{
    (void)state;
    uint8_t wrong[sizeof images];
    const size_t at[] = {0, 1, 2, 3};
    for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
        memcpy(wrong, images, sizeof images);
        wrong[at[i]] ^= 1;
        assert_refused(wrong, sizeof wrong);
    }
}

static void sizes_whose_product_is_no_size_are_refused(void **state)
{
    (void)state;
    struct idx idx;
    uint8_t wrong[sizeof images];
    memcpy(wrong, images, sizeof images);
    memset(wrong + 4, 0xff, 12);
    assert_int_equal(idx_parse(wrong, sizeof wrong, &idx), MK_ETOOBIG);
    const uint8_t wraps[] = {0, 0, 8, 3, 0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 4};
    assert_int_equal(idx_parse(wraps, sizeof wraps, &idx), MK_ETOOBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_read_plain_and_compressed),
        cmocka_unit_test(labels_have_one_dimension),
        cmocka_unit_test(a_file_cut_short_is_refused_wherever_it_is_cut),
        cmocka_unit_test(bytes_too_many_are_refused),
        cmocka_unit_test(a_wrong_checksum_is_refused),
        cmocka_unit_test(other_types_and_dimensions_are_refused),
        cmocka_unit_test(sizes_whose_product_is_no_size_are_refused),
    };
    return cmocka_run_group_tests_name("idx", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors: what is written can be read, and what is wrong is refused with its reason.
 */
#include "tests/check.h"

#include <math.h>
#include <stdio.h>

#include "core/safetensors.h"

#define T(dtype, shape, begin, end)                                                      \
    "{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"
#define GOOD T("\"F32\"", "[2]", "0", "8")

/* Each: a header, how many zero bytes follow, and a part of the reason. */
static const struct bad {
    const char *header;
    size_t data_len;
    const char *why;
} bad[] = {
    {"", 0, "does not begin with {"},
    {"[]", 0, "does not begin with {"},
    {" {}", 0, "does not begin with {"},
    {"{", 0, "not JSON"},
    {"{} x", 0, "not JSON"},
    {"{\"a\":" GOOD ",\"a\":" GOOD "}", 8, "not JSON"},
    {"{\"\xff\":" GOOD "}", 8, "not JSON"},
    {"{\"a\":[]}", 0, "dtype, shape and data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "dtype, shape and data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}", 8,
     "dtype, shape and data_offsets"},
    {"{\"a\":" T("\"F16\"", "[2]", "0", "4") "}", 4, "dtype must be F32"},
    {"{\"a\":" T("\"f32\"", "[2]", "0", "8") "}", 8, "dtype must be F32"},
    {"{\"a\":" T("1", "[2]", "0", "8") "}", 8, "dtype must be F32"},
    {"{\"a\":" T("\"F32\"", "2", "0", "8") "}", 8, "shape is a list"},
    {"{\"a\":" T("\"F32\"", "[1,1,1,1,2]", "0", "8") "}", 8,
     "shape is a list of at most"},
    {"{\"a\":" T("\"F32\"", "[-2]", "0", "8") "}", 8, "whole number"},
    {"{\"a\":" T("\"F32\"", "[2.0]", "0", "8") "}", 8, "whole number"},
    {"{\"a\":" T("\"F32\"", "[\"2\"]", "0", "8") "}", 8, "whole number"},
    {"{\"a\":" T("\"F32\"", "[true]", "0", "8") "}", 8, "whole number"},
    {"{\"a\":" T("\"F32\"", "[0]", "0", "0") "}", 0, "has no numbers"},
    {"{\"a\":" T("\"F32\"", "[2]", "0", "8.0") "}", 8, "whole number"},
    {"{\"a\":" T("\"F32\"", "[2]", "-8", "0") "}", 8, "whole number"},
    {"{\"a\":" T("\"F32\"", "[2]", "0", "99999999999999999999") "}", 8, "not JSON"},
    {"{\"a\":" T("\"F32\"", "[2]", "8", "0") "}", 8, "do not lie in the file"},
    {"{\"a\":" T("\"F32\"", "[2]", "0", "12") "}", 8, "do not lie in the file"},
    {"{\"a\":" T("\"F32\"", "[3]", "0", "8") "}", 8, "its shape needs 12 bytes"},
    {"{\"a\":" T("\"F32\"", "[2]", "0", "7") "}", 8, "its shape needs 8 bytes"},
    /* 2^62 + 1 numbers of 4 bytes are 4 bytes, in 64 bits */
    {"{\"a\":" T("\"F32\"", "[4611686018427387905]", "0", "4") "}", 4, "larger than any"},
    {"{\"a\":" T("\"F32\"", "[4294967296,4294967296]", "0", "0") "}", 0,
     "larger than any"},
    {"{\"a\":" T("\"F32\"", "[3037000500,3037000500]", "0", "8") "}", 8,
     "larger than any"},
    {"{\"a\":" GOOD ",\"b\":" T("\"F32\"", "[2]", "4", "12") "}", 12, "overlaps"},
    {"{\"a\":" GOOD ",\"b\":" GOOD "}", 8, "overlaps"},
    {"{\"a\":" GOOD ",\"b\":" T("\"F32\"", "[1]", "12", "16") "}", 16, "leaves a hole"},
    {"{\"a\":" T("\"F32\"", "[1]", "4", "8") "}", 8, "leaves a hole"},
    {"{\"a\":" GOOD "}", 9, "belong to no tensor"},
    {"{}", 4, "belong to no tensor"},
    {"{\"__metadata__\":[]}", 0, "object of strings"},
    {"{\"__metadata__\":{\"k\":4}}", 0, "every value is a string"},
};

/* A file with this header; the caller frees it. */
static uint8_t *build(const char *header, size_t data_len, size_t *ret_len)
{
    uint64_t header_len = strlen(header);
    uint8_t *file = calloc(1, 8 + header_len + data_len);
    memcpy(file, &header_len, 8);
    memcpy(file + 8, header, header_len);
    *ret_len = 8 + header_len + data_len;
    return file;
}

static void assert_refused(const uint8_t *file, size_t len, const char *why)
{
    struct safetensors *parsed = NULL;
    assert_int_equal(safetensors_parse(file, len, &parsed), MK_EINPUT);
    assert_null(parsed);
    if (!strstr(err_why(), why))
        print_error("\"%s\" does not say \"%s\"\n", err_why(), why);
    assert_non_null(strstr(err_why(), why));
}

static void a_wrong_header_is_refused_with_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        size_t len;
        uint8_t *file = build(bad[i].header, bad[i].data_len, &len);
        assert_refused(file, len, bad[i].why);
        free(file);
    }
}

static void a_header_longer_than_the_file_or_a_mebibyte_is_refused(void **state)
{
    (void)state;
    uint8_t *file = calloc(1, 9 + (1 << 20));
    uint64_t len = 0;
    for (size_t n = 0; n < 8; n++)
        assert_refused(file, n, "shorter than the 8 bytes");
    assert_refused(file, 8, "does not begin with {");
    memset(file + 8, '{', 2);
    len = 3;
    memcpy(file, &len, 8);
    assert_refused(file, 10, "a header of 3 bytes");
    len = (1 << 20) + 1;
    memcpy(file, &len, 8);
    assert_refused(file, 9 + (1 << 20), "a header of 1048577 bytes");
    memset(file, 0xff, 8);
    assert_refused(file, 100, "a header of 18446744073709551615 bytes");
    free(file);
}

static void a_number_that_is_not_finite_is_refused(void **state)
{
    (void)state;
    const float wrong[] = {NAN, -NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        size_t len;
        uint8_t *file = build("{\"a\":" GOOD "}", 8, &len);
        memcpy(file + len - 4, &wrong[i], 4);
        assert_refused(file, len, "not finite");
        free(file);
    }
}

static void what_is_written_can_be_read(void **state)
{
    (void)state;
    const float a[] = {1, 2, 3, 4, 5, 6}, b[] = {-7.5f};
    const struct safetensors_entry entries[] = {{"a", 2, 3, a}, {"b", 0, 1, b}};
    json_t *metadata = json_pack("{s:s}", "profile", "F");
    struct safetensors *file;
    float read[6];
    void *bytes;
    size_t len;
    assert_ok(safetensors_format(metadata, entries, 2, &bytes, &len));
    assert_ok(safetensors_parse(bytes, len, &file));
    assert_int_equal(safetensors_count(file), 2);
    assert_string_equal(safetensors_metadata(file, "profile"), "F");
    assert_null(safetensors_metadata(file, "other"));
    assert_ok(safetensors_read(file, "a", 2, 3, read));
    assert_memory_equal(read, a, sizeof a);
    assert_ok(safetensors_read(file, "b", 0, 1, read));
    assert_memory_equal(read, b, sizeof b);
    assert_int_equal(safetensors_read(file, "c", 0, 1, read), MK_EINPUT);
    assert_int_equal(safetensors_read(file, "a", 3, 2, read), MK_EINPUT);
    assert_int_equal(safetensors_read(file, "a", 0, 6, read), MK_EINPUT);
    safetensors_free(file);
    json_decref(metadata);
    free(bytes);
}

static void a_file_cut_short_is_refused_wherever_it_is_cut(void **state)
{
    (void)state;
    const float a[] = {1, 2, 3};
    const struct safetensors_entry entry = {"a", 0, 3, a};
    json_t *metadata = json_object();
    struct safetensors *parsed;
    void *bytes;
    size_t len;
    assert_ok(safetensors_format(metadata, &entry, 1, &bytes, &len));
    for (size_t n = 0; n < len; n++) {
        uint8_t *cut = malloc(n + 1); /* so that a sanitizer sees a read behind it */
        memcpy(cut, bytes, n);
        assert_int_equal(safetensors_parse(cut, n, &parsed), MK_EINPUT);
        free(cut);
    }
    json_decref(metadata);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_header_is_refused_with_its_reason),
        cmocka_unit_test(a_header_longer_than_the_file_or_a_mebibyte_is_refused),
        cmocka_unit_test(a_number_that_is_not_finite_is_refused),
        cmocka_unit_test(what_is_written_can_be_read),
        cmocka_unit_test(a_file_cut_short_is_refused_wherever_it_is_cut),
    };
    return cmocka_run_group_tests_name("safetensors", tests, NULL, NULL);
}

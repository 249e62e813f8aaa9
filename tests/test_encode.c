/* SPDX-License-Identifier: Apache-2.0 */
/* Hex, base64 and base64url: the examples of RFC 4648, and one text for each value. */
#include "tests/check.h"

#include "storage/encode.h"

static void the_examples_of_rfc_4648_come_out(void **state)
{
    (void)state;
    static const struct {
        const char *data, *base64, *base64url, *hex;
    } examples[] = {
        {"", "", "", ""},
        {"f", "Zg==", "Zg", "66"},
        {"fo", "Zm8=", "Zm8", "666f"},
        {"foo", "Zm9v", "Zm9v", "666f6f"},
        {"foob", "Zm9vYg==", "Zm9vYg", "666f6f62"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE", "666f6f6261"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy", "666f6f626172"},
        {"\xfb\xff\xfe", "+//+", "-__-", "fbfffe"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
        char text[32];
        uint8_t back[8];
        size_t len = strlen(examples[i].data);
        base64_encode(examples[i].data, len, text);
        assert_string_equal(text, examples[i].base64);
        assert_int_equal(strlen(text) + 1, BASE64_SIZE(len));
        assert_ok(base64_decode(text, strlen(text), back, len));
        assert_memory_equal(back, examples[i].data, len);
        base64url_encode(examples[i].data, len, text);
        assert_string_equal(text, examples[i].base64url);
        assert_int_equal(strlen(text) + 1, BASE64URL_SIZE(len));
        assert_int_equal(base64url_len(strlen(text)), len);
        assert_ok(base64url_decode(text, strlen(text), back, len));
        assert_memory_equal(back, examples[i].data, len);
        hex_encode(examples[i].data, len, text);
        assert_string_equal(text, examples[i].hex);
        assert_ok(hex_decode(text, strlen(text), back, len));
        assert_memory_equal(back, examples[i].data, len);
    }
}

static void every_byte_survives_the_way_there_and_back(void **state)
{
    (void)state;
    uint8_t data[256], back[256];
    char text[HEX_SIZE(sizeof data)];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    for (size_t len = 0; len <= sizeof data; len++) {
        base64url_encode(data, len, text);
        assert_ok(base64url_decode(text, strlen(text), back, len));
        assert_memory_equal(back, data, len);
    }
    hex_encode(data, sizeof data, text);
    assert_ok(hex_decode(text, strlen(text), back, sizeof back));
    assert_memory_equal(back, data, sizeof data);
}

static void a_second_text_for_a_value_is_refused(void **state)
{
    (void)state;
    uint8_t out[4] = {7, 7, 7, 7};
    static const struct {
        int (*decode)(const char *, size_t, uint8_t *, size_t);
        const char *text;
        size_t len;
    } wrong[] = {
        {hex_decode, "AB", 1},         {hex_decode, "a", 1},
        {hex_decode, "abc", 1},        {hex_decode, "g0", 1},
        {base64_decode, "Zh==", 1},    {base64_decode, "Zg=", 1},
        {base64_decode, "Zg", 1},      {base64_decode, "Zg=a", 1},
        {base64_decode, "====", 1},    {base64_decode, "Zm9=", 2},
        {base64_decode, "Zm9v\n", 3},  {base64_decode, "Zm-_", 3},
        {base64url_decode, "Zh", 1},   {base64url_decode, "Zg==", 1},
        {base64url_decode, "Z", 1},    {base64url_decode, "Zm9v", 2},
        {base64url_decode, "Zm+/", 3}, {base64url_decode, "Zm 8", 3},
    };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(
            wrong[i].decode(wrong[i].text, strlen(wrong[i].text), out, wrong[i].len),
            MK_EINPUT);
    assert_int_equal(base64url_decode("Zm\0v", 4, out, 3), MK_EINPUT);
    assert_memory_equal(out, ((uint8_t[]){7, 7, 7, 7}), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_rfc_4648_come_out),
        cmocka_unit_test(every_byte_survives_the_way_there_and_back),
        cmocka_unit_test(a_second_text_for_a_value_is_refused),
    };
    return cmocka_run_group_tests_name("encode", tests, NULL, NULL);
}

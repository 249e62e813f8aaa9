/* SPDX-License-Identifier: Apache-2.0 */
/* Hex, base64 and base64url, with strict decoding; UTF-8. */
#include "storage/encode.h"

#include <string.h>

#include "core/err.h"

static const char hex_digits[] = "0123456789abcdef";
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void hex_encode(const void *data, size_t len, char *ret_text)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < len; i++) {
        *ret_text++ = hex_digits[bytes[i] >> 4];
        *ret_text++ = hex_digits[bytes[i] & 15];
    }
    *ret_text = '\0';
}

/* The place of a character among the digits, or -1. */
static int digit(const char *digits, char c)
{
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static bool all_digits(const char *digits, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (digit(digits, text[i]) < 0)
            return false;
    return true;
}

int hex_decode(const char *text, size_t text_len, uint8_t *ret_data, size_t len)
{
    if (text_len != 2 * len || !all_digits(hex_digits, text, text_len))
        return fail(MK_EINPUT, "expected %zu lower-case hex digits", 2 * len);
    for (size_t i = 0; i < len; i++)
        ret_data[i] = (uint8_t)(digit(hex_digits, text[2 * i]) << 4 |
                                digit(hex_digits, text[2 * i + 1]));
    return 0;
}

/* Without padding; returns the end. */
static char *encode64(const char *digits, const uint8_t *data, size_t len, char *out)
{
    uint32_t bits = 0;
    unsigned held = 0; /* bits not written yet */
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | data[i];
        for (held += 8; held >= 6; held -= 6)
            *out++ = digits[bits >> (held - 6) & 63];
    }
    if (held > 0)
        *out++ = digits[bits << (6 - held) & 63];
    return out;
}

void base64_encode(const void *data, size_t len, char *ret_text)
{
    char *end = encode64(base64_digits, data, len, ret_text);
    while ((end - ret_text) % 4 != 0)
        *end++ = '=';
    *end = '\0';
}

void base64url_encode(const void *data, size_t len, char *ret_text)
{
    *encode64(base64url_digits, data, len, ret_text) = '\0';
}

/* Without padding; text_len is right for len. */
static int decode64(const char *digits, const char *text, size_t text_len, uint8_t *out,
                    size_t len)
{
    /* RFC 4648, 3.5: "the pad bits MUST be set to zero", so that no two texts are one
     * value. */
    unsigned spare = (unsigned)(6 * text_len - 8 * len);
    if (!all_digits(digits, text, text_len) ||
        (text_len > 0 && digit(digits, text[text_len - 1]) & ((1 << spare) - 1)))
        return fail(MK_EINPUT, "a stray character in base64");
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < text_len; i++) {
        bits = bits << 6 | (uint32_t)digit(digits, text[i]);
        held += 6;
        if (held >= 8)
            *out++ = (uint8_t)(bits >> (held -= 8));
    }
    return 0;
}

int base64_decode(const char *text, size_t text_len, uint8_t *ret_data, size_t len)
{
    size_t digits = BASE64URL_SIZE(len) - 1;
    if (text_len != BASE64_SIZE(len) - 1 ||
        memcmp(text + digits, "==", text_len - digits) != 0)
        return fail(MK_EINPUT, "expected %zu characters of base64", BASE64_SIZE(len) - 1);
    return decode64(base64_digits, text, digits, ret_data, len);
}

int base64url_decode(const char *text, size_t text_len, uint8_t *ret_data, size_t len)
{
    if (text_len != BASE64URL_SIZE(len) - 1)
        return fail(MK_EINPUT, "expected %zu characters of base64url",
                    BASE64URL_SIZE(len) - 1);
    return decode64(base64url_digits, text, text_len, ret_data, len);
}

size_t base64url_len(size_t text_len)
{
    return text_len / 4 * 3 + (text_len % 4 * 6) / 8;
}

/* RFC 3629 section 4: bytes in a sequence that starts with c, and the range of its
 * second. */
static size_t sequence(unsigned char c, unsigned char *ret_low, unsigned char *ret_high)
{
    *ret_low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    *ret_high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    return c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
}

bool is_utf8(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len;) {
        unsigned char low, high;
        size_t n = sequence((unsigned char)bytes[i], &low, &high);
        if (n == 0 || n > len - i)
            return false;
        for (size_t j = 1; j < n; j++, low = 0x80, high = 0xbf)
            if ((unsigned char)bytes[i + j] < low || (unsigned char)bytes[i + j] > high)
                return false;
        i += n;
    }
    return true;
}

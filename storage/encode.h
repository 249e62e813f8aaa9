/* SPDX-License-Identifier: Apache-2.0 */
/* Text forms of bytes: lower-case hex, base64 and base64url (RFC 4648, sections 4 and 5), UTF-8.
 *
 *     char text[HEX_SIZE(32)];
 *     hex_encode(digest, 32, text);
 *     if (hex_decode(text, strlen(text), digest, 32) < 0)
 *         ...
 *
 * Decoding is strict, so that every value has exactly one text: upper-case hex, missing
 * or surplus padding, stray characters and non-zero trailing bits are refused.
 */
#ifndef MUNKEY_STORAGE_ENCODE_H
#define MUNKEY_STORAGE_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters with the final NUL. */
#define HEX_SIZE(len) (2 * (len) + 1)
#define BASE64_SIZE(len) (((len) + 2) / 3 * 4 + 1)  /* padded */
#define BASE64URL_SIZE(len) (((len)*4 + 2) / 3 + 1) /* not padded */

void hex_encode(const void *data, size_t len, char *ret_text);
void base64_encode(const void *data, size_t len, char *ret_text);
void base64url_encode(const void *data, size_t len, char *ret_text);

/* A text that has to hold exactly len bytes.  MK_EINPUT; ret_data is then untouched. */
int hex_decode(const char *text, size_t text_len, uint8_t *ret_data, size_t len);
int base64_decode(const char *text, size_t text_len, uint8_t *ret_data, size_t len);
int base64url_decode(const char *text, size_t text_len, uint8_t *ret_data, size_t len);

/* How many bytes a base64url text of this length holds. */
size_t base64url_len(size_t text_len);

/* Whether the bytes are well-formed UTF-8 (RFC 3629: no overlong form, no surrogate). */
bool is_utf8(const char *bytes, size_t len);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts as compact JWS, and the JWK sets that hold their keys. */
#include "storage/receipt.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/encode.h"

enum { HEADER_SIZE = 128, HEADER_TEXT_SIZE = BASE64URL_SIZE(HEADER_SIZE) };

/* The one header that munkeyd writes and reads: keys sorted, no spaces. */
#define HEADER_FORMAT "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"munkeyd-receipt+jws\"}"

static void public_text(const uint8_t *public,
                        char ret_x[static BASE64URL_SIZE(ED25519_SIZE)])
{
    base64url_encode(public, ED25519_SIZE, ret_x);
}

/* RFC 7638, 3: "only the required members ... lexicographically ordered"; for OKP keys
 * these are crv, kty and x (RFC 8037, 2). */
void receipt_kid(const uint8_t public[static ED25519_SIZE], char ret_kid[static KID_SIZE])
{
    char x[BASE64URL_SIZE(ED25519_SIZE)], jwk[128];
    uint8_t thumbprint[SHA256_SIZE];
    public_text(public, x);
    int len = snprintf(jwk, sizeof jwk,
                       "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}", x);
    crypto_sha256(jwk, (size_t)len, thumbprint);
    base64url_encode(thumbprint, sizeof thumbprint, ret_kid);
}

/* The header's text in a JWS. */
static void header_text(const char *kid, char ret_text[static HEADER_TEXT_SIZE])
{
    char header[HEADER_SIZE];
    int len = snprintf(header, sizeof header, HEADER_FORMAT, kid);
    assert(len > 0 && (size_t)len < sizeof header);
    base64url_encode(header, (size_t)len, ret_text);
}

/* RFC 7515, 5.1: BASE64URL(header) || '.' || BASE64URL(payload), with room for the
 * signature. NULL without memory. */
static char *signing_input(const char *kid, const char *entry, size_t len)
{
    char header[HEADER_TEXT_SIZE];
    header_text(kid, header);
    size_t head = strlen(header) + 1;
    char *text =
        calloc(1, head + BASE64URL_SIZE(len) + 1 + BASE64URL_SIZE(SIGNATURE_SIZE));
    if (!text)
        return NULL;
    memcpy(text, header, head - 1);
    text[head - 1] = '.';
    base64url_encode(entry, len, text + head);
    return text;
}

int receipt_sign(const struct signer *signer, const char *entry, size_t len,
                 uint8_t ret_signature[static SIGNATURE_SIZE])
{
    uint8_t public[ED25519_SIZE];
    char kid[KID_SIZE];
    signer_public(signer, public);
    receipt_kid(public, kid);
    char *text = signing_input(kid, entry, len);
    if (!text)
        return fail(MK_ENOMEM, "no memory for a receipt");
    signer_sign(signer, text, strlen(text), ret_signature);
    free(text);
    return 0;
}

int receipt_write(const char *kid, const char *entry, size_t len,
                  const uint8_t signature[static SIGNATURE_SIZE], char **ret_jws)
{
    char *text = signing_input(kid, entry, len);
    if (!text)
        return fail(MK_ENOMEM, "no memory for a receipt");
    size_t signed_len = strlen(text);
    text[signed_len] = '.';
    base64url_encode(signature, SIGNATURE_SIZE, text + signed_len + 1);
    *ret_jws = text;
    return 0;
}

/* The kid of a header, if the header is the one that munkeyd writes for that kid: other
 * algorithms, `crit`, embedded keys and the like cannot even be expressed. */
static bool parse_header(const char *text, size_t len, char ret_kid[static KID_SIZE])
{
    uint8_t header[HEADER_SIZE] = {0};
    size_t header_len = base64url_len(len);
    static const char before[] = "{\"alg\":\"EdDSA\",\"kid\":\"";
    size_t at = strlen(before);
    if (header_len < at + KID_SIZE || header_len >= sizeof header ||
        base64url_decode(text, len, header, header_len) < 0)
        return false;
    memcpy(ret_kid, header + at, KID_SIZE - 1);
    ret_kid[KID_SIZE - 1] = '\0';
    char again[HEADER_TEXT_SIZE];
    header_text(ret_kid, again);
    return strlen(again) == len && memcmp(again, text, len) == 0;
}

int receipt_parse(const char *jws, struct receipt *ret_receipt)
{
    static const char what[] = "a receipt is header.payload.signature in base64url";
    const char *payload = strchr(jws, '.');
    const char *signature = payload ? strchr(payload + 1, '.') : NULL;
    struct receipt receipt = {0};
    if (!signature || strlen(jws) > RECEIPT_MAX)
        return fail(MK_EINPUT, "%s", what);
    if (!parse_header(jws, (size_t)(payload - jws), receipt.kid))
        return fail(MK_EINPUT, "the receipt's header is not one that munkeyd writes");
    payload++;
    size_t payload_len = (size_t)(signature - payload);
    receipt.signed_part = (struct bytes){jws, (size_t)(signature - jws)};
    signature++;
    receipt.entry_len = base64url_len(payload_len);
    if (base64url_decode(signature, strlen(signature), receipt.signature,
                         SIGNATURE_SIZE) < 0)
        return fail(MK_EINPUT, "%s", what);
    receipt.entry = calloc(1, receipt.entry_len + 1);
    if (!receipt.entry)
        return fail(MK_ENOMEM, "no memory for a receipt");
    if (base64url_decode(payload, payload_len, (uint8_t *)receipt.entry,
                         receipt.entry_len) < 0) {
        receipt_done(&receipt);
        return fail(MK_EINPUT, "%s", what);
    }
    *ret_receipt = receipt;
    return 0;
}

bool receipt_verify(const struct receipt *receipt,
                    const uint8_t public[static ED25519_SIZE])
{
    return crypto_verify(public, receipt->signed_part.data, receipt->signed_part.len,
                         receipt->signature);
}

void receipt_done(struct receipt *receipt)
{
    free(receipt->entry);
    receipt->entry = NULL;
}

static json_t *jwk_of(const uint8_t public[static ED25519_SIZE])
{
    char x[BASE64URL_SIZE(ED25519_SIZE)], kid[KID_SIZE];
    public_text(public, x);
    receipt_kid(public, kid);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "alg", "EdDSA", "crv", "Ed25519",
                     "kid", kid, "kty", "OKP", "use", "sig", "x", x);
}

int jwks_write(const uint8_t (*keys)[ED25519_SIZE], size_t n, char **ret_jwks)
{
    json_auto_t *root = json_pack("{s:[]}", "keys");
    int rc = root ? 0 : -1;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = json_array_append_new(json_object_get(root, "keys"), jwk_of(keys[i]));
    char *text = rc == 0 ? json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    if (!text)
        return fail(MK_ENOMEM, "no memory for a JWK set");
    *ret_jwks = text;
    return 0;
}

static bool member_is(const json_t *jwk, const char *name, const char *value)
{
    const char *text = json_string_value(json_object_get(jwk, name));
    return text && strcmp(text, value) == 0;
}

/* The kid is trusted only as far as it is the key's thumbprint. */
static int jwk_public(const json_t *jwk, const char *kid,
                      uint8_t ret_public[static ED25519_SIZE])
{
    const json_t *member = json_object_get(jwk, "x");
    const char *x = json_string_value(member);
    uint8_t public[ED25519_SIZE];
    char thumbprint[KID_SIZE];
    if (!member_is(jwk, "kty", "OKP") || !member_is(jwk, "crv", "Ed25519") || !x ||
        base64url_decode(x, json_string_length(member), public, sizeof public) < 0)
        return fail(MK_EINPUT, "the key that the receipt names is not an Ed25519 key");
    receipt_kid(public, thumbprint);
    if (strcmp(thumbprint, kid) != 0)
        return fail(MK_EINPUT, "a key's kid is not its thumbprint (RFC 7638)");
    memcpy(ret_public, public, sizeof public);
    return 0;
}

int jwks_find(const char *jwks, const char *kid, uint8_t ret_public[static ED25519_SIZE])
{
    json_auto_t *root = json_loads(jwks, JSON_REJECT_DUPLICATES, NULL);
    const json_t *keys = json_object_get(root, "keys"), *jwk;
    size_t i;
    if (!json_is_array(keys))
        return fail(MK_EINPUT, "not a JWK set: an object with an array `keys`");
    json_array_foreach(keys, i, jwk)
    {
        if (member_is(jwk, "kid", kid))
            return jwk_public(jwk, kid, ret_public);
    }
    return fail(MK_ENOTFOUND, "no key of the JWK set has the receipt's kid");
}

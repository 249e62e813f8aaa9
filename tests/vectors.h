/* SPDX-License-Identifier: Apache-2.0 */
/* The worked example of docs/LEDGER.md, tests/vectors.json, of which every byte is fixed.
 *
 *     const char *root = vector_text("root");
 *     const json_t *entry = json_array_get(vector("entries"), 3);
 */
#ifndef MUNKEY_TESTS_VECTORS_H
#define MUNKEY_TESTS_VECTORS_H

#include "tests/check.h"

#include <jansson.h>
#include <stdio.h>

#include "storage/crypto.h"
#include "storage/encode.h"

static json_t *vectors_root;

static inline int vectors_load(void **state)
{
    (void)state;
    const char *folder = getenv("top_srcdir");
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/vectors.json", folder ? folder : ".");
    vectors_root = json_load_file(path, 0, NULL);
    return vectors_root ? 0 : -1;
}

static inline int vectors_free(void **state)
{
    (void)state;
    json_decref(vectors_root);
    return 0;
}

/* A member, by "name" or "name.name". */
static inline const json_t *vector(const char *path)
{
    char name[64];
    const json_t *at = vectors_root;
    for (const char *part = path; *part;) {
        size_t len = strcspn(part, ".");
        snprintf(name, sizeof name, "%.*s", (int)len, part);
        at = json_object_get(at, name);
        part += len + (part[len] == '.');
    }
    assert_non_null(at);
    return at;
}

static inline const char *vector_text(const char *path)
{
    const char *text = json_string_value(vector(path));
    assert_non_null(text);
    return text;
}

/* The i-th text of an array. */
static inline const char *vector_at(const char *path, size_t i)
{
    const char *text = json_string_value(json_array_get(vector(path), i));
    assert_non_null(text);
    return text;
}

static inline void vector_hash(const char *hex, uint8_t ret_hash[static SHA256_SIZE])
{
    assert_ok(hex_decode(hex, strlen(hex), ret_hash, SHA256_SIZE));
}

/* The signer of an Ed25519 seed, by way of the PKCS#8 PEM that RFC 8410 describes. */
static inline struct signer *vector_signer(const char *path)
{
    static const char pkcs8[] = "302e020100300506032b657004220420";
    uint8_t der[48];
    char pem[160], base64[BASE64_SIZE(sizeof der)];
    struct signer *signer;
    assert_ok(hex_decode(pkcs8, strlen(pkcs8), der, 16));
    vector_hash(vector_text(path), der + 16);
    base64_encode(der, sizeof der, base64);
    int len =
        snprintf(pem, sizeof pem,
                 "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n", base64);
    assert_ok(signer_from_pem(pem, (size_t)len, &signer));
    return signer;
}

#endif

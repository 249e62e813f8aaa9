/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts and JWK sets, byte for byte as in the worked example. */
#include "tests/vectors.h"

#include "storage/receipt.h"

static void example_public(uint8_t ret_public[static ED25519_SIZE])
{
    const char *x = vector_text("receipt_key.jwk.x");
    assert_ok(base64url_decode(x, strlen(x), ret_public, ED25519_SIZE));
}

static void the_kid_is_that_of_the_example(void **state)
{
    (void)state;
    uint8_t public[ED25519_SIZE];
    char kid[KID_SIZE];
    example_public(public);
    receipt_kid(public, kid);
    assert_string_equal(kid, vector_text("receipt_key.kid"));
}

static void the_receipt_is_that_of_the_example(void **state)
{
    (void)state;
    struct signer *signer = vector_signer("receipt_key.seed_hex");
    const char *entry = vector_at("entries", 3);
    uint8_t signature[SIGNATURE_SIZE];
    char *jws;
    assert_ok(receipt_sign(signer, entry, strlen(entry), signature));
    assert_ok(receipt_write(vector_text("receipt_key.kid"), entry, strlen(entry),
                            signature, &jws));
    assert_string_equal(jws, vector_text("receipt_jws"));
    free(jws);
    signer_free(signer);
}

static void a_receipt_holds_the_entry_s_exact_bytes(void **state)
{
    (void)state;
    struct receipt receipt;
    uint8_t public[ED25519_SIZE];
    example_public(public);
    assert_ok(receipt_parse(vector_text("receipt_jws"), &receipt));
    assert_string_equal(receipt.entry, vector_at("entries", 3));
    assert_int_equal(receipt.entry_len, strlen(receipt.entry));
    assert_string_equal(receipt.kid, vector_text("receipt_key.kid"));
    assert_true(receipt_verify(&receipt, public));
    public[0] ^= 1;
    assert_false(receipt_verify(&receipt, public));
    receipt_done(&receipt);
}

static void every_changed_bit_spoils_a_receipt(void **state)
{
    (void)state;
    struct receipt receipt;
    uint8_t public[ED25519_SIZE];
    example_public(public);
    char *jws = strdup(vector_text("receipt_jws"));
    for (size_t i = 0; jws[i]; i++)
        for (int bit = 0; bit < 8; bit++) {
            jws[i] ^= (char)(1 << bit);
            if (receipt_parse(jws, &receipt) == 0) {
                assert_false(receipt_verify(&receipt, public));
                receipt_done(&receipt);
            }
            jws[i] ^= (char)(1 << bit);
        }
    free(jws);
}

static void what_is_no_receipt_is_refused(void **state)
{
    (void)state;
    struct receipt receipt;
    const char *good = vector_text("receipt_jws");
    char *text = strdup(good);
    for (size_t len = 0; len < strlen(good); len++) {
        text[len] = '\0';
        assert_int_equal(receipt_parse(text, &receipt), MK_EINPUT);
        text[len] = good[len];
    }
    free(text);
    static const char *const wrong[] = {
        ".",
        "..",
        "...",
        "a.b.c",
        "e30.e30.e30",
        /* {"alg":"none"}, {"alg":"HS256","typ":"JWT"} */
        "eyJhbGciOiJub25lIn0.e30.",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.e30",
    };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(receipt_parse(wrong[i], &receipt), MK_EINPUT);
    char *big = calloc(1, RECEIPT_MAX + 2);
    memset(big, 'A', RECEIPT_MAX + 1);
    big[200] = big[1000] = '.';
    assert_int_equal(receipt_parse(big, &receipt), MK_EINPUT);
    free(big);
}

/* A header that is right but for one thing. */
static void other_headers_are_refused(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "{\"alg\":\"none\",\"kid\":\"%s\",\"typ\":\"munkeyd-receipt+jws\"}",
        "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"JWT\"}",
        "{\"alg\":\"EdDSA\", \"kid\":\"%s\",\"typ\":\"munkeyd-receipt+jws\"}",
        "{\"alg\":\"EdDSA\",\"crit\":[],\"kid\":\"%s\",\"typ\":\"munkeyd-receipt+jws\"}",
        "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"munkeyd-receipt+jws\",\"x\":1}",
        "{\"kid\":\"%s\",\"alg\":\"EdDSA\",\"typ\":\"munkeyd-receipt+jws\"}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        char header[256], encoded[512], jws[2048];
        struct receipt receipt;
        sprintf(header, headers[i], vector_text("receipt_key.kid"));
        base64url_encode(header, strlen(header), encoded);
        sprintf(jws, "%s%s", encoded, strchr(vector_text("receipt_jws"), '.'));
        assert_int_equal(receipt_parse(jws, &receipt), MK_EINPUT);
    }
}

static void a_jwk_set_finds_its_keys(void **state)
{
    (void)state;
    uint8_t keys[3][ED25519_SIZE] = {{1}, {2}}, found[ED25519_SIZE];
    char kid[KID_SIZE], *jwks;
    example_public(keys[2]);
    assert_ok(jwks_write(keys, 3, &jwks));
    for (size_t i = 0; i < 3; i++) {
        receipt_kid(keys[i], kid);
        assert_ok(jwks_find(jwks, kid, found));
        assert_memory_equal(found, keys[i], ED25519_SIZE);
    }
    keys[0][0] = 9;
    receipt_kid(keys[0], kid);
    assert_int_equal(jwks_find(jwks, kid, found), MK_ENOTFOUND);
    free(jwks);
    assert_ok(jwks_write(keys, 0, &jwks));
    assert_string_equal(jwks, "{\"keys\":[]}");
    free(jwks);
}

static void a_jwk_set_that_lies_about_a_kid_is_refused(void **state)
{
    (void)state;
    const char *kid = vector_text("receipt_key.kid");
    uint8_t found[ED25519_SIZE];
    char jwks[512];
    static const char other[] = "AAAAlgqEhaatF3wEQDU8VVNJiD2SetCi1pmSfAuhB98";
    static const char *const formats[] = {
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"%s\",\"x\":\"%s\"}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"kid\":\"%s\",\"x\":\"%s\"}]}",
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"Ed25519\",\"kid\":\"%s\",\"x\":\"%s\"}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"%s\",\"y\":\"%s\"}]}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        sprintf(jwks, formats[i], kid, other);
        assert_int_equal(jwks_find(jwks, kid, found), MK_EINPUT);
    }
    sprintf(jwks, formats[0], kid, vector_text("receipt_key.jwk.x"));
    assert_ok(jwks_find(jwks, kid, found));
    sprintf(jwks, formats[0], kid, "AAAA");
    assert_int_equal(jwks_find(jwks, kid, found), MK_EINPUT);
}

static void what_is_no_jwk_set_is_refused(void **state)
{
    (void)state;
    uint8_t found[ED25519_SIZE];
    static const char *const wrong[] = {"", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[}",
                                        "7"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(jwks_find(wrong[i], "kid", found), MK_EINPUT);
    assert_int_equal(jwks_find("{\"keys\":[7,null,{\"kid\":1}]}", "kid", found),
                     MK_ENOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kid_is_that_of_the_example),
        cmocka_unit_test(the_receipt_is_that_of_the_example),
        cmocka_unit_test(a_receipt_holds_the_entry_s_exact_bytes),
        cmocka_unit_test(every_changed_bit_spoils_a_receipt),
        cmocka_unit_test(what_is_no_receipt_is_refused),
        cmocka_unit_test(other_headers_are_refused),
        cmocka_unit_test(a_jwk_set_finds_its_keys),
        cmocka_unit_test(a_jwk_set_that_lies_about_a_kid_is_refused),
        cmocka_unit_test(what_is_no_jwk_set_is_refused),
    };
    return cmocka_run_group_tests_name("receipt", tests, vectors_load, vectors_free);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Crypto: published test vectors, and that what was changed does not open. */
#include "tests/check.h"

#include "storage/crypto.h"
#include "storage/encode.h"

static void from_hex(const char *hex, uint8_t *ret, size_t len)
{
    assert_ok(hex_decode(hex, strlen(hex), ret, len));
}

#define assert_hex(data, len, expected)                                                  \
    do {                                                                                 \
        char text_[HEX_SIZE(256)];                                                       \
        hex_encode(data, len, text_);                                                    \
        assert_string_equal(text_, expected);                                            \
    } while (0)

static void sha256_is_that_of_fips_180(void **state)
{
    (void)state;
    uint8_t digest[SHA256_SIZE];
    crypto_sha256("abc", 3, digest);
    assert_hex(digest, 32,
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    crypto_sha256_parts((struct bytes[]){{"a", 1}, {"", 0}, {"bc", 2}}, 3, digest);
    assert_hex(digest, 32,
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void shake256_is_that_of_fips_202(void **state)
{
    (void)state;
    uint8_t out[64];
    crypto_shake256("", 0, out, sizeof out);
    assert_hex(out, 64,
               "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f"
               "d75dc4ddd8c0f200cb05019d67b592f6fc821c49479ab48640292eacb3b7c4be");
}

/* RFC 4231, case 1, whose 20-byte key HMAC pads with zeros as we do by hand. */
static void hmac_is_that_of_rfc_4231(void **state)
{
    (void)state;
    uint8_t key[SECRET_SIZE] = {0}, mac[SHA256_SIZE];
    memset(key, 0x0b, 20);
    crypto_hmac(key, (struct bytes[]){{"Hi ", 3}, {"There", 5}}, 2, mac);
    assert_hex(mac, 32,
               "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

/* RFC 5869 has no example with 32 bytes of key; HKDF is two HMACs, done here by hand. */
static void hkdf_is_extract_then_expand(void **state)
{
    (void)state;
    uint8_t root[SECRET_SIZE], zero[SECRET_SIZE] = {0}, prk[32], expected[32], key[32];
    memset(root, 5, sizeof root);
    crypto_hmac(zero, &(struct bytes){root, sizeof root}, 1, prk);
    crypto_hmac(prk, (struct bytes[]){{"munkeyd/kek/v1", 14}, {"\x01", 1}}, 2, expected);
    crypto_hkdf(root, "munkeyd/kek/v1", key);
    assert_memory_equal(key, expected, sizeof key);
    crypto_hkdf(root, "munkeyd/tag/v1", key);
    assert_memory_not_equal(key, expected, sizeof key);
}

/* RFC 3394, 4.6 */
static void key_wrap_is_that_of_rfc_3394(void **state)
{
    (void)state;
    uint8_t kek[32], key[32], wrapped[WRAPPED_SIZE], back[32];
    from_hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", kek, 32);
    from_hex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f", key, 32);
    crypto_wrap(kek, key, wrapped);
    assert_hex(wrapped, WRAPPED_SIZE,
               "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7"
               "a02dd21");
    assert_ok(crypto_unwrap(kek, wrapped, back));
    assert_memory_equal(back, key, sizeof key);
}

static void a_changed_wrapped_key_does_not_unwrap(void **state)
{
    (void)state;
    uint8_t kek[32] = {1}, key[32] = {2}, wrapped[WRAPPED_SIZE], back[32] = {9};
    crypto_wrap(kek, key, wrapped);
    for (size_t i = 0; i < sizeof wrapped; i++) {
        wrapped[i] ^= 0x10;
        assert_int_equal(crypto_unwrap(kek, wrapped, back), MK_ESTORE);
        wrapped[i] ^= 0x10;
    }
    assert_int_equal(back[0], 9);
    kek[31] ^= 1;
    assert_int_equal(crypto_unwrap(kek, wrapped, back), MK_ESTORE);
}

/* The Galois/Counter Mode of Operation (McGrew and Viega), test case 16. */
static void gcm_is_that_of_the_specification(void **state)
{
    (void)state;
    uint8_t key[32], nonce[12], aad[20], plain[60], sealed[60 + GCM_TAG_SIZE], back[60];
    from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", key, 32);
    from_hex("cafebabefacedbaddecaf888", nonce, 12);
    from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2", aad, 20);
    from_hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
             "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
             plain, 60);
    crypto_seal(key, nonce, (struct bytes){aad, 20}, plain, 60, sealed);
    assert_hex(sealed, sizeof sealed,
               "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
               "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
               "76fc6ece0f4e1768cddf8853bb2d551b");
    assert_ok(crypto_open(key, nonce, (struct bytes){aad, 20}, sealed, 60, back));
    assert_memory_equal(back, plain, sizeof plain);
}

static void a_changed_record_does_not_open_and_leaves_no_plaintext(void **state)
{
    (void)state;
    uint8_t key[32] = {1}, nonce[12] = {2}, plain[32],
            sealed[sizeof plain + GCM_TAG_SIZE];
    uint8_t back[sizeof plain], zero[sizeof plain] = {0};
    memset(plain, 0x5a, sizeof plain);
    crypto_seal(key, nonce, (struct bytes){"slot 1", 6}, plain, sizeof plain, sealed);
    for (size_t i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 1;
        assert_int_equal(crypto_open(key, nonce, (struct bytes){"slot 1", 6}, sealed,
                                     sizeof plain, back),
                         MK_ESTORE);
        assert_memory_equal(back, zero, sizeof back);
        sealed[i] ^= 1;
    }
    assert_int_equal(
        crypto_open(key, nonce, (struct bytes){"slot 2", 6}, sealed, sizeof plain, back),
        MK_ESTORE);
    assert_ok(
        crypto_open(key, nonce, (struct bytes){"slot 1", 6}, sealed, sizeof plain, back));
}

/* RFC 8032, 7.1, test 2, its seed in the PKCS#8 of RFC 8410. */
static void ed25519_is_that_of_rfc_8032(void **state)
{
    (void)state;
    static const char pem[] =
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n"
        "-----END PRIVATE KEY-----\n";
    struct signer *signer;
    uint8_t public[ED25519_SIZE], signature[SIGNATURE_SIZE];
    assert_ok(signer_from_pem(pem, strlen(pem), &signer));
    signer_public(signer, public);
    assert_hex(public, 32,
               "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    signer_sign(signer, "\x72", 1, signature);
    assert_hex(signature, 64,
               "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
               "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    assert_true(crypto_verify(public, "\x72", 1, signature));
    assert_false(crypto_verify(public, "\x73", 1, signature));
    for (size_t i = 0; i < sizeof signature; i++) {
        signature[i] ^= 4;
        assert_false(crypto_verify(public, "\x72", 1, signature));
        signature[i] ^= 4;
    }
    signer_free(signer);
}

static void a_fresh_key_survives_its_pem(void **state)
{
    (void)state;
    struct signer *signer, *again;
    char *pem;
    size_t len;
    uint8_t public[ED25519_SIZE], public_again[ED25519_SIZE];
    assert_ok(signer_new(&signer));
    assert_ok(signer_to_pem(signer, &pem, &len));
    assert_int_equal(strlen(pem), len);
    assert_ok(signer_from_pem(pem, len, &again));
    signer_public(signer, public);
    signer_public(again, public_again);
    assert_memory_equal(public, public_again, ED25519_SIZE);
    free(pem);
    signer_free(again);
    signer_free(signer);
}

static void what_is_no_ed25519_key_is_refused(void **state)
{
    (void)state;
    struct signer *signer;
    static const char *const wrong[] = {
        "",
        "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        /* X25519 */
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VuBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n"
        "-----END PRIVATE KEY-----\n",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
        "MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBCUU0X0gBdcvYtBCkQn\n"
        "-----END ENCRYPTED PRIVATE KEY-----\n",
    };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(signer_from_pem(wrong[i], strlen(wrong[i]), &signer), MK_EINPUT);
}

static void random_bytes_fill_the_whole_buffer(void **state)
{
    (void)state;
    uint8_t data[1000] = {0}, seen[1000] = {0};
    for (int round = 0; round < 32; round++) {
        crypto_random(data, sizeof data);
        for (size_t i = 0; i < sizeof data; i++)
            seen[i] |= data[i];
    }
    for (size_t i = 0; i < sizeof seen; i++)
        assert_int_not_equal(seen[i], 0);
}

static void wiping_and_comparing(void **state)
{
    (void)state;
    uint8_t data[16];
    memset(data, 7, sizeof data);
    assert_true(crypto_equal(data, (uint8_t[]){7, 7}, 2));
    assert_false(crypto_equal(data, (uint8_t[]){7, 6}, 2));
    crypto_wipe(data, sizeof data);
    assert_memory_equal(data, (uint8_t[16]){0}, sizeof data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_is_that_of_fips_180),
        cmocka_unit_test(shake256_is_that_of_fips_202),
        cmocka_unit_test(hmac_is_that_of_rfc_4231),
        cmocka_unit_test(hkdf_is_extract_then_expand),
        cmocka_unit_test(key_wrap_is_that_of_rfc_3394),
        cmocka_unit_test(a_changed_wrapped_key_does_not_unwrap),
        cmocka_unit_test(gcm_is_that_of_the_specification),
        cmocka_unit_test(a_changed_record_does_not_open_and_leaves_no_plaintext),
        cmocka_unit_test(ed25519_is_that_of_rfc_8032),
        cmocka_unit_test(a_fresh_key_survives_its_pem),
        cmocka_unit_test(what_is_no_ed25519_key_is_refused),
        cmocka_unit_test(random_bytes_fill_the_whole_buffer),
        cmocka_unit_test(wiping_and_comparing),
    };
    return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}

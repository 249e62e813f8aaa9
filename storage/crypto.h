/* SPDX-License-Identifier: Apache-2.0 */
/* Every cryptographic operation that munkeyd uses, on OpenSSL's EVP; nothing else
 * includes openssl.
 *
 *     crypto_sha256(bytes, len, digest);
 *     crypto_hmac(tag_key, (struct bytes[]){{label, sizeof label}, {id, len}}, 2, tag);
 *     if ((rc = crypto_open(key, nonce, aad, sealed, len, plain)) < 0)
 *         return rc;
 *
 * Functions that return void abort when OpenSSL fails: there is no sensible way on.
 */
#ifndef MUNKEY_STORAGE_CRYPTO_H
#define MUNKEY_STORAGE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SHA256_SIZE = 32,
    SECRET_SIZE = 32,  /* root, KEK, data key, tag key, salt, pepper */
    WRAPPED_SIZE = 40, /* AES-256 key wrap of a data key, RFC 3394 */
    GCM_NONCE_SIZE = 12,
    GCM_TAG_SIZE = 16,
    ED25519_SIZE = 32, /* public key */
    SIGNATURE_SIZE = 64,
};

/* A borrowed run of bytes. */
struct bytes {
    const void *data;
    size_t len;
};

void crypto_sha256(const void *data, size_t len, uint8_t ret_digest[static SHA256_SIZE]);

/* SHA-256, and HMAC-SHA256, over the parts one after the other. */
void crypto_sha256_parts(const struct bytes *parts, size_t n,
                         uint8_t ret_digest[static SHA256_SIZE]);
void crypto_hmac(const uint8_t key[static SECRET_SIZE], const struct bytes *parts,
                 size_t n, uint8_t ret_mac[static SHA256_SIZE]);

/* SHAKE256 with ret_len bytes of output. */
void crypto_shake256(const void *data, size_t len, uint8_t *ret, size_t ret_len);

/* HKDF-SHA256(root, empty salt, info), 32 bytes. */
void crypto_hkdf(const uint8_t root[static SECRET_SIZE], const char *info,
                 uint8_t ret_key[static SECRET_SIZE]);

void crypto_random(void *ret, size_t len); /* from the system's random source */
void crypto_wipe(void *data, size_t len);
bool crypto_equal(const void *a, const void *b, size_t len); /* in constant time */

/* AES-256 key wrap (RFC 3394).  Unwrap: MK_ESTORE when the integrity check fails. */
void crypto_wrap(const uint8_t kek[static SECRET_SIZE],
                 const uint8_t key[static SECRET_SIZE],
                 uint8_t ret_wrapped[static WRAPPED_SIZE]);
int crypto_unwrap(const uint8_t kek[static SECRET_SIZE],
                  const uint8_t wrapped[static WRAPPED_SIZE],
                  uint8_t ret_key[static SECRET_SIZE]);

/* AES-256-GCM.  sealed has len + GCM_TAG_SIZE bytes: ciphertext, then tag.  Open:
 * MK_ESTORE when the tag does not fit. */
void crypto_seal(const uint8_t key[static SECRET_SIZE],
                 const uint8_t nonce[static GCM_NONCE_SIZE], struct bytes aad,
                 const uint8_t *plain, size_t len, uint8_t *ret_sealed);
int crypto_open(const uint8_t key[static SECRET_SIZE],
                const uint8_t nonce[static GCM_NONCE_SIZE], struct bytes aad,
                const uint8_t *sealed, size_t len, uint8_t *ret_plain);

/* An Ed25519 private key, PKCS#8 PEM outside. */
struct signer;
int signer_new(struct signer **ret_signer); /* a fresh one */
int signer_from_pem(const char *pem, size_t len, struct signer **ret_signer);
int signer_to_pem(const struct signer *signer, char **ret_pem, size_t *ret_len);
void signer_free(struct signer *signer);
void signer_public(const struct signer *signer, uint8_t ret_key[static ED25519_SIZE]);
void signer_sign(const struct signer *signer, const void *data, size_t len,
                 uint8_t ret_signature[static SIGNATURE_SIZE]);
bool crypto_verify(const uint8_t key[static ED25519_SIZE], const void *data, size_t len,
                   const uint8_t signature[static SIGNATURE_SIZE]);

#endif

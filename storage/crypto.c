/* SPDX-License-Identifier: Apache-2.0 */
/* Every cryptographic operation that munkeyd uses, on OpenSSL's EVP. */
#include "storage/crypto.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"

struct signer {
    EVP_PKEY *key;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MAC *hmac;

/* Private keys live in OpenSSL's secure heap: locked, guarded, left out of core dumps. */
static void start_once(void)
{
    CRYPTO_secure_malloc_init(65536, 64);
    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
}

static void start(void)
{
    pthread_once(&once, start_once);
}

/* What can only fail without memory or with a broken library: there is no sensible way
 * on. */
static void must(bool ok)
{
    if (!ok)
        abort();
}

void crypto_sha256(const void *data, size_t len, uint8_t ret_digest[static SHA256_SIZE])
{
    crypto_sha256_parts(&(struct bytes){data, len}, 1, ret_digest);
}

void crypto_sha256_parts(const struct bytes *parts, size_t n,
                         uint8_t ret_digest[static SHA256_SIZE])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    must(ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1);
    for (size_t i = 0; i < n; i++)
        must(EVP_DigestUpdate(ctx, parts[i].data, parts[i].len) == 1);
    must(EVP_DigestFinal_ex(ctx, ret_digest, NULL) == 1);
    EVP_MD_CTX_free(ctx);
}

void crypto_hmac(const uint8_t key[static SECRET_SIZE], const struct bytes *parts,
                 size_t n, uint8_t ret_mac[static SHA256_SIZE])
{
    start();
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(hmac);
    must(ctx && EVP_MAC_init(ctx, key, SECRET_SIZE, params) == 1);
    for (size_t i = 0; i < n; i++)
        must(EVP_MAC_update(ctx, parts[i].data, parts[i].len) == 1);
    must(EVP_MAC_final(ctx, ret_mac, NULL, SHA256_SIZE) == 1);
    EVP_MAC_CTX_free(ctx);
}

void crypto_shake256(const void *data, size_t len, uint8_t *ret, size_t ret_len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    must(ctx && EVP_DigestInit_ex(ctx, EVP_shake256(), NULL) == 1 &&
         EVP_DigestUpdate(ctx, data, len) == 1 &&
         EVP_DigestFinalXOF(ctx, ret, ret_len) == 1);
    EVP_MD_CTX_free(ctx);
}

void crypto_hkdf(const uint8_t root[static SECRET_SIZE], const char *info,
                 uint8_t ret_key[static SECRET_SIZE])
{
    size_t len = SECRET_SIZE;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
    must(ctx && EVP_PKEY_derive_init(ctx) == 1 &&
         EVP_PKEY_CTX_set_hkdf_md(ctx, EVP_sha256()) == 1 &&
         EVP_PKEY_CTX_set1_hkdf_key(ctx, root, SECRET_SIZE) == 1 &&
         EVP_PKEY_CTX_add1_hkdf_info(ctx, (const uint8_t *)info, (int)strlen(info)) ==
             1 &&
         EVP_PKEY_derive(ctx, ret_key, &len) == 1 && len == SECRET_SIZE);
    EVP_PKEY_CTX_free(ctx);
}

/* The kernel's generator and not a library's: no state in this process from which a
 * destroyed key could be computed again. */
void crypto_random(void *ret, size_t len)
{
    enum { AT_ONCE = 256 }; /* getentropy's limit */
    for (uint8_t *at = ret; len > 0;) {
        size_t part = len < AT_ONCE ? len : AT_ONCE;
        must(getentropy(at, part) == 0);
        at += part;
        len -= part;
    }
}

void crypto_wipe(void *data, size_t len)
{
    OPENSSL_cleanse(data, len);
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void crypto_wrap(const uint8_t kek[static SECRET_SIZE],
                 const uint8_t key[static SECRET_SIZE],
                 uint8_t ret_wrapped[static WRAPPED_SIZE])
{
    int len = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    must(ctx);
    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    must(EVP_EncryptInit_ex(ctx, EVP_aes_256_wrap(), NULL, kek, NULL) == 1 &&
         EVP_EncryptUpdate(ctx, ret_wrapped, &len, key, SECRET_SIZE) == 1 &&
         len == WRAPPED_SIZE);
    EVP_CIPHER_CTX_free(ctx);
}

int crypto_unwrap(const uint8_t kek[static SECRET_SIZE],
                  const uint8_t wrapped[static WRAPPED_SIZE],
                  uint8_t ret_key[static SECRET_SIZE])
{
    int len = 0;
    uint8_t plain[WRAPPED_SIZE];
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    must(ctx);
    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    must(EVP_DecryptInit_ex(ctx, EVP_aes_256_wrap(), NULL, kek, NULL) == 1);
    bool ok = EVP_DecryptUpdate(ctx, plain, &len, wrapped, WRAPPED_SIZE) == 1 &&
              len == SECRET_SIZE;
    EVP_CIPHER_CTX_free(ctx);
    if (ok)
        memcpy(ret_key, plain, SECRET_SIZE);
    crypto_wipe(plain, sizeof plain);
    return ok ? 0
              : fail(MK_ESTORE,
                     "a wrapped data key is damaged, or wrapped by another root key");
}

void crypto_seal(const uint8_t key[static SECRET_SIZE],
                 const uint8_t nonce[static GCM_NONCE_SIZE], struct bytes aad,
                 const uint8_t *plain, size_t len, uint8_t *ret_sealed)
{
    int part = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    must(ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
         EVP_EncryptUpdate(ctx, NULL, &part, aad.data, (int)aad.len) == 1 &&
         EVP_EncryptUpdate(ctx, ret_sealed, &part, plain, (int)len) == 1 &&
         EVP_EncryptFinal_ex(ctx, ret_sealed + part, &part) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_SIZE,
                             ret_sealed + len) == 1);
    EVP_CIPHER_CTX_free(ctx);
}

int crypto_open(const uint8_t key[static SECRET_SIZE],
                const uint8_t nonce[static GCM_NONCE_SIZE], struct bytes aad,
                const uint8_t *sealed, size_t len, uint8_t *ret_plain)
{
    int part = 0;
    uint8_t tag[GCM_TAG_SIZE];
    memcpy(tag, sealed + len, sizeof tag);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    must(ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
         EVP_DecryptUpdate(ctx, NULL, &part, aad.data, (int)aad.len) == 1 &&
         EVP_DecryptUpdate(ctx, ret_plain, &part, sealed, (int)len) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) == 1);
    bool ok = EVP_DecryptFinal_ex(ctx, ret_plain + part, &part) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (ok)
        return 0;
    crypto_wipe(ret_plain, len); /* unauthenticated: nobody may use it */
    return fail(MK_ESTORE, "an encrypted record is damaged, or sealed with another key");
}

/* Takes the key over. */
static int signer_of(EVP_PKEY *key_take, struct signer **ret_signer)
{
    struct signer *signer = calloc(1, sizeof *signer);
    if (!signer) {
        EVP_PKEY_free(key_take);
        return fail(MK_ENOMEM, "no memory for a signing key");
    }
    signer->key = key_take;
    *ret_signer = signer;
    return 0;
}

int signer_new(struct signer **ret_signer)
{
    start();
    uint8_t seed[ED25519_SIZE];
    crypto_random(seed, sizeof seed);
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
    crypto_wipe(seed, sizeof seed);
    must(key);
    return signer_of(key, ret_signer);
}

/* Without it OpenSSL would ask for the pass phrase on the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
    (void)buffer, (void)size, (void)writing, (void)context;
    return -1;
}

int signer_from_pem(const char *pem, size_t len, struct signer **ret_signer)
{
    start();
    BIO *in = len < 65536 ? BIO_new_mem_buf(pem, (int)len) : NULL;
    EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL) : NULL;
    BIO_free(in);
    if (key && EVP_PKEY_is_a(key, "ED25519"))
        return signer_of(key, ret_signer);
    EVP_PKEY_free(key);
    return fail(MK_EINPUT, "not an unencrypted Ed25519 private key in PEM; "
                           "`openssl genpkey -algorithm ed25519` makes one");
}

int signer_to_pem(const struct signer *signer, char **ret_pem, size_t *ret_len)
{
    char *text = NULL;
    BIO *out = BIO_new(BIO_s_secmem());
    must(out &&
         PEM_write_bio_PKCS8PrivateKey(out, signer->key, NULL, NULL, 0, NULL, NULL));
    size_t len = (size_t)BIO_get_mem_data(out, &text);
    char *pem = calloc(1, len + 1);
    if (pem)
        memcpy(pem, text, len);
    BIO_free(out);
    if (!pem)
        return fail(MK_ENOMEM, "no memory for a signing key");
    *ret_pem = pem;
    *ret_len = len;
    return 0;
}

void signer_free(struct signer *signer)
{
    if (signer)
        EVP_PKEY_free(signer->key);
    free(signer);
}

void signer_public(const struct signer *signer, uint8_t ret_key[static ED25519_SIZE])
{
    size_t len = ED25519_SIZE;
    must(EVP_PKEY_get_raw_public_key(signer->key, ret_key, &len) == 1);
}

void signer_sign(const struct signer *signer, const void *data, size_t len,
                 uint8_t ret_signature[static SIGNATURE_SIZE])
{
    size_t signature_len = SIGNATURE_SIZE;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    must(ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, signer->key) == 1 &&
         EVP_DigestSign(ctx, ret_signature, &signature_len, data, len) == 1 &&
         signature_len == SIGNATURE_SIZE);
    EVP_MD_CTX_free(ctx);
}

bool crypto_verify(const uint8_t key[static ED25519_SIZE], const void *data, size_t len,
                   const uint8_t signature[static SIGNATURE_SIZE])
{
    EVP_PKEY *public =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, ED25519_SIZE);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    must(public && ctx);
    bool ok = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, public) == 1 &&
              EVP_DigestVerify(ctx, signature, SIGNATURE_SIZE, data, len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(public);
    return ok;
}

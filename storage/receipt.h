/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts: a compact JWS (RFC 7515, EdDSA of RFC 8037) whose payload is the log entry's
 * exact bytes, so that any JOSE library checks it and it is also the Merkle leaf's
 * pre-image.
 *
 *     receipt_kid(public_key, kid);
 *     receipt_sign(signer, entry, len, signature);         kept in the entry's row
 *     receipt_write(kid, entry, len, signature, &jws);     the same bytes every time
 *
 *     receipt_parse(jws, &receipt);
 *     jwks_find(jwks, receipt.kid, public_key);
 *     ok = receipt_verify(&receipt, public_key);
 *     receipt_done(&receipt);
 */
#ifndef MUNKEY_STORAGE_RECEIPT_H
#define MUNKEY_STORAGE_RECEIPT_H

#include "storage/crypto.h"

enum {
    KID_SIZE = 44, /* with the final NUL */
    RECEIPT_MAX = 88000,
};

/* RFC 7638: the SHA-256 thumbprint of {"crv":"Ed25519","kty":"OKP","x":...}. */
void receipt_kid(const uint8_t public[static ED25519_SIZE],
                 char ret_kid[static KID_SIZE]);

int receipt_sign(const struct signer *signer, const char *entry, size_t len,
                 uint8_t ret_signature[static SIGNATURE_SIZE]);

/* The caller frees. */
int receipt_write(const char *kid, const char *entry, size_t len,
                  const uint8_t signature[static SIGNATURE_SIZE], char **ret_jws);

struct receipt {
    char kid[KID_SIZE];
    char *entry; /* the payload, NUL-terminated; owned */
    size_t entry_len;
    uint8_t signature[SIGNATURE_SIZE];
    struct bytes signed_part; /* header.payload; borrowed from the parsed text */
};

/* MK_EINPUT unless the header is exactly the one that munkeyd writes. */
int receipt_parse(const char *jws, struct receipt *ret_receipt);
bool receipt_verify(const struct receipt *receipt,
                    const uint8_t public[static ED25519_SIZE]);
void receipt_done(struct receipt *receipt);

/* A JWK set of n public keys; the caller frees.  And the key that a kid names:
 * MK_ENOTFOUND, MK_EINPUT when it is no JWK set or the kid is not the key's thumbprint.
 */
int jwks_write(const uint8_t (*keys)[ED25519_SIZE], size_t n, char **ret_jwks);
int jwks_find(const char *jwks, const char *kid, uint8_t ret_public[static ED25519_SIZE]);

#endif

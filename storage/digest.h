/* SPDX-License-Identifier: Apache-2.0 */
/* The memory digest: a fingerprint of the set of live instances, in whatever order they
 * came and went (LtHash16-1024 over SHAKE256; docs/LEDGER.md).
 *
 *     struct digest digest = {0};                      the empty memory
 *     digest_add(&digest, &element);
 *     digest_remove(&digest, &element);                equal to never having added it
 *     digest_value(&digest, mem);                      what log entries publish
 *
 * The state is never published: who has it can test guesses at what is in the memory.
 */
#ifndef MUNKEY_STORAGE_DIGEST_H
#define MUNKEY_STORAGE_DIGEST_H

#include "core/key.h"
#include "storage/crypto.h"

enum {
    DIGEST_LANES = 1024,
    DIGEST_STATE_SIZE = 2 * DIGEST_LANES,
    NONCE_SIZE = 32,                 /* an instance's secret share in its element */
    KEY_BYTES_MAX = KEY_DIM_MAX + 4, /* int8 components, then the scale */
    ELEMENT_PART_MAX = 4096,         /* bytes of key or token in one element, at most */
};

struct digest {
    uint64_t n; /* live instances */
    uint16_t lane[DIGEST_LANES];
};

/* One instance as the digest sees it: nothing about owner, class or provenance. */
struct element {
    const uint8_t *iid;   /* (IID_SIZE) */
    const uint8_t *nonce; /* (NONCE_SIZE) */
    uint32_t label;
    struct bytes key;   /* digest_key_bytes(); at most ELEMENT_PART_MAX */
    struct bytes token; /* empty where a writer computes it from the key */
};

void digest_add(struct digest *digest, const struct element *element);
void digest_remove(struct digest *digest, const struct element *element);
void digest_merge(struct digest *digest, const struct digest *others);
void digest_value(const struct digest *digest, uint8_t ret_value[static SHA256_SIZE]);

/* The state as it is stored: little-endian lanes. */
void digest_store(const struct digest *digest,
                  uint8_t ret_state[static DIGEST_STATE_SIZE]);
void digest_load(const uint8_t state[static DIGEST_STATE_SIZE], uint64_t n,
                 struct digest *ret_digest);

/* int8[key_dim] || f32le scale; returns the length.  Slots hold a key in the same form.
 */
size_t digest_key_bytes(const struct key *key, uint32_t key_dim,
                        uint8_t ret_bytes[static KEY_BYTES_MAX]);
void digest_key_parse(const uint8_t *bytes, uint32_t key_dim, struct key *ret_key);

/* iid and nonce of a row imported with --seed: for tests and comparisons, never for
 * people, because whoever knows the seed can test guesses against digests. */
void digest_seeded(const uint8_t seed[static SECRET_SIZE], uint64_t row,
                   uint8_t ret_iid[static IID_SIZE],
                   uint8_t ret_nonce[static NONCE_SIZE]);

#endif

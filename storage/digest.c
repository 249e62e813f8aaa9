/* SPDX-License-Identifier: Apache-2.0 */
/* The memory digest: LtHash16 with 1,024 lanes, each element expanded by SHAKE256. */
#include "storage/digest.h"

#include <assert.h>
#include <string.h>

static const char element_label[] = "munkey/elem/v1";    /* its final NUL counts */
static const char value_label[] = "munkey/memdigest/v1"; /* here too */

enum {
    ELEMENT_HEAD = sizeof element_label + IID_SIZE + NONCE_SIZE + 4,
    ELEMENT_SIZE = ELEMENT_HEAD + 2 * (4 + ELEMENT_PART_MAX),
};

static void put_u32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

static void put_u64(uint8_t *out, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

static uint8_t *append(uint8_t *at, const void *data, size_t len)
{
    if (len > 0)
        memcpy(at, data, len);
    return at + len;
}

static uint8_t *append_part(uint8_t *at, struct bytes part)
{
    assert(part.len <= ELEMENT_PART_MAX);
    put_u32(at, (uint32_t)part.len);
    return append(at + 4, part.data, part.len);
}

/* label || iid || nonce || u32le label || u32le klen || key || u32le tlen || token */
static size_t element_bytes(const struct element *element, uint8_t *out)
{
    uint8_t *at = append(out, element_label, sizeof element_label);
    at = append(at, element->iid, IID_SIZE);
    at = append(at, element->nonce, NONCE_SIZE);
    put_u32(at, element->label);
    at = append_part(at + 4, element->key);
    at = append_part(at, element->token);
    return (size_t)(at - out);
}

/* L(element): 2,048 bytes of SHAKE256, read as 1,024 little-endian lanes. */
static void element_lanes(const struct element *element, uint16_t ret_lane[DIGEST_LANES])
{
    uint8_t bytes[ELEMENT_SIZE], wide[DIGEST_STATE_SIZE];
    size_t len = element_bytes(element, bytes);
    crypto_shake256(bytes, len, wide, sizeof wide);
    for (size_t i = 0; i < DIGEST_LANES; i++)
        ret_lane[i] = (uint16_t)(wide[2 * i] | wide[2 * i + 1] << 8);
    crypto_wipe(bytes, len);
    crypto_wipe(wide, sizeof wide);
}

void digest_add(struct digest *digest, const struct element *element)
{
    uint16_t lane[DIGEST_LANES];
    element_lanes(element, lane);
    for (size_t i = 0; i < DIGEST_LANES; i++)
        digest->lane[i] = (uint16_t)(digest->lane[i] + lane[i]);
    digest->n++;
    crypto_wipe(lane, sizeof lane);
}

void digest_remove(struct digest *digest, const struct element *element)
{
    assert(digest->n > 0);
    uint16_t lane[DIGEST_LANES];
    element_lanes(element, lane);
    for (size_t i = 0; i < DIGEST_LANES; i++)
        digest->lane[i] = (uint16_t)(digest->lane[i] - lane[i]);
    digest->n--;
    crypto_wipe(lane, sizeof lane);
}

void digest_merge(struct digest *digest, const struct digest *others)
{
    for (size_t i = 0; i < DIGEST_LANES; i++)
        digest->lane[i] = (uint16_t)(digest->lane[i] + others->lane[i]);
    digest->n += others->n;
}

void digest_value(const struct digest *digest, uint8_t ret_value[static SHA256_SIZE])
{
    uint8_t n[8], state[DIGEST_STATE_SIZE];
    put_u64(n, digest->n);
    digest_store(digest, state);
    crypto_sha256_parts((struct bytes[]){{value_label, sizeof value_label},
                                         {n, sizeof n},
                                         {state, sizeof state}},
                        3, ret_value);
    crypto_wipe(state, sizeof state);
}

void digest_store(const struct digest *digest,
                  uint8_t ret_state[static DIGEST_STATE_SIZE])
{
    for (size_t i = 0; i < DIGEST_LANES; i++) {
        ret_state[2 * i] = (uint8_t)digest->lane[i];
        ret_state[2 * i + 1] = (uint8_t)(digest->lane[i] >> 8);
    }
}

void digest_load(const uint8_t state[static DIGEST_STATE_SIZE], uint64_t n,
                 struct digest *ret_digest)
{
    ret_digest->n = n;
    for (size_t i = 0; i < DIGEST_LANES; i++)
        ret_digest->lane[i] = (uint16_t)(state[2 * i] | state[2 * i + 1] << 8);
}

size_t digest_key_bytes(const struct key *key, uint32_t key_dim,
                        uint8_t ret_bytes[static KEY_BYTES_MAX])
{
    assert(key_dim <= KEY_DIM_MAX);
    uint32_t scale;
    memcpy(&scale, &key->scale, sizeof scale);
    memcpy(ret_bytes, key->q, key_dim);
    put_u32(ret_bytes + key_dim, scale);
    return key_dim + sizeof scale;
}

void digest_key_parse(const uint8_t *bytes, uint32_t key_dim, struct key *ret_key)
{
    assert(key_dim <= KEY_DIM_MAX);
    uint32_t scale = 0;
    for (int i = 3; i >= 0; i--)
        scale = scale << 8 | bytes[key_dim + (uint32_t)i];
    memset(ret_key, 0, sizeof *ret_key);
    memcpy(ret_key->q, bytes, key_dim);
    memcpy(&ret_key->scale, &scale, sizeof scale);
}

static void seeded(const uint8_t *seed, const char *label, uint64_t row,
                   uint8_t ret_mac[static SHA256_SIZE])
{
    uint8_t number[8];
    put_u64(number, row);
    crypto_hmac(seed, (struct bytes[]){{label, strlen(label)}, {number, sizeof number}},
                2, ret_mac);
}

void digest_seeded(const uint8_t seed[static SECRET_SIZE], uint64_t row,
                   uint8_t ret_iid[static IID_SIZE], uint8_t ret_nonce[static NONCE_SIZE])
{
    uint8_t mac[SHA256_SIZE];
    seeded(seed, "iid", row, mac);
    memcpy(ret_iid, mac, IID_SIZE);
    seeded(seed, "nonce", row, ret_nonce);
}

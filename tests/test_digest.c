/* SPDX-License-Identifier: Apache-2.0 */
/* The memory digest, byte for byte as in the worked example. */
#include "tests/vectors.h"

#include "storage/digest.h"

enum { LABEL = 15 + IID_SIZE + NONCE_SIZE }; /* where an element's label stands */

static uint32_t u32le(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* One element of the example, taken apart again from its encoding. */
struct example {
    uint8_t bytes[256];
    struct element element;
};

static void load(size_t i, struct example *ret)
{
    const json_t *item = json_array_get(vector("elements"), i);
    const char *hex = json_string_value(json_object_get(item, "enc_hex"));
    assert_ok(hex_decode(hex, strlen(hex), ret->bytes, strlen(hex) / 2));
    const uint8_t *at = ret->bytes + LABEL;
    size_t key_len = u32le(at + 4), token_len = u32le(at + 8 + key_len);
    ret->element = (struct element){.iid = ret->bytes + 15,
                                    .nonce = ret->bytes + 15 + IID_SIZE,
                                    .label = u32le(at),
                                    .key = {at + 8, key_len},
                                    .token = {at + 12 + key_len, token_len}};
}

static void assert_value(const struct digest *digest, const char *expected)
{
    uint8_t value[SHA256_SIZE];
    char text[HEX_SIZE(SHA256_SIZE)];
    digest_value(digest, value);
    hex_encode(value, sizeof value, text);
    assert_string_equal(text, expected);
}

static void an_element_expands_to_the_lanes_of_the_example(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct example example;
        struct digest digest = {0};
        load(i, &example);
        digest_add(&digest, &example.element);
        const json_t *lanes =
            json_object_get(json_array_get(vector("elements"), i), "first_lanes");
        for (size_t lane = 0; lane < json_array_size(lanes); lane++)
            assert_int_equal(digest.lane[lane],
                             json_integer_value(json_array_get(lanes, lane)));
    }
}

static void the_digests_are_those_of_the_example(void **state)
{
    (void)state;
    struct digest digest = {0};
    struct example example[5];
    assert_value(&digest, vector_text("digests.empty"));
    for (size_t i = 0; i < 5; i++) {
        load(i, &example[i]);
        digest_add(&digest, &example[i].element);
    }
    assert_value(&digest, vector_text("digests.all"));
    digest_remove(&digest, &example[1].element);
    digest_remove(&digest, &example[4].element);
    assert_value(&digest, vector_text("digests.kept"));
    for (size_t i = 0; i < 5; i++)
        if (i != 1 && i != 4)
            digest_remove(&digest, &example[i].element);
    assert_value(&digest, vector_text("digests.empty"));
}

static void the_order_of_enrolment_leaves_no_trace(void **state)
{
    (void)state;
    struct digest digest = {0};
    struct example example;
    for (size_t i = 5; i-- > 0;) {
        load(i, &example);
        digest_add(&digest, &example.element);
    }
    assert_value(&digest, vector_text("digests.all"));
}

static void the_stored_state_is_the_state(void **state)
{
    (void)state;
    struct digest digest = {0}, again;
    struct example example;
    uint8_t stored[DIGEST_STATE_SIZE];
    for (size_t i = 0; i < 5; i++) {
        load(i, &example);
        digest_add(&digest, &example.element);
    }
    digest_store(&digest, stored);
    assert_int_equal(stored[0] | stored[1] << 8, digest.lane[0]);
    digest_load(stored, digest.n, &again);
    assert_memory_equal(&again, &digest, sizeof digest);
}

static void every_part_of_an_instance_counts(void **state)
{
    (void)state;
    struct example example;
    for (size_t i = 15; i < 64; i++) {
        struct digest digest = {0}, changed = {0};
        load(1, &example);
        digest_add(&digest, &example.element);
        example.bytes[i] ^= 1;
        example.element.label = u32le(example.bytes + LABEL);
        digest_add(&changed, &example.element);
        assert_memory_not_equal(digest.lane, changed.lane, sizeof digest.lane);
    }
}

/* A byte that moves from the key to the token is another instance. */
static void lengths_are_part_of_the_element(void **state)
{
    (void)state;
    struct example example;
    struct digest digest = {0}, moved = {0};
    load(1, &example);
    uint8_t joined[64];
    struct element *element = &example.element;
    memcpy(joined, element->key.data, element->key.len);
    memcpy(joined + element->key.len, element->token.data, element->token.len);
    size_t both = element->key.len + element->token.len;
    digest_add(&digest, element);
    element->key = (struct bytes){joined, both};
    element->token = (struct bytes){NULL, 0};
    digest_add(&moved, element);
    assert_memory_not_equal(digest.lane, moved.lane, sizeof digest.lane);
}

static void a_key_is_its_components_and_then_its_scale(void **state)
{
    (void)state;
    struct example example;
    struct key key;
    uint8_t bytes[KEY_BYTES_MAX];
    load(0, &example);
    uint32_t dim = (uint32_t)example.element.key.len - 4;
    digest_key_parse(example.element.key.data, dim, &key);
    assert_int_equal(key.q[0], -4); /* 0xfc */
    assert_float_equal(key.scale, 0.015625f, 0);
    assert_int_equal(digest_key_bytes(&key, dim, bytes), example.element.key.len);
    assert_memory_equal(bytes, example.element.key.data, example.element.key.len);
}

static void a_seed_fixes_id_and_nonce_of_every_row(void **state)
{
    (void)state;
    uint8_t seed[SECRET_SIZE] = {0}, iid[IID_SIZE], nonce[NONCE_SIZE], mac[SHA256_SIZE];
    digest_seeded(seed, 0x0102, iid, nonce);
    crypto_hmac(seed, &(struct bytes){"iid\x02\x01\0\0\0\0\0\0", 11}, 1, mac);
    assert_memory_equal(iid, mac, IID_SIZE);
    crypto_hmac(seed, &(struct bytes){"nonce\x02\x01\0\0\0\0\0\0", 13}, 1, mac);
    assert_memory_equal(nonce, mac, NONCE_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_element_expands_to_the_lanes_of_the_example),
        cmocka_unit_test(the_digests_are_those_of_the_example),
        cmocka_unit_test(the_order_of_enrolment_leaves_no_trace),
        cmocka_unit_test(the_stored_state_is_the_state),
        cmocka_unit_test(every_part_of_an_instance_counts),
        cmocka_unit_test(lengths_are_part_of_the_element),
        cmocka_unit_test(a_key_is_its_components_and_then_its_scale),
        cmocka_unit_test(a_seed_fixes_id_and_nonce_of_every_row),
    };
    return cmocka_run_group_tests_name("digest", tests, vectors_load, vectors_free);
}

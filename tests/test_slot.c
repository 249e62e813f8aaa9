/* SPDX-License-Identifier: Apache-2.0 */
/* Slots: what is sealed comes back, and only at its place, with its key, unchanged. */
#include "tests/check.h"

#include "storage/slot.h"

static const struct slot_shape shape = {.size = SLOT_SIZE_DEFAULT, .key_dim = 128};
static const uint8_t ref[REF_SIZE] = {1, 2, 3}, key[SECRET_SIZE] = {4, 5, 6};
static const struct slot_place place = {ref, key, 42};

static void make(struct instance *ret_instance)
{
    memset(ret_instance, 0, sizeof *ret_instance);
    memset(ret_instance->iid, 0x11, IID_SIZE);
    memset(ret_instance->nonce, 0x22, NONCE_SIZE);
    memset(ret_instance->model, 0x33, SHA256_SIZE);
    ret_instance->label = 0xfedcba98;
    ret_instance->class = CLASS_TRAINED;
    ret_instance->added_at = 1763900000;
    ret_instance->key.scale = 0.0123f;
    for (int i = 0; i < 128; i++)
        ret_instance->key.q[i] = (int8_t)(i - 64);
    strcpy(ret_instance->provenance[0], "a shop");
    strcpy(ret_instance->provenance[3], "consent 17");
}

static void what_is_sealed_comes_back(void **unused)
{
    (void)unused;
    struct instance in, out;
    uint8_t body[SLOT_SIZE_DEFAULT], again[SLOT_SIZE_DEFAULT];
    make(&in);
    slot_seal(&shape, &place, &in, body);
    slot_seal(&shape, &place, &in, again);
    assert_memory_equal(body, ref, REF_SIZE);
    assert_memory_not_equal(body + REF_SIZE, again + REF_SIZE, GCM_NONCE_SIZE);
    assert_ok(slot_open(&shape, &place, body, &out));
    assert_memory_equal(&in, &out, sizeof in);
    assert_false(slot_is_free(&shape, body));
    memset(body, 0, sizeof body);
    assert_true(slot_is_free(&shape, body));
    body[sizeof body - 1] = 1;
    assert_false(slot_is_free(&shape, body));
}

static void the_default_slot_has_222_bytes_of_provenance(void **unused)
{
    (void)unused;
    struct instance in, out;
    uint8_t body[SLOT_SIZE_DEFAULT];
    make(&in);
    memset(in.provenance, 0, sizeof in.provenance);
    assert_int_equal(slot_room(&shape), 222);
    memset(in.provenance[1], 'x', 22);
    memset(in.provenance[2], 'y', 200);
    slot_seal(&shape, &place, &in, body);
    assert_ok(slot_open(&shape, &place, body, &out));
    assert_memory_equal(&in, &out, sizeof in);
}

static void a_labels_name_comes_back_and_takes_of_the_room(void **unused)
{
    (void)unused;
    struct instance in, out;
    uint8_t body[SLOT_SIZE_DEFAULT];
    make(&in);
    memset(in.provenance, 0, sizeof in.provenance);
    memset(in.name, 'n', LABEL_SIZE - 1);
    assert_int_equal(slot_name_size(in.name), 65);
    memset(in.provenance[2], 'y', 222 - 65);
    slot_seal(&shape, &place, &in, body);
    assert_ok(slot_open(&shape, &place, body, &out));
    assert_memory_equal(&in, &out, sizeof in);
    make(&in);
    strcpy(in.name, "0");
    slot_seal(&shape, &place, &in, body);
    assert_ok(slot_open(&shape, &place, body, &out));
    assert_memory_equal(&in, &out, sizeof in);
}

static void a_slot_opens_nowhere_else(void **unused)
{
    (void)unused;
    const uint8_t other[SECRET_SIZE] = {9};
    const struct slot_place elsewhere[] = {
        {ref, key, 43}, {other, key, 42}, {ref, other, 42}};
    struct instance in, out;
    uint8_t body[SLOT_SIZE_DEFAULT];
    make(&in);
    slot_seal(&shape, &place, &in, body);
    for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
        assert_int_equal(slot_open(&shape, &elsewhere[i], body, &out), MK_ESTORE);
}

static void no_bit_of_a_slot_can_be_changed(void **unused)
{
    (void)unused;
    struct instance in, out;
    uint8_t body[SLOT_SIZE_DEFAULT];
    make(&in);
    slot_seal(&shape, &place, &in, body);
    for (size_t bit = REF_SIZE * 8; bit < 8 * sizeof body; bit++) {
        body[bit / 8] ^= 1 << bit % 8;
        assert_int_equal(slot_open(&shape, &place, body, &out), MK_ESTORE);
        body[bit / 8] ^= 1 << bit % 8;
    }
    assert_ok(slot_open(&shape, &place, body, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sealed_comes_back),
        cmocka_unit_test(the_default_slot_has_222_bytes_of_provenance),
        cmocka_unit_test(a_labels_name_comes_back_and_takes_of_the_room),
        cmocka_unit_test(a_slot_opens_nowhere_else),
        cmocka_unit_test(no_bit_of_a_slot_can_be_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

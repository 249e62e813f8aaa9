/* SPDX-License-Identifier: Apache-2.0 */
/* Commitments and what an Idempotency-Key fixes. */
#include "tests/vectors.h"

#include "storage/opening.h"

static struct bytes text(const char *string)
{
    return (struct bytes){string, strlen(string)};
}

static void assert_mac(const uint8_t *mac, size_t len, const uint8_t *key,
                       const char *hex)
{
    uint8_t message[256], expected[SHA256_SIZE];
    assert_ok(hex_decode(hex, strlen(hex), message, strlen(hex) / 2));
    crypto_hmac(key, &(struct bytes){message, strlen(hex) / 2}, 1, expected);
    assert_memory_equal(mac, expected, len);
}

static void the_commitment_is_that_of_the_example(void **state)
{
    (void)state;
    struct opening opening = {.subject = text(vector_text("commitment.subject")),
                              .request = text(vector_text("commitment.request"))};
    const char *salt = vector_text("commitment.salt");
    assert_ok(base64url_decode(salt, strlen(salt), opening.salt, sizeof opening.salt));
    uint8_t commit[SHA256_SIZE];
    char encoded[BASE64URL_SIZE(SHA256_SIZE)];
    opening_commit(&opening, commit);
    base64url_encode(commit, sizeof commit, encoded);
    assert_string_equal(encoded, vector_text("commitment.commit"));
    assert_mac(commit, sizeof commit, opening.salt,
               vector_text("commitment.message_hex"));
}

static void subject_and_request_do_not_run_together(void **state)
{
    (void)state;
    struct opening one = {.subject = text("ab"), .request = text("c")};
    struct opening other = {.subject = text("a"), .request = text("bc")};
    uint8_t commit[2][SHA256_SIZE];
    opening_commit(&one, commit[0]);
    opening_commit(&other, commit[1]);
    assert_memory_not_equal(commit[0], commit[1], SHA256_SIZE);
}

/* The messages below are written out as docs/LEDGER.md gives them. */
static void the_salt_of_a_retry_is_the_same(void **state)
{
    (void)state;
    uint8_t pepper[SECRET_SIZE] = {3}, salt[SECRET_SIZE];
    opening_salt(pepper, text("key"), text("sub"), salt);
    /* "munkeyd/salt/v1\0" 0003 "key" 0003 "sub" */
    assert_mac(salt, sizeof salt, pepper,
               "6d756e6b6579642f73616c742f763100"
               "00036b6579"
               "0003737562");
}

static void the_idempotency_tag_is_a_mac_of_the_key(void **state)
{
    (void)state;
    uint8_t tag_key[SECRET_SIZE] = {4}, tag[SHA256_SIZE];
    opening_idem_tag(tag_key, text("key"), tag);
    assert_mac(tag, sizeof tag, tag_key,
               "6d756e6b6579642f6964656d2f763100"
               "6b6579");
}

static void the_ids_of_a_repeated_enrolment_are_the_same(void **state)
{
    (void)state;
    uint8_t tag_key[SECRET_SIZE] = {5}, iid[IID_SIZE];
    opening_iid(tag_key, text("key"), text("sub"), 258, iid);
    assert_mac(iid, sizeof iid, tag_key,
               "6d756e6b6579642f6969642f763100"
               "00036b6579"
               "0003737562"
               "00000102");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_commitment_is_that_of_the_example),
        cmocka_unit_test(subject_and_request_do_not_run_together),
        cmocka_unit_test(the_salt_of_a_retry_is_the_same),
        cmocka_unit_test(the_idempotency_tag_is_a_mac_of_the_key),
        cmocka_unit_test(the_ids_of_a_repeated_enrolment_are_the_same),
    };
    return cmocka_run_group_tests_name("opening", tests, vectors_load, vectors_free);
}

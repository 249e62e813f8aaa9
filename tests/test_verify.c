/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying the receipt of the worked example, and every way in which it can be wrong. */
#include "tests/vectors.h"

#include "storage/checkpoint.h"
#include "storage/receipt.h"
#include "storage/verify.h"

static char *jwks;

static int setup(void **state)
{
    if (vectors_load(state) != 0)
        return -1;
    uint8_t public[1][ED25519_SIZE];
    const char *x = vector_text("receipt_key.jwk.x");
    return base64url_decode(x, strlen(x), public[0], ED25519_SIZE) < 0
               ? -1
               : jwks_write(public, 1, &jwks);
}

static int teardown(void **state)
{
    free(jwks);
    return vectors_free(state);
}

static struct claim full_claim(void)
{
    const char *subject = vector_text("commitment.subject");
    return (struct claim){.receipt = vector_text("receipt_jws"),
                          .proof = vector_text("tlog_proof"),
                          .subject = subject,
                          .subject_len = strlen(subject),
                          .request = vector_text("commitment.request"),
                          .salt = vector_text("commitment.salt")};
}

static struct trust full_trust(void)
{
    return (struct trust){.jwks = jwks,
                          .vkeys = vector_text("log.vkey"),
                          .entry_before = vector_at("entries", 2),
                          .entry_after = vector_at("entries", 4)};
}

static struct verdict verdict_on(const struct claim *claim, const struct trust *trust)
{
    struct verdict verdict;
    assert_ok(verify_receipt(claim, trust, &verdict));
    return verdict;
}

/* Only this check fails. */
static void assert_fails(const struct claim *claim, const struct trust *trust,
                         enum check failing)
{
    struct verdict verdict = verdict_on(claim, trust);
    assert_false(verdict.valid);
    for (enum check i = 0; i < CHECKS; i++)
        assert_int_equal(verdict.check[i].result == CHECK_FAILED, i == failing);
}

static void the_receipt_of_the_example_passes_every_check(void **state)
{
    (void)state;
    static const char *const names[] = {"signature",   "known_key",  "commitment",
                                        "leaf_in_log", "checkpoint", "digest_chain"};
    struct claim claim = full_claim();
    struct trust trust = full_trust();
    struct verdict verdict = verdict_on(&claim, &trust);
    assert_true(verdict.valid);
    for (size_t i = 0; i < CHECKS; i++) {
        assert_int_equal(verdict.check[i].result, CHECK_PASSED);
        assert_string_equal(verdict.check[i].name, names[i]);
        assert_true(strlen(verdict.check[i].why) > 10);
    }
}

static void what_was_not_given_is_skipped(void **state)
{
    (void)state;
    struct claim claim = {.receipt = vector_text("receipt_jws")};
    struct trust trust = {.jwks = jwks};
    struct verdict verdict = verdict_on(&claim, &trust);
    assert_true(verdict.valid);
    for (enum check i = 0; i < CHECKS; i++) {
        bool done =
            i == CHECK_SIGNATURE || i == CHECK_KNOWN_KEY || i == CHECK_DIGEST_CHAIN;
        assert_int_equal(verdict.check[i].result, done ? CHECK_PASSED : CHECK_SKIPPED);
    }
    claim.proof = vector_text("tlog_proof");
    verdict = verdict_on(&claim, &trust);
    assert_int_equal(verdict.check[CHECK_LEAF_IN_LOG].result, CHECK_SKIPPED);
}

static void an_unknown_key_makes_it_invalid(void **state)
{
    (void)state;
    static const char *const sets[] = {"{\"keys\":[]}", "", "rubbish"};
    struct claim claim = full_claim();
    struct trust trust = full_trust();
    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        trust.jwks = sets[i];
        assert_fails(&claim, &trust, CHECK_KNOWN_KEY);
        assert_int_equal(verdict_on(&claim, &trust).check[CHECK_SIGNATURE].result,
                         CHECK_SKIPPED);
    }
}

static void a_forged_signature_is_found(void **state)
{
    (void)state;
    struct claim claim = full_claim();
    struct trust trust = full_trust();
    char *receipt = strdup(claim.receipt);
    char *first = strrchr(receipt, '.') + 1;
    *first = *first == 'M' ? 'N' : 'M';
    claim.receipt = receipt;
    assert_fails(&claim, &trust, CHECK_SIGNATURE);
    free(receipt);
}

static void another_opening_does_not_open(void **state)
{
    (void)state;
    struct trust trust = full_trust();
    struct claim claim = full_claim();
    claim.subject_len--;
    assert_fails(&claim, &trust, CHECK_COMMITMENT);
    claim = full_claim();
    claim.request = "a7551968-d5d6-44b2-9831-815ac9017799";
    assert_fails(&claim, &trust, CHECK_COMMITMENT);
    claim.request = NULL;
    assert_fails(&claim, &trust, CHECK_COMMITMENT);
    claim = full_claim();
    claim.salt = "";
    assert_fails(&claim, &trust, CHECK_COMMITMENT);
    claim.salt = NULL;
    assert_fails(&claim, &trust, CHECK_COMMITMENT);
    claim = full_claim();
    claim.subject_len = 70000;
    assert_fails(&claim, &trust, CHECK_COMMITMENT);
}

/* Every text of the claim with each of its bits changed: never valid, never a crash. */
static void every_changed_bit_makes_it_invalid(void **state)
{
    (void)state;
    struct trust trust = full_trust();
    struct claim claim = full_claim();
    const char **parts[] = {&claim.receipt, &claim.proof, &claim.subject, &claim.request,
                            &claim.salt};
    for (size_t p = 0; p < ARRAY_SIZE(parts); p++) {
        const char *original = *parts[p];
        char *text = strdup(original);
        *parts[p] = text;
        for (size_t i = 0; original[i]; i++)
            for (int bit = 0; bit < 8; bit++) {
                struct verdict verdict;
                text[i] ^= (char)(1 << bit);
                if (verify_receipt(&claim, &trust, &verdict) == 0)
                    assert_false(verdict.valid);
                text[i] ^= (char)(1 << bit);
            }
        *parts[p] = original;
        free(text);
    }
}

static void a_proof_of_another_entry_is_found(void **state)
{
    (void)state;
    struct claim claim = full_claim();
    struct trust trust = full_trust();
    char *proof = strdup(claim.proof);
    *strchr(proof, '3') = '2';
    claim.proof = proof;
    assert_fails(&claim, &trust, CHECK_LEAF_IN_LOG);
    free(proof);
}

/* The same log by a key that is not the log's; and the right key under another name. */
static void a_checkpoint_that_the_log_did_not_sign_is_found(void **state)
{
    (void)state;
    struct claim claim = full_claim();
    struct trust trust = full_trust();
    struct signer *signer;
    struct note_key key;
    uint8_t public[ED25519_SIZE];
    char vkey[VKEY_SIZE];
    assert_ok(signer_new(&signer));
    signer_public(signer, public);
    assert_ok(note_key_init(vector_text("log.origin"), public, &key));
    note_vkey(&key, vkey);
    trust.vkeys = vkey;
    assert_fails(&claim, &trust, CHECK_CHECKPOINT);
    trust.vkeys = "";
    assert_fails(&claim, &trust, CHECK_CHECKPOINT);
    trust.vkeys = "rubbish";
    assert_fails(&claim, &trust, CHECK_CHECKPOINT);
    signer_free(signer);
}

/* The example's proof on a checkpoint of this origin, signed under this name by a fresh key,
 * whose verifier key ret_vkey is. */
static char *proof_signed_by(const char *origin, const char *name,
                             char ret_vkey[static VKEY_SIZE])
{
    struct signer *signer;
    struct note_key key;
    struct proof proof;
    uint8_t public[ED25519_SIZE];
    char *note, *file, text[512];
    assert_ok(signer_new(&signer));
    signer_public(signer, public);
    assert_ok(note_key_init(name, public, &key));
    note_vkey(&key, ret_vkey);
    const struct signer *signers[] = {signer};
    const char *root = strchr(strchr(vector_text("checkpoint"), '\n') + 1, '\n') + 1;
    snprintf(text, sizeof text, "%s\n5\n%.*s\n", origin, (int)strcspn(root, "\n"), root);
    assert_ok(note_sign(text, name, signers, 1, &note));
    assert_ok(proof_parse(vector_text("tlog_proof"), &proof));
    assert_ok(proof_write(3, &proof.path, note, &file));
    free(note);
    signer_free(signer);
    return file;
}

static void assert_checkpoint_fails(const char *origin, const char *name)
{
    char vkey[VKEY_SIZE], *file = proof_signed_by(origin, name, vkey);
    struct claim claim = full_claim();
    struct trust trust = full_trust();
    claim.proof = file;
    trust.vkeys = vkey;
    assert_fails(&claim, &trust, CHECK_CHECKPOINT);
    free(file);
}

/* The same root, well signed, but not by this log. */
static void a_checkpoint_of_another_log_is_found(void **state)
{
    (void)state;
    assert_checkpoint_fails("other.test/log", "other.test/log");
}

/* A trusted key of somebody else, a witness say, does not stand for the log's. */
static void a_checkpoint_that_only_somebody_else_signed_is_found(void **state)
{
    (void)state;
    assert_checkpoint_fails(vector_text("log.origin"), "witness.test");
}

static void neighbours_that_do_not_meet_are_found(void **state)
{
    (void)state;
    struct claim claim = full_claim();
    struct trust trust = full_trust();
    trust.entry_before = vector_at("entries", 0);
    assert_fails(&claim, &trust, CHECK_DIGEST_CHAIN);
    trust.entry_before = "rubbish";
    assert_fails(&claim, &trust, CHECK_DIGEST_CHAIN);
    trust = full_trust();
    trust.entry_after = vector_at("entries", 2);
    assert_fails(&claim, &trust, CHECK_DIGEST_CHAIN);
    trust.entry_after = vector_at("more_entries_not_in_the_tree", 0);
    struct verdict verdict = verdict_on(&claim, &trust);
    assert_true(verdict.valid);
}

/* Signed by the receipt key, but the payload is no entry that gets a receipt, or lies. */
static void a_well_signed_payload_that_is_no_receipt_s_entry_is_found(void **state)
{
    (void)state;
    char wrong_sum[1024];
    const char *erase = vector_at("entries", 3), *at = strstr(erase, "\"exact\":2");
    sprintf(wrong_sum, "%.*s\"exact\":1%s", (int)(at - erase), erase, at + 9);
    const char *const payloads[] = {"", "{}", "hello", vector_at("entries", 4),
                                    wrong_sum};
    struct signer *signer = vector_signer("receipt_key.seed_hex");
    struct trust trust = {.jwks = jwks};
    for (size_t i = 0; i < ARRAY_SIZE(payloads); i++) {
        uint8_t signature[SIGNATURE_SIZE];
        char *jws;
        size_t len = strlen(payloads[i]);
        assert_ok(receipt_sign(signer, payloads[i], len, signature));
        assert_ok(receipt_write(vector_text("receipt_key.kid"), payloads[i], len,
                                signature, &jws));
        struct claim claim = {.receipt = jws};
        assert_fails(&claim, &trust, CHECK_DIGEST_CHAIN);
        free(jws);
    }
    signer_free(signer);
}

static void what_is_no_receipt_cannot_be_verified(void **state)
{
    (void)state;
    struct trust trust = full_trust();
    struct verdict verdict;
    static const char *const wrong[] = {"", "receipt", "a.b.c", "{}"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct claim claim = {.receipt = wrong[i]};
        assert_int_equal(verify_receipt(&claim, &trust, &verdict), MK_EINPUT);
    }
}

static void a_proof_states_its_index(void **state)
{
    (void)state;
    uint64_t index = 0;
    assert_ok(verify_proof_index(vector_text("tlog_proof"), &index));
    assert_int_equal(index, 3);
    assert_int_equal(verify_proof_index("rubbish", &index), MK_EINPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_receipt_of_the_example_passes_every_check),
        cmocka_unit_test(what_was_not_given_is_skipped),
        cmocka_unit_test(an_unknown_key_makes_it_invalid),
        cmocka_unit_test(a_forged_signature_is_found),
        cmocka_unit_test(another_opening_does_not_open),
        cmocka_unit_test(every_changed_bit_makes_it_invalid),
        cmocka_unit_test(a_proof_of_another_entry_is_found),
        cmocka_unit_test(a_checkpoint_that_the_log_did_not_sign_is_found),
        cmocka_unit_test(a_checkpoint_of_another_log_is_found),
        cmocka_unit_test(a_checkpoint_that_only_somebody_else_signed_is_found),
        cmocka_unit_test(neighbours_that_do_not_meet_are_found),
        cmocka_unit_test(a_well_signed_payload_that_is_no_receipt_s_entry_is_found),
        cmocka_unit_test(what_is_no_receipt_cannot_be_verified),
        cmocka_unit_test(a_proof_states_its_index),
    };
    return cmocka_run_group_tests_name("verify", tests, setup, teardown);
}

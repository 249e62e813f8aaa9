/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints and proof files, byte for byte as in the worked example. */
#include "tests/vectors.h"

#include "storage/checkpoint.h"

static struct merkle_path example_path(void)
{
    struct merkle_path path = {.n = json_array_size(vector("inclusion_3_of_5"))};
    for (size_t i = 0; i < path.n; i++)
        vector_hash(vector_at("inclusion_3_of_5", i), path.hash[i]);
    return path;
}

static void the_checkpoint_is_that_of_the_example(void **state)
{
    (void)state;
    struct checkpoint checkpoint = {.size = 5}, again;
    strcpy(checkpoint.origin, vector_text("log.origin"));
    vector_hash(vector_text("root"), checkpoint.root);
    struct signer *signer = vector_signer("log.seed_hex");
    const struct signer *signers[] = {signer};
    char *note;
    assert_ok(checkpoint_sign(&checkpoint, signers, 1, &note));
    assert_string_equal(note, vector_text("checkpoint"));
    assert_ok(checkpoint_parse(note, strlen(note), &again));
    assert_memory_equal(&again, &checkpoint, sizeof again);
    free(note);
    signer_free(signer);
}

static void the_proof_is_that_of_the_example(void **state)
{
    (void)state;
    struct merkle_path path = example_path();
    struct proof proof;
    char *file;
    assert_ok(proof_write(3, &path, vector_text("checkpoint"), &file));
    assert_string_equal(file, vector_text("tlog_proof"));
    assert_ok(proof_parse(file, &proof));
    assert_int_equal(proof.index, 3);
    assert_int_equal(proof.path.n, path.n);
    assert_memory_equal(proof.path.hash, path.hash, path.n * SHA256_SIZE);
    assert_string_equal(proof.checkpoint, vector_text("checkpoint"));
    free(file);
}

static void the_longest_path_survives(void **state)
{
    (void)state;
    static struct merkle_path path = {.n = MERKLE_PATH_MAX};
    struct proof proof;
    char *file;
    assert_ok(proof_write(0, &path, "checkpoint\n", &file));
    assert_ok(proof_parse(file, &proof));
    assert_int_equal(proof.path.n, MERKLE_PATH_MAX);
    /* One more hash */
    char *longer = malloc(strlen(file) + 64);
    const char *rest = strchr(strchr(file, '\n') + 1, '\n') + 1;
    sprintf(longer, "%.*s%.45s%s", (int)(rest - file), file, rest, rest);
    assert_int_equal(proof_parse(longer, &proof), MK_EINPUT);
    free(longer);
    free(file);
}

static void what_is_no_checkpoint_is_refused(void **state)
{
    (void)state;
#define ROOT "eoTnjPmGVZHsOsc+f5J8uHEAXsEqB8g8qjrm4FI46WE="
    static const char *const wrong[] = {
        "",
        "\n",
        "a.test\n",
        "a.test\n5\n",
        "a.test\n5\n" ROOT,
        "a.test\n5\n" ROOT "\n",
        "\n5\n" ROOT "\n\n",
        "a test\n5\n" ROOT "\n\n",
        "a.test\n\n" ROOT "\n\n",
        "a.test\n05\n" ROOT "\n\n",
        "a.test\n-5\n" ROOT "\n\n",
        "a.test\n+5\n" ROOT "\n\n",
        "a.test\n5 \n" ROOT "\n\n",
        "a.test\n9999999999999999999\n" ROOT "\n\n",
        "a.test\n5\nAAAA\n\n",
        "a.test\n5\n" ROOT "\nextension\n\n",
    };
    struct checkpoint checkpoint;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(checkpoint_parse(wrong[i], strlen(wrong[i]), &checkpoint),
                         MK_EINPUT);
    assert_ok(checkpoint_parse("a.test\n0\n" ROOT "\n\n", 6 + 3 + 2 + 46, &checkpoint));
    assert_int_equal(checkpoint_parse("a\0b\n5\n" ROOT "\n\n", 4 + 2 + 46, &checkpoint),
                     MK_EINPUT);
}

static void what_is_no_proof_is_refused(void **state)
{
    (void)state;
#define FIRST "c2sp.org/tlog-proof@v1\n"
    static const char *const wrong[] = {
        "",
        "\n",
        FIRST,
        "c2sp.org/tlog-proof@v2\nindex 3\n\n",
        FIRST "index 3\n",
        FIRST "index 3",
        FIRST "index\n\n",
        FIRST "index \n\n",
        FIRST "index 03\n\n",
        FIRST "index -3\n\n",
        FIRST "index 9999999999999999999\n\n",
        FIRST "\nindex 3\n\n",
        FIRST "index 3\nAAAA\n\n",
        FIRST "index 3\n" ROOT,
        FIRST "index 3\n" ROOT "\n",
        FIRST "index 3\n" ROOT "\r\n\n",
    };
    struct proof proof;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(proof_parse(wrong[i], &proof), MK_EINPUT);
    assert_ok(proof_parse(FIRST "index 3\n" ROOT "\n\n", &proof));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checkpoint_is_that_of_the_example),
        cmocka_unit_test(the_proof_is_that_of_the_example),
        cmocka_unit_test(the_longest_path_survives),
        cmocka_unit_test(what_is_no_checkpoint_is_refused),
        cmocka_unit_test(what_is_no_proof_is_refused),
    };
    return cmocka_run_group_tests_name("checkpoint", tests, vectors_load, vectors_free);
}

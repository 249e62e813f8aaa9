/* SPDX-License-Identifier: Apache-2.0 */
/* Signed notes and verifier keys, byte for byte as in the worked example. */
#include "tests/vectors.h"

#include "storage/note.h"

static struct note_key log_key(void)
{
    struct note_key key;
    const char *vkey = vector_text("log.vkey");
    assert_ok(note_vkey_parse(vkey, strlen(vkey), &key));
    return key;
}

/* The first three lines of the example's checkpoint. */
static char *signed_text(void)
{
    const char *note = vector_text("checkpoint");
    return strndup(note, (size_t)(strstr(note, "\n\n") + 1 - note));
}

static void the_verifier_key_is_that_of_the_example(void **state)
{
    (void)state;
    struct note_key key;
    uint8_t public[ED25519_SIZE];
    char vkey[VKEY_SIZE], id[HEX_SIZE(KEY_ID_SIZE)];
    struct signer *signer = vector_signer("log.seed_hex");
    signer_public(signer, public);
    assert_ok(note_key_init(vector_text("log.origin"), public, &key));
    hex_encode(key.id, sizeof key.id, id);
    assert_string_equal(id, vector_text("log.key_id_hex"));
    note_vkey(&key, vkey);
    assert_string_equal(vkey, vector_text("log.vkey"));
    struct note_key again = log_key();
    assert_memory_equal(&again, &key, sizeof key);
    signer_free(signer);
}

static void the_signature_is_that_of_the_example(void **state)
{
    (void)state;
    char *note, *text = signed_text();
    struct signer *signer = vector_signer("log.seed_hex");
    const struct signer *signers[] = {signer};
    assert_ok(note_sign(text, vector_text("log.origin"), signers, 1, &note));
    assert_string_equal(note, vector_text("checkpoint"));
    free(note);
    free(text);
    signer_free(signer);
}

static void a_note_opens_for_its_signers_key(void **state)
{
    (void)state;
    struct note_key key = log_key();
    const char *note = vector_text("checkpoint");
    char *text = signed_text();
    size_t len;
    assert_ok(note_open(note, strlen(note), &key, 1, &len));
    assert_int_equal(len, strlen(text));
    free(text);
}

static void every_changed_bit_closes_the_note(void **state)
{
    (void)state;
    struct note_key key = log_key();
    char *note = strdup(vector_text("checkpoint"));
    size_t note_len = strlen(note), len;
    for (size_t i = 0; i < note_len; i++)
        for (int bit = 0; bit < 8; bit++) {
            note[i] ^= (char)(1 << bit);
            assert_true(note_open(note, note_len, &key, 1, &len) < 0);
            note[i] ^= (char)(1 << bit);
        }
    for (size_t cut = 0; cut < note_len; cut++)
        assert_true(note_open(note, cut, &key, 1, &len) < 0);
    free(note);
}

static void two_signers_sign_in_their_order_and_each_key_opens(void **state)
{
    (void)state;
    struct signer *old = vector_signer("log.seed_hex"), *new;
    assert_ok(signer_new(&new));
    const struct signer *signers[] = {new, old};
    struct note_key keys[2];
    uint8_t public[ED25519_SIZE];
    for (size_t i = 0; i < 2; i++) {
        signer_public(signers[i], public);
        assert_ok(note_key_init("a.test/log", public, &keys[i]));
    }
    char *note;
    size_t len;
    assert_ok(note_sign("a.test/log\n1\nroot\n", "a.test/log", signers, 2, &note));
    for (size_t i = 0; i < 2; i++)
        assert_ok(note_open(note, strlen(note), &keys[i], 1, &len));
    assert_ok(note_open(note, strlen(note), keys, 2, &len));
    uint8_t blob[KEY_ID_SIZE + SIGNATURE_SIZE];
    const char *first = strstr(note, "log ") + 4;
    assert_ok(base64_decode(first, strcspn(first, "\n"), blob, sizeof blob));
    assert_memory_equal(blob, keys[0].id, KEY_ID_SIZE);
    free(note);
    signer_free(new);
    signer_free(old);
}

static void a_stranger_s_signature_neither_helps_nor_hurts(void **state)
{
    (void)state;
    struct note_key key = log_key();
    char note[1024];
    size_t len;
    sprintf(note, "%s\u2014 witness.test AAAA\n\u2014 other.test %s",
            vector_text("checkpoint"), strrchr(vector_text("checkpoint"), ' ') + 1);
    assert_ok(note_open(note, strlen(note), &key, 1, &len));
    strcpy(key.name, "else.test/log");
    assert_int_equal(note_open(note, strlen(note), &key, 1, &len), MK_EAUTH);
    assert_int_equal(note_open(note, strlen(note), NULL, 0, &len), MK_EAUTH);
}

static void what_is_no_note_is_refused(void **state)
{
    (void)state;
    struct note_key key = log_key();
    size_t len;
    static const char *const wrong[] = {
        "",
        "\n",
        "\n\n",
        "\n\n\n",
        "text\n",
        "text\n\n",
        "text\n\nsignature\n",
        "text\n\n- name AAAA\n",
        "text\n\n\u2014 \n",
        "text\n\n\u2014 name\n",
        "text\n\n\u2014  AAAA\n",
        "text\n\n\u2014 name AAAA",
    };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_true(note_open(wrong[i], strlen(wrong[i]), &key, 1, &len) < 0);
    char many[2048] = "text\n\n";
    for (int i = 0; i < 17; i++)
        strcat(many, "\u2014 name AAAA\n");
    assert_int_equal(note_open(many, strlen(many), &key, 1, &len), MK_EINPUT);
}

static void what_is_no_verifier_key_is_refused(void **state)
{
    (void)state;
    struct note_key key;
    char vkey[VKEY_SIZE];
    strcpy(vkey, vector_text("log.vkey"));
    size_t len = strlen(vkey);
    for (size_t i = 0; i < len; i++)
        for (int bit = 0; bit < 8; bit++) {
            vkey[i] ^= (char)(1 << bit);
            assert_int_equal(note_vkey_parse(vkey, len, &key), MK_EINPUT);
            vkey[i] ^= (char)(1 << bit);
        }
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(note_vkey_parse(vkey, cut, &key), MK_EINPUT);
}

static void several_verifier_keys_come_one_a_line(void **state)
{
    (void)state;
    char text[1024];
    struct note_key *keys, key = log_key();
    size_t n;
    const char *vkey = vector_text("log.vkey");
    sprintf(text, "%s\n\n%s", vkey, vkey);
    assert_ok(note_vkeys_parse(text, &keys, &n));
    assert_int_equal(n, 2);
    assert_memory_equal(&keys[1], &key, sizeof key);
    free(keys);
    sprintf(text, "%s\nrubbish\n", vkey);
    assert_int_equal(note_vkeys_parse(text, &keys, &n), MK_EINPUT);
    assert_ok(note_vkeys_parse("", &keys, &n));
    assert_int_equal(n, 0);
    free(keys);
}

static void names_are_plain_words(void **state)
{
    (void)state;
    char name[ORIGIN_SIZE + 1];
    memset(name, 'n', sizeof name);
    name[ORIGIN_SIZE] = '\0';
    assert_int_equal(note_name_check(name), MK_EINPUT);
    name[ORIGIN_SIZE - 1] = '\0';
    assert_ok(note_name_check(name));
    static const char *const wrong[] = {"",     "a b",    "a+b", "a\nb", "a\tb",
                                        "\x7f", "\u00e9", "\"",  "\\"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(note_name_check(wrong[i]), MK_EINPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_verifier_key_is_that_of_the_example),
        cmocka_unit_test(the_signature_is_that_of_the_example),
        cmocka_unit_test(a_note_opens_for_its_signers_key),
        cmocka_unit_test(every_changed_bit_closes_the_note),
        cmocka_unit_test(two_signers_sign_in_their_order_and_each_key_opens),
        cmocka_unit_test(a_stranger_s_signature_neither_helps_nor_hurts),
        cmocka_unit_test(what_is_no_note_is_refused),
        cmocka_unit_test(what_is_no_verifier_key_is_refused),
        cmocka_unit_test(several_verifier_keys_come_one_a_line),
        cmocka_unit_test(names_are_plain_words),
    };
    return cmocka_run_group_tests_name("note", tests, vectors_load, vectors_free);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Log entries: every act byte for byte as in the worked example, and one form only. */
#include "tests/vectors.h"

#include "storage/entry.h"

static const char model[] =
    "2fe3ec21a8886b37b8f26a3c9aa989b5b2283c54ffc134d6b28c0d137ceaca57";
static const char more[] = "more_entries_not_in_the_tree";

/* What every entry of the example has in common. */
static struct entry an_entry(enum act act, int64_t iat, const char *before,
                             const char *after, uint64_t n_before, uint64_t n_after)
{
    struct entry entry = {.act = act, .iat = iat, .n = {n_before, n_after}};
    strcpy(entry.iss, vector_text("log.origin"));
    vector_hash(vector_text(before), entry.mem[0]);
    vector_hash(vector_text(after), entry.mem[1]);
    return entry;
}

static void set_model(struct entry *entry)
{
    vector_hash(model, entry->model);
}

static void set_commit(struct entry *entry, const char *commit)
{
    assert_ok(
        base64url_decode(commit, strlen(commit), entry->commit, sizeof entry->commit));
}

static void assert_written(const struct entry *entry, const char *expected)
{
    char *bytes;
    size_t len;
    struct entry again;
    assert_ok(entry_write(entry, &bytes, &len));
    assert_string_equal(bytes, expected);
    assert_int_equal(len, strlen(expected));
    assert_ok(entry_parse(bytes, len, &again));
    assert_memory_equal(&again, entry, sizeof again);
    assert_ok(entry_check(entry));
    free(bytes);
}

static void init_enroll_and_restrict_are_those_of_the_example(void **state)
{
    (void)state;
    struct entry init =
        an_entry(ACT_INIT, 1767225600, "digests.empty", "digests.empty", 0, 0);
    set_model(&init);
    assert_written(&init, vector_at("entries", 0));
    struct entry enroll =
        an_entry(ACT_ENROLL, 1767225600, "digests.empty", "digests.all", 0, 5);
    enroll.class = CLASS_EXACT;
    assert_written(&enroll, vector_at("entries", 1));
    struct entry restrict_ =
        an_entry(ACT_RESTRICT, 1767225600, "digests.all", "digests.all", 5, 5);
    set_commit(&restrict_, "nihgUtZ-pA1Ezm00cyPFEK6D11JkyZx1Zx0qlsisWvU");
    assert_written(&restrict_, vector_at("entries", 2));
}

static void erase_and_start_are_those_of_the_example(void **state)
{
    (void)state;
    struct entry erase =
        an_entry(ACT_ERASE, 1767229200, "digests.all", "digests.kept", 5, 3);
    set_model(&erase);
    set_commit(&erase, vector_text("commitment.commit"));
    erase.exact = 2;
    assert_written(&erase, vector_at("entries", 3));
    struct entry start =
        an_entry(ACT_START, 1767232800, "digests.kept", "digests.kept", 3, 3);
    set_model(&start);
    assert_written(&start, vector_at("entries", 4));
}

static void not_held_and_audit_are_those_of_the_example(void **state)
{
    (void)state;
    struct entry not_held =
        an_entry(ACT_NOT_HELD, 1767234600, "digests.kept", "digests.kept", 3, 3);
    set_model(&not_held);
    set_commit(&not_held, vector_text("commitment.commit"));
    assert_written(&not_held, vector_at(more, 0));
    struct entry audit =
        an_entry(ACT_AUDIT, 1767234601, "digests.kept", "digests.kept", 3, 3);
    vector_hash(vector_text("digests.kept"), audit.found);
    audit.ok = true;
    assert_written(&audit, vector_at(more, 1));
}

static void rotate_and_restore_are_those_of_the_example(void **state)
{
    (void)state;
    struct entry rotate =
        an_entry(ACT_ROTATE, 1767234602, "digests.kept", "digests.kept", 3, 3);
    rotate.rotates_log = true;
    strcpy(rotate.old, vector_text("log.vkey"));
    strcpy(
        rotate.new,
        "example.munkeyd.test/log+5a1a3b87+AVsBuc1S66LA8ic/U+2Y/ltQcOo6qpHkWMMkDpCU+2hN");
    assert_written(&rotate, vector_at(more, 2));
    struct entry restore =
        an_entry(ACT_RESTORE, 1767234603, "digests.all", "digests.kept", 5, 3);
    set_model(&restore);
    assert_written(&restore, vector_at(more, 3));
}

static void the_acts_that_the_example_lacks_survive_too(void **state)
{
    (void)state;
    char *bytes;
    size_t len;
    struct entry again;
    for (enum act act = 0; act < ACTS; act++) {
        struct entry entry = an_entry(act, 5, "digests.kept", "digests.kept", 3, 3);
        if (act == ACT_ENROLL)
            entry.class = CLASS_TRAINED;
        if (act == ACT_ERASE)
            entry.exact = 1, entry.trained = UINT64_C(9007199254740991);
        assert_ok(entry_write(&entry, &bytes, &len));
        assert_ok(entry_parse(bytes, len, &again));
        assert_memory_equal(&again, &entry, sizeof again);
        free(bytes);
    }
}

static void every_changed_byte_is_another_entry_or_none(void **state)
{
    (void)state;
    for (size_t e = 0; e < 5; e++) {
        char text[1024];
        struct entry original, entry;
        strcpy(text, vector_at("entries", e));
        assert_ok(entry_parse(text, strlen(text), &original));
        for (size_t i = 0; text[i]; i++)
            for (int bit = 0; bit < 8; bit++) {
                text[i] ^= (char)(1 << bit);
                if (entry_parse(text, strlen(vector_at("entries", e)), &entry) == 0)
                    assert_memory_not_equal(&entry, &original, sizeof entry);
                text[i] ^= (char)(1 << bit);
            }
    }
}

static void every_cut_off_entry_is_refused(void **state)
{
    (void)state;
    struct entry entry;
    const char *text = vector_at("entries", 3);
    for (size_t len = 0; len < strlen(text); len++)
        assert_int_equal(entry_parse(text, len, &entry), MK_EINPUT);
}

/* Replaces the first occurrence of from. */
static void replaced(const char *text, const char *from, const char *to, char *ret)
{
    const char *at = strstr(text, from);
    assert_non_null(at);
    sprintf(ret, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void another_form_of_the_same_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } changes[] = {
        {"{", "{ "},
        {"\"v\":1", "\"v\":2"},
        {"\"v\":1", "\"v\":1.0"},
        {"\"v\":1}", "\"v\":1,\"w\":1}"},
        {"\"v\":1}", "\"v\":1}\n"},
        {"\"n\":[5,3]", "\"n\":[5,3,1]"},
        {"\"n\":[5,3]", "\"n\":[5,-3]"},
        {"\"n\":[5,3]", "\"n\":[5,3.0]"},
        {"\"n\":[5,3]", "\"n\":[5,9007199254740992]"},
        {"\"n\":[5,3]", "\"n\":5"},
        {"\"n\":[5,3]", "\"n\":[5,\"3\"]"},
        {"\"n\":[5,3],", ""},
        {"\"exact\":2", "\"exact\":0"},
        {"\"exact\":2", "\"exact\":2,\"public\":1"},
        {"\"exact\":2", "\"exact\":2,\"exact\":2"},
        {"\"act\":\"erase\"", "\"act\":\"forget\""},
        {"\"act\":\"erase\"", "\"act\":7"},
        {"\"act\":\"erase\",", ""},
        {"\"scope\":\"memory\"", "\"scope\":\"all\""},
        {"sha256:2fe3", "sha256:2FE3"},
        {"sha256:", ""},
        {"sha256:", "sha512:"},
        {"\"mem\":[\"eddd", "\"mem\":[\"EDDD"},
        {"Qaz8", "=az8"},
        {"example.munkeyd", "ex\\u0061mple.munkeyd"},
        {"example.munkeyd.test/log", "two words"},
        {"\"iss\":\"example.munkeyd.test/log\",", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        char text[1024];
        struct entry entry;
        replaced(vector_at("entries", 3), changes[i].from, changes[i].to, text);
        assert_int_equal(entry_parse(text, strlen(text), &entry), MK_EINPUT);
    }
}

static void what_is_no_entry_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "{}",
                                        "[]",
                                        "null",
                                        "\"erase\"",
                                        "{\"act\":\"erase\"}",
                                        "{\"act\":\"erase\",\"mem\":7,\"n\":{}}"};
    struct entry entry;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(entry_parse(wrong[i], strlen(wrong[i]), &entry), MK_EINPUT);
    char deep[2000];
    memset(deep, '[', sizeof deep);
    assert_int_equal(entry_parse(deep, sizeof deep, &entry), MK_EINPUT);
    static char big[ENTRY_MAX + 1];
    memset(big, ' ', sizeof big);
    assert_int_equal(entry_parse(big, sizeof big, &entry), MK_EINPUT);
}

static void an_act_that_does_not_do_what_it_says_is_found(void **state)
{
    (void)state;
    struct entry erase = an_entry(ACT_ERASE, 1, "digests.all", "digests.kept", 5, 3);
    erase.exact = 1;
    assert_int_equal(entry_check(&erase), MK_EINPUT);
    erase.trained = 1;
    assert_ok(entry_check(&erase));
    erase.n[1] = 7;
    assert_int_equal(entry_check(&erase), MK_EINPUT);
    struct entry none = an_entry(ACT_ERASE, 1, "digests.all", "digests.all", 5, 5);
    assert_int_equal(entry_check(&none), MK_EINPUT);
    struct entry not_held =
        an_entry(ACT_NOT_HELD, 1, "digests.all", "digests.kept", 5, 5);
    assert_int_equal(entry_check(&not_held), MK_EINPUT);
    not_held = an_entry(ACT_NOT_HELD, 1, "digests.all", "digests.all", 5, 5);
    assert_ok(entry_check(&not_held));
    not_held.exact = 1;
    assert_int_equal(entry_check(&not_held), MK_EINPUT);
    struct entry start = an_entry(ACT_START, 1, "digests.all", "digests.all", 5, 4);
    assert_int_equal(entry_check(&start), MK_EINPUT);
    struct entry enroll = an_entry(ACT_ENROLL, 1, "digests.all", "digests.kept", 5, 3);
    assert_int_equal(entry_check(&enroll), MK_EINPUT);
    struct entry init = an_entry(ACT_INIT, 1, "digests.all", "digests.all", 5, 5);
    assert_int_equal(entry_check(&init), MK_EINPUT);
}

static void the_example_is_a_chain_and_breaks_when_an_entry_is_left_out(void **state)
{
    (void)state;
    struct entry entry[5];
    for (size_t i = 0; i < 5; i++) {
        const char *text = vector_at("entries", i);
        assert_ok(entry_parse(text, strlen(text), &entry[i]));
        if (i > 0)
            assert_ok(entry_follows(&entry[i - 1], &entry[i]));
    }
    assert_int_equal(entry_follows(&entry[0], &entry[2]), MK_EINPUT);
    assert_int_equal(entry_follows(&entry[2], &entry[4]), MK_EINPUT);
    entry[3].iat = entry[2].iat - 1;
    assert_int_equal(entry_follows(&entry[2], &entry[3]), MK_EINPUT);
    strcpy(entry[4].iss, "other.test/log");
    entry[3].iat = entry[2].iat;
    assert_int_equal(entry_follows(&entry[3], &entry[4]), MK_EINPUT);
}

static void receipts_exist_for_four_acts(void **state)
{
    (void)state;
    for (enum act act = 0; act < ACTS; act++)
        assert_int_equal(act_has_receipt(act), act == ACT_ERASE || act == ACT_NOT_HELD ||
                                                   act == ACT_RESTRICT ||
                                                   act == ACT_UNRESTRICT);
    assert_string_equal(act_name(ACT_NOT_HELD), "not_held");
}

static void time_never_goes_back_and_is_as_coarse_as_set(void **state)
{
    (void)state;
    assert_int_equal(entry_iat(1000, 0, 0), 1000);
    assert_int_equal(entry_iat(1000, 0, 1), 1000);
    assert_int_equal(entry_iat(1099, 0, 100), 1000);
    assert_int_equal(entry_iat(900, 1000, 100), 1000);  /* the clock was set back */
    assert_int_equal(entry_iat(1099, 1050, 100), 1050); /* coarser than before */
    assert_int_equal(entry_iat(1100, 1050, 100), 1100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_enroll_and_restrict_are_those_of_the_example),
        cmocka_unit_test(erase_and_start_are_those_of_the_example),
        cmocka_unit_test(not_held_and_audit_are_those_of_the_example),
        cmocka_unit_test(rotate_and_restore_are_those_of_the_example),
        cmocka_unit_test(the_acts_that_the_example_lacks_survive_too),
        cmocka_unit_test(every_changed_byte_is_another_entry_or_none),
        cmocka_unit_test(every_cut_off_entry_is_refused),
        cmocka_unit_test(another_form_of_the_same_is_refused),
        cmocka_unit_test(what_is_no_entry_is_refused),
        cmocka_unit_test(an_act_that_does_not_do_what_it_says_is_found),
        cmocka_unit_test(the_example_is_a_chain_and_breaks_when_an_entry_is_left_out),
        cmocka_unit_test(receipts_exist_for_four_acts),
        cmocka_unit_test(time_never_goes_back_and_is_as_coarse_as_set),
    };
    return cmocka_run_group_tests_name("entry", tests, vectors_load, vectors_free);
}

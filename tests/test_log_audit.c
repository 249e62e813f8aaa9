/* SPDX-License-Identifier: Apache-2.0 */
/* The audit of a log: each rule, broken in a log that is signed as it should be, is found by the
 * check that is named for it, and by no other. */
#include "tests/check.h"

#include <stdio.h>
#include <unistd.h>

#include "storage/checkpoint.h"
#include "storage/entry.h"
#include "storage/log_audit.h"
#include "storage/receipt.h"
#include "storage/tree.h"

enum { ENTRIES = 6, ROTATION = 4 };

/* A log on its way into files: an erasure, and a rotation of the log's key. */
struct made {
    char folder[64];
    struct signer *key[2], *receipt_key;
    char vkey[2][VKEY_SIZE];
    struct entry entry[ENTRIES];
    char *bytes[ENTRIES]; /* as entry_write() makes them, unless a test has others */
    bool old_signs_alone, new_signs_alone, no_rotation;
};

static void fill(struct made *made)
{
    static const enum act acts[ENTRIES] = {ACT_INIT,  ACT_ENROLL, ACT_ERASE,
                                           ACT_START, ACT_ROTATE, ACT_START};
    static const uint64_t n[ENTRIES][2] = {{0, 0}, {0, 5}, {5, 3},
                                           {3, 3}, {3, 3}, {3, 3}};
    for (size_t i = 0; i < ENTRIES; i++) {
        struct entry *entry = &made->entry[i];
        *entry = (struct entry){.act = acts[i],
                                .iat = 1000 + (int64_t)i,
                                .iss = "example.org/log",
                                .n = {n[i][0], n[i][1]}};
        entry->mem[0][0] = (uint8_t)n[i][0];
        entry->mem[1][0] = (uint8_t)n[i][1];
    }
    made->entry[2].exact = 2;
    made->entry[ROTATION].rotates_log = true;
    memcpy(made->entry[ROTATION].old, made->vkey[0], VKEY_SIZE);
    memcpy(made->entry[ROTATION].new, made->vkey[1], VKEY_SIZE);
}

static int set_up(void **data)
{
    struct made *made = calloc(1, sizeof *made);
    strcpy(made->folder, "/tmp/munkeyd-audit-XXXXXX");
    assert_non_null(mkdtemp(made->folder));
    assert_ok(signer_new(&made->receipt_key));
    for (int i = 0; i < 2; i++) {
        uint8_t public[ED25519_SIZE];
        struct note_key key;
        assert_ok(signer_new(&made->key[i]));
        signer_public(made->key[i], public);
        assert_ok(note_key_init("example.org/log", public, &key));
        note_vkey(&key, made->vkey[i]);
    }
    fill(made);
    *data = made;
    return 0;
}

static int tear_down(void **data)
{
    static const char *const names[] = {"entries", "checkpoint", "rotation-4"};
    struct made *made = *data;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", made->folder, names[i]);
        unlink(path);
    }
    rmdir(made->folder);
    for (int i = 0; i < ENTRIES; i++)
        free(made->bytes[i]);
    signer_free(made->key[0]);
    signer_free(made->key[1]);
    signer_free(made->receipt_key);
    free(made);
    return 0;
}

static void save(const struct made *made, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", made->folder, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

/* A checkpoint over the first size entries, signed by the keys. */
static char *sign(struct tree *tree, uint64_t size, const struct signer *const *keys,
                  size_t n)
{
    struct checkpoint checkpoint = {.origin = "example.org/log", .size = size};
    char *note;
    assert_ok(tree_root(tree, size, checkpoint.root));
    assert_ok(checkpoint_sign(&checkpoint, keys, n, &note));
    return note;
}

static void write_notes(const struct made *made, struct tree *tree)
{
    const struct signer *both[] = {made->key[1], made->key[0]};
    const struct signer *const *signers = made->old_signs_alone ? both + 1 : both;
    size_t n = made->old_signs_alone || made->new_signs_alone ? 1 : 2;
    char *note = sign(tree, tree->n, both, 1);
    save(made, "checkpoint", note);
    free(note);
    if (made->no_rotation)
        return;
    note = sign(tree, ROTATION + 1, signers, n);
    save(made, "rotation-4", note);
    free(note);
}

static void write_log(struct made *made)
{
    char path[128];
    struct tree tree = {0};
    snprintf(path, sizeof path, "%s/entries", made->folder);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    for (size_t i = 0; i < ENTRIES; i++) {
        uint8_t leaf[SHA256_SIZE];
        size_t len;
        if (!made->bytes[i])
            assert_ok(entry_write(&made->entry[i], &made->bytes[i], &len));
        len = strlen(made->bytes[i]);
        fputc((int)(len >> 8), out);
        fputc((int)(len & 255), out);
        fputs(made->bytes[i], out);
        merkle_leaf(made->bytes[i], len, leaf);
        assert_ok(tree_append(&tree, leaf));
    }
    fclose(out);
    write_notes(made, &tree);
    tree_done(&tree);
}

/* The checks that fail, as a set of bits. */
static unsigned failing(const struct log_audit *audit)
{
    unsigned failed = 0;
    for (enum audit_check check = 0; check < AUDITS; check++)
        if (log_audit_finding(audit, check)->result == CHECK_FAILED)
            failed |= 1u << check;
    return failed;
}

static unsigned audited_with(struct made *made, const char *vkeys)
{
    struct log_audit *audit;
    write_log(made);
    assert_ok(log_audit_new(made->folder, vkeys, &audit));
    unsigned failed = failing(audit);
    log_audit_free(audit);
    return failed;
}

static unsigned audited(struct made *made)
{
    return audited_with(made, made->vkey[0]);
}

static void a_good_log_is_found_good_from_either_key(void **data)
{
    struct made *made = *data;
    assert_int_equal(audited_with(made, made->vkey[0]), 0);
    assert_int_equal(audited_with(made, made->vkey[1]), 0);
}

static void make_up_vkey(char ret_vkey[static VKEY_SIZE])
{
    uint8_t public[ED25519_SIZE] = {1};
    struct note_key key;
    assert_ok(note_key_init("example.org/log", public, &key));
    note_vkey(&key, ret_vkey);
}

static void a_key_that_was_never_the_log_s_is_found(void **data)
{
    struct made *made = *data;
    char vkey[VKEY_SIZE];
    make_up_vkey(vkey);
    assert_int_equal(audited_with(made, vkey), 1u << AUDIT_KEYS);
}

static void a_digest_that_does_not_meet_its_neighbour_s_is_found(void **data)
{
    struct made *made = *data;
    made->entry[2].mem[0][9] = 1;
    assert_int_equal(audited(made), 1u << AUDIT_CHAIN);
}

static void a_count_that_does_not_meet_its_neighbour_s_is_found(void **data)
{
    struct made *made = *data;
    made->entry[3].n[0] = made->entry[3].n[1] = 2;
    assert_int_equal(audited(made), 1u << AUDIT_CHAIN);
}

static void an_erasure_that_takes_more_than_it_says_is_found(void **data)
{
    struct made *made = *data;
    made->entry[2].exact = 1;
    assert_int_equal(audited(made), 1u << AUDIT_ACTS);
}

static void a_second_beginning_is_found(void **data)
{
    struct made *made = *data;
    made->entry[0].act = ACT_START;
    assert_int_equal(audited(made), 1u << AUDIT_ACTS);
}

static void time_that_runs_backwards_is_found(void **data)
{
    struct made *made = *data;
    made->entry[3].iat = 1001;
    assert_int_equal(audited(made), 1u << AUDIT_TIME);
}

static void an_entry_of_another_log_is_found(void **data)
{
    struct made *made = *data;
    strcpy(made->entry[3].iss, "example.org/other");
    assert_int_equal(audited(made), 1u << AUDIT_ORIGIN);
}

static void another_spelling_of_an_entry_is_found(void **data)
{
    struct made *made = *data;
    size_t len;
    char *bytes;
    assert_ok(entry_write(&made->entry[3], &bytes, &len));
    assert_true(asprintf(&made->bytes[3], "%s ", bytes) > 0);
    free(bytes);
    assert_int_equal(audited(made), 1u << AUDIT_CANONICAL);
}

/* Whoever steals the present key, or makes one up, can write such an entry, too. */
static void a_rotation_that_the_old_key_has_not_signed_is_found(void **data)
{
    struct made *made = *data;
    made->new_signs_alone = true;
    assert_int_equal(audited(made), 1u << AUDIT_ROTATIONS);
}

static void a_rotation_that_the_new_key_has_not_signed_is_found(void **data)
{
    struct made *made = *data;
    made->old_signs_alone = true;
    assert_int_equal(audited(made), 1u << AUDIT_ROTATIONS);
}

static void a_rotation_whose_checkpoint_is_missing_is_found(void **data)
{
    struct made *made = *data;
    made->no_rotation = true;
    assert_int_equal(audited(made), 1u << AUDIT_ROTATIONS);
}

static void a_checkpoint_that_a_retired_key_has_signed_is_found(void **data)
{
    struct made *made = *data;
    struct signer *new = made->key[1];
    write_log(made);
    made->key[1] = made->key[0];
    made->no_rotation = true; /* the good one is there */
    assert_int_equal(audited(made), 1u << AUDIT_CHECKPOINT);
    made->key[1] = new;
}

static void a_rotation_away_from_a_key_that_was_not_the_log_s_is_found(void **data)
{
    struct made *made = *data;
    made->entry[5].act = ACT_ROTATE;
    made->entry[5].rotates_log = true;
    memcpy(made->entry[5].old, made->vkey[0], VKEY_SIZE);
    make_up_vkey(made->entry[5].new);
    assert_true(audited(made) & 1u << AUDIT_KEYS);
}

static void what_is_behind_the_last_entry_is_found(void **data)
{
    struct made *made = *data;
    struct log_audit *audit;
    char path[128];
    write_log(made);
    snprintf(path, sizeof path, "%s/entries", made->folder);
    assert_int_equal(truncate(path, 5), 0);
    assert_ok(log_audit_new(made->folder, made->vkey[0], &audit));
    assert_true(failing(audit) & 1u << AUDIT_RECORDS);
    assert_true(failing(audit) & 1u << AUDIT_TREE);
    log_audit_free(audit);
}

static void a_checkpoint_of_a_fork_was_not_seen_here(void **data)
{
    struct made *made = *data;
    struct log_audit *audit;
    struct tree fork = {0};
    uint8_t leaf[SHA256_SIZE] = {7};
    const struct signer *old[] = {made->key[0]};
    write_log(made);
    assert_ok(tree_append(&fork, leaf));
    char *note = sign(&fork, 1, old, 1), *empty = sign(&fork, 0, old, 1);
    assert_ok(log_audit_new(made->folder, made->vkey[0], &audit));
    log_audit_seen(audit, empty);
    assert_int_equal(log_audit_finding(audit, AUDIT_SEEN)->result, CHECK_PASSED);
    log_audit_seen(audit, note);
    assert_int_equal(failing(audit), 1u << AUDIT_SEEN);
    log_audit_free(audit);
    tree_done(&fork);
    free(note);
    free(empty);
}

/* A receipt over an entry, by the log's receipt key; and the set that holds that key. */
static char *receipt_over(const struct made *made, const char *entry, char **ret_jwks)
{
    uint8_t public[1][ED25519_SIZE], signature[SIGNATURE_SIZE];
    char kid[KID_SIZE], *jws;
    signer_public(made->receipt_key, public[0]);
    receipt_kid(public[0], kid);
    assert_ok(jwks_write((const uint8_t(*)[ED25519_SIZE]) public, 1, ret_jwks));
    assert_ok(receipt_sign(made->receipt_key, entry, strlen(entry), signature));
    assert_ok(receipt_write(kid, entry, strlen(entry), signature, &jws));
    return jws;
}

static void a_receipt_about_no_entry_of_the_log_is_found(void **data)
{
    struct made *made = *data;
    struct log_audit *audit;
    char *jwks, *forged, *other_jwks;
    size_t len;
    write_log(made);
    char *good = receipt_over(made, made->bytes[2], &jwks);
    made->entry[2].commit[0] = 1;
    assert_ok(entry_write(&made->entry[2], &forged, &len));
    char *bad = receipt_over(made, forged, &other_jwks);
    assert_ok(log_audit_new(made->folder, made->vkey[0], &audit));
    log_audit_jwks(audit, jwks);
    log_audit_receipt(audit, "good", &(struct claim){.receipt = good});
    assert_int_equal(failing(audit), 0);
    log_audit_receipt(audit, "bad", &(struct claim){.receipt = bad});
    assert_int_equal(failing(audit), 1u << AUDIT_RECEIPTS);
    assert_non_null(
        strstr(log_audit_finding(audit, AUDIT_RECEIPTS)->why, "bad: its entry"));
    log_audit_free(audit);
    free(jwks);
    free(other_jwks);
    free(forged);
    free(good);
    free(bad);
}

static void a_key_set_that_lacks_a_key_of_the_log_is_found(void **data)
{
    struct made *made = *data;
    struct log_audit *audit;
    made->entry[5] = made->entry[ROTATION];
    made->entry[5].rotates_log = false;
    made->entry[5].iat = 2000;
    strcpy(made->entry[5].old, "EUijGy69_YA4AKj9j1MvbQwO9SYfAnPbJBJ3ciMHhSI");
    strcpy(made->entry[5].new, "AUijGy69_YA4AKj9j1MvbQwO9SYfAnPbJBJ3ciMHhSI");
    write_log(made);
    assert_ok(log_audit_new(made->folder, made->vkey[0], &audit));
    assert_int_equal(failing(audit), 0);
    log_audit_jwks(audit, "{\"keys\":[]}");
    assert_int_equal(failing(audit), 1u << AUDIT_RECEIPT_KEYS);
    log_audit_free(audit);
}

static void a_log_that_is_not_there_cannot_be_audited(void **data)
{
    struct made *made = *data;
    struct log_audit *audit;
    assert_int_equal(log_audit_new(made->folder, made->vkey[0], &audit), MK_ENOTFOUND);
    save(made, "checkpoint", "rubbish\n");
    assert_int_equal(log_audit_new(made->folder, made->vkey[0], &audit), MK_EINPUT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_log_is_found_good_from_either_key),
        TEST(a_key_that_was_never_the_log_s_is_found),
        TEST(a_digest_that_does_not_meet_its_neighbour_s_is_found),
        TEST(a_count_that_does_not_meet_its_neighbour_s_is_found),
        TEST(an_erasure_that_takes_more_than_it_says_is_found),
        TEST(a_second_beginning_is_found),
        TEST(time_that_runs_backwards_is_found),
        TEST(an_entry_of_another_log_is_found),
        TEST(another_spelling_of_an_entry_is_found),
        TEST(a_rotation_that_the_old_key_has_not_signed_is_found),
        TEST(a_rotation_that_the_new_key_has_not_signed_is_found),
        TEST(a_rotation_whose_checkpoint_is_missing_is_found),
        TEST(a_checkpoint_that_a_retired_key_has_signed_is_found),
        TEST(a_rotation_away_from_a_key_that_was_not_the_log_s_is_found),
        TEST(what_is_behind_the_last_entry_is_found),
        TEST(a_checkpoint_of_a_fork_was_not_seen_here),
        TEST(a_receipt_about_no_entry_of_the_log_is_found),
        TEST(a_key_set_that_lacks_a_key_of_the_log_is_found),
        TEST(a_log_that_is_not_there_cannot_be_audited),
    };
    return cmocka_run_group_tests_name("log_audit", tests, NULL, NULL);
}

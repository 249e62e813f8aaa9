/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring: found again, destroyed in every copy, merged when copies differ. */
#include "tests/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/keyring.h"

static const uint8_t root[SECRET_SIZE] = "a root key of thirty-two bytes.";

struct files {
    char folder[128], path[160], mirror[160];
    struct keyring *keyring;
};

static int set_up(void **data)
{
    struct files *files = calloc(1, sizeof *files);
    const char *tmp = getenv("TMPDIR");
    snprintf(files->folder, sizeof files->folder, "%s/munkeyd-test-XXXXXX",
             tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(files->folder));
    snprintf(files->path, sizeof files->path, "%s/keyring", files->folder);
    snprintf(files->mirror, sizeof files->mirror, "%s/mirror", files->folder);
    assert_ok(keyring_create(files->path, files->mirror));
    assert_ok(keyring_open(files->path, files->mirror, root, &files->keyring));
    *data = files;
    return 0;
}

static int tear_down(void **data)
{
    struct files *files = *data;
    keyring_close(files->keyring);
    unlink(files->path);
    unlink(files->mirror);
    rmdir(files->folder);
    free(files);
    return 0;
}

static int reopen(struct files *files)
{
    keyring_close(files->keyring);
    files->keyring = NULL;
    return keyring_open(files->path, files->mirror, root, &files->keyring);
}

/* Adds people [begin, end). */
static void add(struct files *files, uint32_t begin, uint32_t end, uint32_t *ret_owners)
{
    uint8_t tags[1000][SHA256_SIZE];
    for (uint32_t i = begin; i < end; i++)
        keyring_tag(files->keyring, &i, sizeof i, tags[i - begin]);
    assert_ok(keyring_add(files->keyring, (const uint8_t(*)[SHA256_SIZE])tags,
                          end - begin, ret_owners));
}

static uint32_t find(struct files *files, uint32_t person)
{
    uint8_t tag[SHA256_SIZE];
    keyring_tag(files->keyring, &person, sizeof person, tag);
    return keyring_find(files->keyring, tag);
}

/* Overwrites record i of a copy with that of another copy, or zeros. */
static void copy_record(const char *from, const char *to, uint32_t i)
{
    uint8_t record[KEYRING_RECORD_SIZE] = {0};
    int out = open(to, O_WRONLY), in = from ? open(from, O_RDONLY) : -1;
    if (from)
        assert_int_equal(pread(in, record, sizeof record, i * sizeof record),
                         sizeof record);
    assert_int_equal(pwrite(out, record, sizeof record, i * sizeof record),
                     sizeof record);
    close(in);
    close(out);
}

static bool is_zero(const char *path, uint32_t i)
{
    uint8_t record[KEYRING_RECORD_SIZE], zeros[KEYRING_RECORD_SIZE] = {0};
    int fd = open(path, O_RDONLY);
    assert_int_equal(pread(fd, record, sizeof record, i * sizeof record), sizeof record);
    close(fd);
    return !memcmp(record, zeros, sizeof record);
}

static void keys_are_found_again_by_tag_and_by_ref(void **data)
{
    struct files *files = *data;
    uint32_t owner[500];
    uint8_t key[500][SECRET_SIZE], now[SECRET_SIZE];
    add(files, 0, 500, owner);
    for (uint32_t i = 0; i < 500; i++)
        assert_ok(keyring_data_key(files->keyring, owner[i], key[i]));
    assert_ok(reopen(files));
    assert_int_equal(keyring_subjects(files->keyring), 500);
    for (uint32_t i = 0; i < 500; i++) {
        assert_int_equal(find(files, i), owner[i]);
        assert_int_equal(
            keyring_find_ref(files->keyring, keyring_at(files->keyring, owner[i])->ref),
            owner[i]);
        assert_ok(keyring_data_key(files->keyring, owner[i], now));
        assert_memory_equal(now, key[i], sizeof now);
    }
    assert_int_equal(find(files, 500), KEYRING_NONE);
}

static void a_destroyed_key_is_zero_in_every_copy_and_its_place_is_used_again(void **data)
{
    struct files *files = *data;
    uint32_t owner[300], new[2];
    add(files, 0, 300, owner);
    for (uint32_t i = 0; i < 300; i += 3)
        assert_ok(keyring_destroy(files->keyring, &owner[i], 1));
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 300; i++) {
            assert_int_equal(find(files, i), i % 3 ? owner[i] : KEYRING_NONE);
            assert_int_equal(is_zero(files->path, owner[i]), i % 3 == 0);
            assert_int_equal(is_zero(files->mirror, owner[i]), i % 3 == 0);
        }
        assert_ok(reopen(files));
    }
    add(files, 1000, 1002, new);
    assert_int_equal(new[0], owner[0]);
    assert_int_equal(new[1], owner[3]);
}

static void copies_that_differ_are_merged_and_made_equal(void **data)
{
    struct files *files = *data;
    struct keyring_record marks = {.flags = FLAG_HELD, .basis = 2, .until = 500};
    uint32_t owner[4];
    add(files, 0, 4, owner);
    assert_ok(keyring_mark(files->keyring, owner[1], &marks));
    copy_record(files->mirror, files->path, owner[1]);
    marks = (struct keyring_record){.flags = FLAG_RESTRICTED, .ground = 3, .until = 400};
    char held[KEYRING_RECORD_SIZE];
    int fd = open(files->mirror, O_RDWR);
    assert_int_equal(pread(fd, held, sizeof held, owner[1] * sizeof held), sizeof held);
    assert_ok(keyring_mark(files->keyring, owner[1], &marks));
    assert_int_equal(pwrite(fd, held, sizeof held, owner[1] * sizeof held), sizeof held);
    close(fd);
    copy_record(NULL, files->mirror, owner[2]); /* zeroed in one copy */
    copy_record(NULL, files->path, owner[3]);   /* and in the other */

    assert_ok(reopen(files));
    const struct keyring_record *merged = keyring_at(files->keyring, owner[1]);
    assert_int_equal(merged->flags, FLAG_HELD | FLAG_RESTRICTED);
    assert_int_equal(merged->ground, 3);
    assert_int_equal(merged->basis, 2);
    assert_int_equal(merged->until, 500);
    assert_int_equal(find(files, 2), owner[2]);
    assert_int_equal(find(files, 3), owner[3]);
    assert_true(is_zero(files->mirror, owner[2])); /* nothing is swept by opening */
    assert_ok(keyring_destroy(files->keyring, &owner[3], 1));
    assert_ok(keyring_repair(files->keyring));
    assert_false(is_zero(files->mirror, owner[2]));
    assert_true(is_zero(files->mirror, owner[3]));
    assert_true(is_zero(files->path, owner[3]));
}

static void a_torn_record_is_free_and_a_lost_copy_is_refused(void **data)
{
    struct files *files = *data;
    uint32_t owner[3];
    add(files, 0, 3, owner);
    int fd = open(files->path, O_WRONLY), mirror = open(files->mirror, O_WRONLY);
    assert_int_equal(pwrite(fd, "torn", 4, 60), 4); /* the mirror has the whole one */
    assert_int_equal(pwrite(fd, "torn", 4, 2 * KEYRING_RECORD_SIZE + 60), 4);
    assert_int_equal(pwrite(mirror, "torn", 4, 2 * KEYRING_RECORD_SIZE + 60), 4);
    close(fd);
    close(mirror);
    assert_ok(reopen(files));
    assert_int_equal(find(files, 0), owner[0]);
    assert_int_equal(find(files, 2), KEYRING_NONE);
    assert_ok(keyring_repair(files->keyring));
    assert_true(is_zero(files->path, owner[2]));
    unlink(files->mirror);
    assert_int_equal(reopen(files), MK_EREFUSED);
    assert_non_null(strstr(err_why(), "keyring_mirror"));
}

static void copies_of_different_times_are_refused(void **data)
{
    struct files *files = *data;
    uint32_t owner[2];
    add(files, 0, 2, owner);
    copy_record(files->path, files->mirror, 0);
    uint8_t record[KEYRING_RECORD_SIZE];
    int fd = open(files->path, O_RDWR);
    assert_int_equal(pread(fd, record, sizeof record, sizeof record), sizeof record);
    assert_int_equal(pwrite(fd, record, sizeof record, 0), sizeof record);
    close(fd);
    assert_int_equal(reopen(files), MK_EREFUSED);
    assert_non_null(strstr(err_why(), "different times"));
}

static void another_root_opens_no_key(void **data)
{
    struct files *files = *data;
    static const uint8_t other[SECRET_SIZE] = "another root key of 32 bytes....";
    uint8_t key[SECRET_SIZE];
    uint32_t owner;
    add(files, 0, 1, &owner);
    keyring_close(files->keyring);
    assert_ok(keyring_open(files->path, files->mirror, other, &files->keyring));
    assert_int_equal(find(files, 0), KEYRING_NONE);
    assert_true(keyring_data_key(files->keyring, owner, key) < 0);
}

static void a_pepper_lives_for_thirty_to_sixty_days(void **data)
{
    struct files *files = *data;
    enum { DAY = 86400 };
    uint8_t first[SECRET_SIZE], now[SECRET_SIZE];
    uint64_t made, later;
    assert_ok(keyring_pepper(files->keyring, 1000 * DAY, &made, first));
    assert_ok(keyring_pepper(files->keyring, 1029 * DAY, &later, now));
    assert_int_equal(made, later);
    assert_memory_equal(first, now, sizeof now);
    assert_ok(keyring_pepper(files->keyring, 1030 * DAY, &later, now));
    assert_int_equal(later, 1030 * DAY);
    assert_memory_not_equal(first, now, sizeof now);
    assert_ok(reopen(files));
    assert_ok(keyring_pepper_of(files->keyring, made, now));
    assert_memory_equal(first, now, sizeof now);
    assert_int_equal(keyring_subjects(files->keyring), 0);

    assert_ok(keyring_pepper(files->keyring, 1060 * DAY, &later, now));
    assert_int_equal(keyring_pepper_of(files->keyring, made, now), MK_ENOTFOUND);
    assert_true(is_zero(files->path, 0));
    assert_true(is_zero(files->mirror, 0));
}

static void after_a_failed_write_it_refuses_all_others(void **data)
{
    struct files *files = *data;
    uint32_t owner[1];
    uint8_t tag[1][SHA256_SIZE] = {{1}};
    add(files, 0, 1, owner);
    keyring_close(files->keyring);
    files->keyring = NULL;
    unlink(files->mirror);
    assert_int_equal(symlink("/dev/full", files->mirror), 0);
    assert_int_equal(reopen(files), MK_EREFUSED); /* not even a link is followed */
    unlink(files->mirror);
    assert_int_equal(mknod(files->mirror, S_IFIFO | 0600, 0), 0);
    assert_ok(reopen(
        files)); /* a pipe opens, holds nothing, and cannot be written at a place */
    assert_int_equal(
        keyring_add(files->keyring, (const uint8_t(*)[SHA256_SIZE])tag, 1, owner),
        MK_ESTORE);
    assert_int_equal(keyring_usable(files->keyring), MK_ESTORE);
    assert_int_equal(keyring_find(files->keyring, tag[0]), KEYRING_NONE);
    owner[0] = 0;
    assert_int_equal(keyring_destroy(files->keyring, owner, 1), MK_EUNKNOWN);
}

#define KEYRING_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KEYRING_TEST(keys_are_found_again_by_tag_and_by_ref),
        KEYRING_TEST(a_destroyed_key_is_zero_in_every_copy_and_its_place_is_used_again),
        KEYRING_TEST(copies_that_differ_are_merged_and_made_equal),
        KEYRING_TEST(a_torn_record_is_free_and_a_lost_copy_is_refused),
        KEYRING_TEST(copies_of_different_times_are_refused),
        KEYRING_TEST(another_root_opens_no_key),
        KEYRING_TEST(a_pepper_lives_for_thirty_to_sixty_days),
        KEYRING_TEST(after_a_failed_write_it_refuses_all_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

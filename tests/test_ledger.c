/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's files: what is appended is there again, what was torn is cut off, and what
 * cannot be written says so. */
#include "tests/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/ledger.h"

static char folder[64];

static char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/log/%s", folder, name);
    return path;
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "munkeyd-ledger-XXXXXX");
    return mkdtemp(folder) ? ledger_create(folder) : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"entries", "tombstones", "checkpoint",
                                        "checkpoint.new"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        unlink(path_of(names[i]));
    rmdir(path_of(""));
    return rmdir(folder);
}

static struct ledger *open_ledger(void)
{
    struct ledger *ledger;
    assert_ok(ledger_open(folder, &ledger));
    return ledger;
}

static uint64_t file_size(const char *name)
{
    struct stat st;
    assert_int_equal(stat(path_of(name), &st), 0);
    return (uint64_t)st.st_size;
}

static void append_bytes(const char *name, const void *data, size_t len)
{
    int fd = open(path_of(name), O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, data, len), len);
    close(fd);
}

static void append_entry(struct ledger *ledger, const char *text)
{
    assert_ok(ledger_append_entries(ledger, &(struct bytes){text, strlen(text)}, 1));
}

/* Joins entries with commas. */
static int join(void *context, uint64_t index, const uint8_t *bytes, size_t len)
{
    char *text = context;
    sprintf(text + strlen(text), "%s%.*s", index > 0 ? "," : "", (int)len,
            (const char *)bytes);
    return 0;
}

static void assert_entries(const char *expected)
{
    char text[1024] = "";
    struct ledger *ledger = open_ledger();
    assert_ok(ledger_each_entry(ledger, join, text));
    assert_string_equal(text, expected);
    ledger_close(ledger);
}

static void what_is_appended_is_there_again(void **state)
{
    (void)state;
    struct ledger *ledger = open_ledger();
    assert_int_equal(ledger_entries(ledger), 0);
    append_entry(ledger, "one");
    assert_ok(
        ledger_append_entries(ledger, (struct bytes[]){{"two", 3}, {"three", 5}}, 2));
    assert_int_equal(ledger_entries(ledger), 3);
    ledger_close(ledger);
    assert_entries("one,two,three");
    ledger = open_ledger();
    assert_int_equal(ledger_entries(ledger), 3);
    append_entry(ledger, "four");
    ledger_close(ledger);
    assert_entries("one,two,three,four");
}

static void an_entry_is_its_length_and_its_bytes(void **state)
{
    (void)state;
    char big[300];
    uint8_t back[302];
    memset(big, 'x', sizeof big);
    struct ledger *ledger = open_ledger();
    assert_ok(ledger_append_entries(ledger, &(struct bytes){big, sizeof big}, 1));
    ledger_close(ledger);
    int fd = open(path_of("entries"), O_RDONLY);
    assert_int_equal(read(fd, back, sizeof back), sizeof back);
    close(fd);
    assert_int_equal(back[0] << 8 | back[1], 300);
    assert_memory_equal(back + 2, big, sizeof big);
}

static int collect(void *context, uint64_t index, const uint8_t *bytes, size_t len)
{
    uint8_t(*refs)[REF_SIZE] = context;
    memcpy(refs[index], bytes, len);
    return 0;
}

static void refs_are_there_again(void **state)
{
    (void)state;
    const uint8_t refs[3][REF_SIZE] = {{1, 2}, {0, 0, 3}, {4}};
    uint8_t back[3][REF_SIZE];
    struct ledger *ledger = open_ledger();
    assert_ok(ledger_append_refs(ledger, refs, 2));
    assert_ok(ledger_append_refs(ledger, refs + 2, 1));
    ledger_close(ledger);
    ledger = open_ledger();
    assert_int_equal(ledger_refs(ledger), 3);
    assert_ok(ledger_each_ref(ledger, collect, back));
    assert_memory_equal(back, refs, sizeof refs);
    ledger_close(ledger);
}

static int stop(void *context, uint64_t index, const uint8_t *bytes, size_t len)
{
    (void)index, (void)bytes, (void)len;
    ++*(uint64_t *)context;
    return MK_ECONFLICT;
}

static void a_visitor_can_stop(void **state)
{
    (void)state;
    struct ledger *ledger = open_ledger();
    append_entry(ledger, "one");
    append_entry(ledger, "two");
    const uint8_t refs[2][REF_SIZE] = {{1}, {2}};
    assert_ok(ledger_append_refs(ledger, refs, 2));
    uint64_t seen = 0;
    assert_int_equal(ledger_each_entry(ledger, stop, &seen), MK_ECONFLICT);
    assert_int_equal(ledger_each_ref(ledger, stop, &seen), MK_ECONFLICT);
    assert_int_equal(seen, 2);
    ledger_close(ledger);
}

static void every_torn_last_entry_is_cut_off(void **state)
{
    (void)state;
    struct ledger *ledger = open_ledger();
    append_entry(ledger, "one");
    ledger_close(ledger);
    static const struct {
        const char *bytes;
        size_t len;
    } tails[] = {
        {"\0", 1},                /* half a length */
        {"\0\5", 2},              /* a length alone */
        {"\0\5four", 6},          /* a byte is missing */
        {"\0\0\0\0\0\0\0", 7},    /* blocks that were never written */
        {"\0\5fo\0\0\0", 7},      /* the same inside a record */
        {"\0\3fo\0\0\4four", 11}, /* and before another record of the same write */
    };
    for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
        append_bytes("entries", tails[i].bytes, tails[i].len);
        assert_entries("one");
        assert_int_equal(file_size("entries"), 5);
    }
}

static void every_torn_last_ref_is_cut_off(void **state)
{
    (void)state;
    static const uint8_t zero[40];
    const uint8_t refs[1][REF_SIZE] = {{1}};
    struct ledger *ledger = open_ledger();
    assert_ok(ledger_append_refs(ledger, refs, 1));
    ledger_close(ledger);
    for (size_t len = 1; len <= sizeof zero; len++) {
        append_bytes("tombstones", zero, len);
        ledger = open_ledger();
        assert_int_equal(ledger_refs(ledger), 1);
        ledger_close(ledger);
        assert_int_equal(file_size("tombstones"), REF_SIZE);
    }
    append_bytes("tombstones", "abc", 3);
    ledger = open_ledger();
    assert_int_equal(ledger_refs(ledger), 1);
    ledger_close(ledger);
    assert_int_equal(file_size("tombstones"), REF_SIZE);
}

/* What no crash explains is evidence, or the only copy of it: nothing is cut off. */
static void damage_before_the_end_is_refused_and_kept(void **state)
{
    (void)state;
    static char many[200000];
    struct ledger *ledger = open_ledger();
    append_entry(ledger, "one");
    ledger_close(ledger);
    append_bytes("entries", many, sizeof many);
    assert_int_equal(ledger_open(folder, &ledger), MK_EREFUSED);
    assert_int_equal(file_size("entries"), 5 + sizeof many);
}

static void a_missing_file_is_refused(void **state)
{
    (void)state;
    struct ledger *ledger;
    unlink(path_of("tombstones"));
    assert_int_equal(ledger_open(folder, &ledger), MK_EREFUSED);
    assert_int_equal(symlink("entries", path_of("tombstones")), 0);
    assert_int_equal(ledger_open(folder, &ledger), MK_EREFUSED);
    assert_int_equal(ledger_open("/nonexistent", &ledger), MK_EREFUSED);
}

static void reserving_room_leaves_the_length(void **state)
{
    (void)state;
    struct stat st;
    struct ledger *ledger = open_ledger();
    append_entry(ledger, "one");
    assert_ok(ledger_reserve(ledger, 100000, 1000));
    assert_int_equal(file_size("entries"), 5);
    assert_int_equal(file_size("tombstones"), 0);
    assert_int_equal(stat(path_of("entries"), &st), 0);
    assert_true(st.st_blocks * 512 >= 100000);
    append_entry(ledger, "two");
    ledger_close(ledger);
    assert_entries("one,two");
}

static void room_that_is_not_there_is_said_before_anything_happened(void **state)
{
    (void)state;
    struct ledger *ledger = open_ledger();
    append_entry(ledger, "one");
    assert_int_equal(ledger_reserve(ledger, (size_t)1 << 60, 1), MK_ESTORE);
    assert_int_equal(ledger_reserve(ledger, 100, (size_t)1 << 56), MK_ESTORE);
    ledger_close(ledger);
    assert_entries("one");
}

static void the_checkpoint_is_replaced_whole(void **state)
{
    (void)state;
    char *text;
    struct ledger *ledger = open_ledger();
    assert_int_equal(ledger_get_checkpoint(ledger, &text), MK_ENOTFOUND);
    assert_ok(ledger_set_checkpoint(ledger, "a long first checkpoint\n"));
    assert_ok(ledger_set_checkpoint(ledger, "short\n"));
    assert_ok(ledger_get_checkpoint(ledger, &text));
    assert_string_equal(text, "short\n");
    assert_int_not_equal(access(path_of("checkpoint.new"), F_OK), 0);
    free(text);
    ledger_close(ledger);
}

static void a_log_with_a_checkpoint_is_not_made_anew(void **state)
{
    (void)state;
    struct ledger *ledger = open_ledger();
    append_entry(ledger, "one");
    ledger_close(ledger);
    assert_ok(ledger_create(folder));
    assert_entries("");
    ledger = open_ledger();
    append_entry(ledger, "one");
    assert_ok(ledger_set_checkpoint(ledger, "checkpoint\n"));
    ledger_close(ledger);
    assert_int_equal(ledger_create(folder), MK_ECONFLICT);
    assert_entries("one");
}

static void files_are_for_their_owner_alone(void **state)
{
    (void)state;
    static const char *const names[] = {"entries", "tombstones", "checkpoint"};
    struct ledger *ledger = open_ledger();
    assert_ok(ledger_set_checkpoint(ledger, "checkpoint\n"));
    ledger_close(ledger);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct stat st;
        assert_int_equal(stat(path_of(names[i]), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
    }
}

/* The limit on a file's size stands for a full disk: writing fails half way. */
static void what_cannot_be_written_is_said_and_cut_off_at_the_next_start(void **state)
{
    (void)state;
    struct rlimit unlimited, limit;
    char big[300];
    memset(big, 'x', sizeof big);
    struct ledger *ledger = open_ledger();
    append_entry(ledger, "one");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
    limit = (struct rlimit){100, unlimited.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    int appended = ledger_append_entries(ledger, &(struct bytes){big, sizeof big}, 1);
    static uint8_t refs[100][REF_SIZE];
    int refs_appended = ledger_append_refs(ledger, refs, 100);
    char text[200];
    memset(text, 'c', sizeof text);
    text[sizeof text - 1] = '\0';
    int replaced = ledger_set_checkpoint(ledger, text);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
    assert_int_equal(appended, MK_EUNKNOWN);
    assert_int_equal(refs_appended, MK_EUNKNOWN);
    assert_int_equal(replaced, MK_EUNKNOWN);
    ledger_close(ledger);
    assert_int_equal(file_size("entries"), 100);
    assert_entries("one");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(what_is_appended_is_there_again),
        TEST(an_entry_is_its_length_and_its_bytes),
        TEST(refs_are_there_again),
        TEST(a_visitor_can_stop),
        TEST(every_torn_last_entry_is_cut_off),
        TEST(every_torn_last_ref_is_cut_off),
        TEST(damage_before_the_end_is_refused_and_kept),
        TEST(a_missing_file_is_refused),
        TEST(reserving_room_leaves_the_length),
        TEST(room_that_is_not_there_is_said_before_anything_happened),
        TEST(the_checkpoint_is_replaced_whole),
        TEST(a_log_with_a_checkpoint_is_not_made_anew),
        TEST(files_are_for_their_owner_alone),
        TEST(what_cannot_be_written_is_said_and_cut_off_at_the_next_start),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The database: all or nothing, in place, and its WAL emptied for good. */
#include "tests/check.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/disk.h"
#include "storage/schema.h"
#include "storage/sql.h"
#include "storage/store.h"

enum { SLOT = 500 };

struct database {
    char folder[128], file[160], wal[160];
    struct store *store;
};

static int set_up(void **data)
{
    struct database *db = calloc(1, sizeof *db);
    const char *tmp = getenv("TMPDIR");
    snprintf(db->folder, sizeof db->folder, "%s/munkeyd-test-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(db->folder));
    snprintf(db->file, sizeof db->file, "%s/munkeyd.db", db->folder);
    snprintf(db->wal, sizeof db->wal, "%s/munkeyd.db-wal", db->folder);
    assert_ok(store_create(db->folder, SLOT, &db->store));
    *data = db;
    return 0;
}

static int tear_down(void **data)
{
    struct database *db = *data;
    store_close(db->store);
    unlink(db->file);
    unlink(db->wal);
    assert_int_equal(rmdir(db->folder),
                     0); /* no journal, no -shm, nothing else was made */
    free(db);
    return 0;
}

static void fill(uint8_t body[SLOT], int with)
{
    memset(body, with, SLOT);
}

/* How often the byte stands 64 times in a row in a file. */
static size_t runs_of(const char *path, uint8_t byte)
{
    FILE *in = fopen(path, "r");
    size_t found = 0, run = 0;
    if (!in)
        return 0;
    for (int c; (c = getc(in)) != EOF;)
        if ((run = c == byte ? run + 1 : 0) == 64)
            found++;
    fclose(in);
    return found;
}

static off_t size_of(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 ? file.st_size : 0;
}

static void what_is_committed_is_there_and_what_is_not_is_gone(void **data)
{
    struct database *db = *data;
    uint8_t body[SLOT], value[SHA256_SIZE] = {3}, found[SHA256_SIZE];
    assert_ok(store_begin(db->store));
    assert_ok(store_slots_grow(db->store, 3));
    fill(body, 'a');
    assert_ok(store_slot_write(db->store, 2, body));
    assert_ok(store_entry_add(db->store, (struct bytes){"{}", 2}, NULL, NULL));
    assert_ok(store_meta_write(db->store, META_ENCODER, value, sizeof value));
    assert_ok(store_commit(db->store));

    assert_ok(store_begin(db->store));
    fill(body, 'b');
    assert_ok(store_slot_write(db->store, 2, body));
    assert_ok(store_slots_grow(db->store, 5));
    assert_ok(store_entry_add(db->store, (struct bytes){"{}", 2}, NULL, NULL));
    store_rollback(db->store);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(store_slots(db->store), 3);
        assert_int_equal(store_entries(db->store), 1);
        assert_int_equal(store_slot_size(db->store), SLOT);
        assert_ok(store_slot_read(db->store, 2, body));
        assert_int_equal(body[0], 'a');
        assert_ok(store_meta_read(db->store, META_ENCODER, found, sizeof found));
        assert_memory_equal(found, value, sizeof found);
        store_close(db->store);
        db->store = NULL;
        assert_ok(store_open(db->folder, &db->store));
    }
    assert_int_equal(store_slot_read(db->store, 4, body), MK_ESTORE);
}

static void an_entry_comes_back_with_and_without_its_receipt(void **data)
{
    struct database *db = *data;
    const char kid[] = "FPWt1mWYrfnPkIAjkFp5BFHdnyJ0SCDnsKAG0CZV4G8";
    const uint8_t signature[SIGNATURE_SIZE] = {1, 2, 3};
    struct entry_row row;
    assert_ok(store_begin(db->store));
    assert_ok(store_entry_add(db->store, (struct bytes){"{\"v\":1}", 7}, NULL, NULL));
    assert_ok(store_entry_add(db->store, (struct bytes){"{\"v\":2}", 7}, kid, signature));
    assert_ok(store_commit(db->store));
    assert_ok(store_entry_read(db->store, 0, &row));
    assert_string_equal(row.bytes, "{\"v\":1}");
    assert_string_equal(row.kid, "");
    entry_row_done(&row);
    assert_ok(store_entry_read(db->store, 1, &row));
    assert_string_equal(row.bytes, "{\"v\":2}");
    assert_string_equal(row.kid, kid);
    assert_memory_equal(row.signature, signature, sizeof signature);
    entry_row_done(&row);
    assert_int_equal(store_entry_read(db->store, 2, &row), MK_ENOTFOUND);
}

static void a_transaction_that_breaks_an_invariant_is_refused(void **data)
{
    struct database *db = *data;
    const uint8_t hash[SHA256_SIZE] = {1}, tag[SHA256_SIZE] = {2};
    struct idem_row row = {.n = 0, .act = "erase", .pepper = 5};
    assert_ok(store_begin(db->store));
    assert_ok(store_entry_add(db->store, (struct bytes){"{}", 2}, NULL, NULL));
    assert_ok(store_idem_write(db->store, tag, &row));
    row.pepper = 6;
    assert_ok(store_idem_write(db->store, tag, &row));
    assert_ok(store_node_write(db->store, 0, 0, hash));
    assert_int_equal(store_node_write(db->store, 0, 0, hash),
                     MK_ESTORE); /* it is final */
    row.n = 7;
    assert_int_equal(store_idem_write(db->store, hash, &row),
                     MK_ESTORE); /* of no entry */
    strcpy(row.act, "enroll");
    row.n = 0;
    assert_int_equal(store_idem_write(db->store, hash, &row),
                     MK_ESTORE); /* of no such act */
    assert_int_equal(store_meta_write(db->store, META_STATE, hash, sizeof hash),
                     MK_ESTORE);
    assert_int_equal(store_slot_write(db->store, 1, hash), MK_ESTORE); /* there is none */
    assert_ok(store_commit(db->store));
    assert_ok(store_idem_read(db->store, tag, &row));
    assert_int_equal(row.pepper, 6);
    assert_int_equal(store_idem_read(db->store, hash, &row), MK_ENOTFOUND);
}

/* Through many transactions of other slots, and with the slot written more than once. */
static void an_overwritten_slot_is_nowhere_after_the_wal_was_emptied(void **data)
{
    struct database *db = *data;
    uint8_t body[SLOT];
    for (int round = 0; round < 3; round++) {
        assert_ok(store_begin(db->store));
        assert_ok(store_slots_grow(db->store, 40));
        fill(body, 'S');
        for (uint64_t id = 1 + round; id < 40; id += 7)
            assert_ok(store_slot_write(db->store, id, body));
        assert_ok(store_commit(db->store));
    }
    assert_true(runs_of(db->wal, 'S') > 0);
    assert_ok(store_begin(db->store));
    fill(body, 0);
    for (uint64_t id = 1; id <= store_slots(db->store); id++)
        assert_ok(store_slot_write(db->store, id, body));
    assert_ok(store_commit(db->store));
    assert_true(runs_of(db->wal, 'S') > 0);
    assert_ok(store_empty_wal(db->store));
    assert_int_equal(runs_of(db->wal, 'S'), 0);
    assert_int_equal(runs_of(db->file, 'S'), 0);
    assert_int_equal(size_of(db->wal), 0);

    assert_ok(store_empty_wal(db->store)); /* once more, with nothing in it */
    assert_ok(store_begin(db->store));
    assert_ok(store_slots_grow(db->store, 1));
    assert_ok(store_commit(db->store));
    assert_int_equal(store_slots(db->store), 121);
}

static void the_wal_does_not_grow_without_end(void **data)
{
    struct database *db = *data;
    uint8_t body[SLOT];
    assert_ok(store_begin(db->store));
    assert_ok(store_slots_grow(db->store, 2000));
    assert_ok(store_commit(db->store));
    for (int round = 0; round < 60; round++) {
        fill(body, round);
        assert_ok(store_begin(db->store));
        for (uint64_t id = 1; id <= 2000; id += 8)
            assert_ok(store_slot_write(db->store, id, body));
        assert_ok(store_commit(db->store)); /* 250 pages */
    }
    assert_true(size_of(db->wal) < 8 << 20);
}

static void files_are_private_and_no_other_connection_gets_in(void **data)
{
    struct database *db = *data;
    struct stat file;
    char line[256];
    assert_int_equal(stat(db->file, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    assert_int_equal(stat(db->wal, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    if (system("command -v sqlite3 >/dev/null") == 0) {
        snprintf(line, sizeof line,
                 "sqlite3 '%s' 'SELECT * FROM meta' 2>&1 | grep -q locked", db->file);
        assert_int_equal(system(line), 0);
    }
    struct store *second = NULL;
    assert_int_equal(store_create(db->folder, SLOT, &second), MK_EREFUSED);
}

static void a_damaged_a_foreign_and_a_blank_file_are_told_apart(void **data)
{
    struct database *db = *data;
    assert_ok(store_begin(db->store));
    assert_ok(store_slots_grow(db->store, 100));
    assert_ok(store_commit(db->store));
    assert_ok(store_empty_wal(db->store));
    store_close(db->store);
    db->store = NULL;
    FILE *file = fopen(db->file, "r+");
    for (long page = 2; page * 4096 < size_of(db->file); page++) {
        fseek(file, page * 4096 + 1, SEEK_SET);
        fputs("damage", file);
    }
    fclose(file);
    assert_int_equal(store_open(db->folder, &db->store), MK_EREFUSED);
    file = fopen(db->file, "w");
    for (int i = 0; i < 9000; i++)
        putc('x', file);
    fclose(file);
    assert_int_equal(store_open(db->folder, &db->store), MK_EREFUSED);
    assert_int_equal(truncate(db->file, 0), 0);
    assert_int_equal(store_open(db->folder, &db->store), MK_ENOTFOUND);
    unlink(db->file);
    assert_int_equal(store_open(db->folder, &db->store), MK_ENOTFOUND);
}

/* As the munkeyd that knew no requests made it. */
static void make_schema_1(struct database *db)
{
    struct sql *sql;
    store_close(db->store);
    db->store = NULL;
    unlink(db->file);
    assert_ok(disk_create(db->file));
    assert_ok(sql_open(db->file, &sql));
    assert_ok(sql_script(sql, schema_0001));
    assert_ok(sql_script(sql, "INSERT INTO slot VALUES (1, zeroblob(500));"
                              "UPDATE meta SET value = x'f401000000000000' WHERE id = 2;"
                              "COMMIT"));
    sql_close(sql);
}

static void a_database_of_schema_1_gets_the_tables_that_it_lacks(void **data)
{
    struct database *db = *data;
    const uint8_t tag[SHA256_SIZE] = {1};
    const struct request_row row = {
        .received = 1, .due = 2, .answered = 3, .erased = true, .regulation = "gdpr"};
    struct request_row found;
    uint8_t number[8];
    make_schema_1(db);
    for (int round = 0; round < 2; round++) {
        assert_ok(store_open(db->folder, &db->store));
        assert_int_equal(store_slots(db->store), 1);
        assert_int_equal(store_slot_size(db->store), SLOT);
        assert_ok(store_meta_read(db->store, META_SCHEMA, number, 8));
        assert_int_equal(number[0], 3);
        if (round == 1)
            break;
        assert_ok(store_begin(db->store));
        assert_ok(store_entry_add(db->store, (struct bytes){"{}", 2}, NULL, NULL));
        assert_ok(store_request_write(db->store, tag, &row));
        assert_ok(store_commit(db->store));
        store_close(db->store);
        db->store = NULL;
    }
    assert_ok(store_request_read(db->store, tag, &found));
    assert_true(found.received == 1 && found.due == 2 && found.answered == 3);
    assert_true(found.erased && !found.held && found.n == 0);
    assert_string_equal(found.regulation, "gdpr");
}

static void a_database_of_a_later_schema_is_refused(void **data)
{
    struct database *db = *data;
    struct sql *sql;
    store_close(db->store);
    db->store = NULL;
    assert_ok(sql_open(db->file, &sql));
    assert_ok(
        sql_script(sql, "UPDATE meta SET value = x'0400000000000000' WHERE id = 1"));
    sql_close(sql);
    assert_int_equal(store_open(db->folder, &db->store), MK_EREFUSED);
    assert_non_null(strstr(err_why(), "schema 4, and this munkeyd knows 3"));
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(what_is_committed_is_there_and_what_is_not_is_gone),
        STORE_TEST(an_entry_comes_back_with_and_without_its_receipt),
        STORE_TEST(a_transaction_that_breaks_an_invariant_is_refused),
        STORE_TEST(an_overwritten_slot_is_nowhere_after_the_wal_was_emptied),
        STORE_TEST(the_wal_does_not_grow_without_end),
        STORE_TEST(files_are_private_and_no_other_connection_gets_in),
        STORE_TEST(a_database_of_schema_1_gets_the_tables_that_it_lacks),
        STORE_TEST(a_database_of_a_later_schema_is_refused),
        STORE_TEST(a_damaged_a_foreign_and_a_blank_file_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

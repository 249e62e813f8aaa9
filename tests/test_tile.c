/* SPDX-License-Identifier: Apache-2.0 */
/* Tiles: their paths, and that their bytes are the log's. */
#include "tests/check.h"

#include <stdio.h>

#include "storage/log.h"
#include "storage/merkle.h"
#include "tests/fixture.h"

static const struct {
    const char *path;
    struct tile tile;
} good[] = {
    {"0/000", {false, 0, 0, 256}},
    {"0/067.p/1", {false, 0, 67, 1}},
    {"63/999.p/255", {false, 63, 999, 255}},
    {"7/x001/x234/067", {false, 7, 1234067, 256}},
    {"entries/x001/000.p/8", {true, 0, 1000, 8}},
    {"0/x999/x999/x999/x999/999", {false, 0, UINT64_C(999999999999999), 256}},
};

static void a_path_names_a_tile(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        struct tile tile;
        assert_ok(tile_parse(good[i].path, &tile));
        assert_int_equal(tile.entries, good[i].tile.entries);
        assert_int_equal(tile.level, good[i].tile.level);
        assert_int_equal(tile.index, good[i].tile.index);
        assert_int_equal(tile.width, good[i].tile.width);
    }
}

static void a_tile_has_no_other_path(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "0",
                                      "0/",
                                      "/000",
                                      "0/0",
                                      "0/0000",
                                      "0/000/",
                                      "0/000.p",
                                      "0/000.p/",
                                      "0/000.p/0",
                                      "0/000.p/01",
                                      "0/000.p/256",
                                      "0/000.p/1/",
                                      "0/000.p/1000",
                                      "00/000",
                                      "01/000",
                                      "-1/000",
                                      "+0/000",
                                      "0/x000/000",
                                      "0/x001",
                                      "0/x001/",
                                      "0/001/000",
                                      "0/x001/x000",
                                      "0/x1/000",
                                      "0/X001/000",
                                      "0/000 ",
                                      " 0/000",
                                      "entries",
                                      "entries/",
                                      "entries/0/000",
                                      "data/000",
                                      "0/ 00",
                                      "0/00a",
                                      "0/000.P/1",
                                      "1000/000",
                                      "0/x001/00",
                                      "0/x001//000",
                                      "0/000.p/1.p/1",
                                      "0/000\n",
                                      "0/x001/x000/x000/x000/x000/000"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct tile tile;
        if (tile_parse(bad[i], &tile) != MK_EINPUT)
            print_error("%s is taken for a tile\n", bad[i]);
        assert_int_equal(tile_parse(bad[i], &tile), MK_EINPUT);
    }
}

/* A log of more than one full tile: a start, and an entry for each of so many people. */
enum { ENTRIES = 300 };

static int set_up(void **data)
{
    struct fixture *f;
    struct state_status status;
    fixture_set_up(data);
    f = *data;
    for (state_status(f->state, &status); status.entries < ENTRIES; status.entries++)
        assert_ok(fixture_enroll(f, (uint32_t)status.entries, status.entries,
                                 status.entries + 1));
    return 0;
}

static char *cut(struct fixture *f, const char *path, size_t *ret_len)
{
    struct tile tile;
    char *bytes;
    assert_ok(tile_parse(path, &tile));
    assert_ok(log_tile(f->state, &tile, &bytes, ret_len));
    return bytes;
}

static void assert_absent(struct fixture *f, const char *path)
{
    struct tile tile;
    char *bytes;
    size_t len;
    assert_ok(tile_parse(path, &tile));
    assert_int_equal(log_tile(f->state, &tile, &bytes, &len), MK_ENOTFOUND);
}

static void entries_in_tiles_are_the_file_of_the_ledger(void **data)
{
    struct fixture *f = *data;
    size_t full, rest;
    char *first = cut(f, "entries/000", &full), *last = cut(f, "entries/001.p/44", &rest);
    FILE *in = fopen(fixture_path(f, "log/entries"), "rb");
    char *bytes = malloc(full + rest + 1);
    assert_int_equal(fread(bytes, 1, full + rest + 1, in), full + rest);
    assert_memory_equal(bytes, first, full);
    assert_memory_equal(bytes + full, last, rest);
    fclose(in);
    free(bytes);
    free(first);
    free(last);
}

static void a_full_tile_is_the_leaf_hashes_of_its_entries(void **data)
{
    struct fixture *f = *data;
    size_t len, entries_len;
    char *hashes = cut(f, "0/000", &len), *entries = cut(f, "entries/000", &entries_len);
    const uint8_t *at = (const uint8_t *)entries;
    assert_int_equal(len, TILE_WIDTH * SHA256_SIZE);
    for (size_t i = 0; i < TILE_WIDTH; i++) {
        uint8_t leaf[SHA256_SIZE];
        size_t entry_len = (size_t)at[0] << 8 | at[1];
        merkle_leaf(at + 2, entry_len, leaf);
        assert_memory_equal(hashes + i * SHA256_SIZE, leaf, SHA256_SIZE);
        at += 2 + entry_len;
    }
    assert_ptr_equal(at, entries + entries_len);
    free(hashes);
    free(entries);
}

static void a_level_holds_the_roots_of_the_tiles_below(void **data)
{
    struct fixture *f = *data;
    size_t len;
    char *hashes = cut(f, "0/000", &len);
    for (size_t n = TILE_WIDTH; n > 1; n /= 2)
        for (size_t i = 0; i < n / 2; i++)
            merkle_parent((uint8_t *)hashes + 2 * i * SHA256_SIZE,
                          (uint8_t *)hashes + (2 * i + 1) * SHA256_SIZE,
                          (uint8_t *)hashes + i * SHA256_SIZE);
    char *above = cut(f, "1/000.p/1", &len);
    assert_int_equal(len, SHA256_SIZE);
    assert_memory_equal(above, hashes, SHA256_SIZE);
    free(hashes);
    free(above);
}

static void a_partial_tile_is_the_beginning_of_a_wider_one(void **data)
{
    struct fixture *f = *data;
    size_t len, wide_len;
    char *wide = cut(f, "0/001.p/44", &wide_len);
    for (unsigned width = 1; width <= 44; width++) {
        char path[32];
        snprintf(path, sizeof path, "0/001.p/%u", width);
        char *tile = cut(f, path, &len);
        assert_int_equal(len, width * SHA256_SIZE);
        assert_memory_equal(tile, wide, len);
        free(tile);
    }
    free(wide);
}

static void what_the_log_does_not_fill_is_not_there(void **data)
{
    struct fixture *f = *data;
    assert_absent(f, "0/001.p/45");
    assert_absent(f, "0/001");
    assert_absent(f, "0/002.p/1");
    assert_absent(f, "entries/001.p/45");
    assert_absent(f, "1/000.p/2");
    assert_absent(f, "1/000");
    assert_absent(f, "7/000.p/1");
    assert_absent(f, "8/000.p/1");
    assert_absent(f, "63/000.p/1");
    assert_absent(f, "0/x999/x999/x999/x999/999");
}

static void consistency_is_one_hash_a_line(void **data)
{
    struct fixture *f = *data;
    char *text;
    assert_ok(log_consistency(f->state, 256, 257, &text));
    assert_int_equal(strlen(text), 45);
    assert_int_equal(text[44], '\n');
    free(text);
    assert_ok(log_consistency(f->state, ENTRIES, ENTRIES, &text));
    assert_string_equal(text, "");
    free(text);
    assert_int_equal(log_consistency(f->state, 3, 2, &text), MK_EUNPROCESSABLE);
    assert_int_equal(log_consistency(f->state, 1, ENTRIES + 1, &text), MK_ENOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_names_a_tile),
        cmocka_unit_test(a_tile_has_no_other_path),
        cmocka_unit_test(entries_in_tiles_are_the_file_of_the_ledger),
        cmocka_unit_test(a_full_tile_is_the_leaf_hashes_of_its_entries),
        cmocka_unit_test(a_level_holds_the_roots_of_the_tiles_below),
        cmocka_unit_test(a_partial_tile_is_the_beginning_of_a_wider_one),
        cmocka_unit_test(what_the_log_does_not_fill_is_not_there),
        cmocka_unit_test(consistency_is_one_hash_a_line),
    };
    return cmocka_run_group_tests_name("tile", tests, set_up, fixture_tear_down);
}

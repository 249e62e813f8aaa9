/* SPDX-License-Identifier: Apache-2.0 */
/* The bank: what it finds, in which order, and that what is dropped is gone. */
#include "tests/check.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "core/memory.h"

enum { DIM = 24, OWNERS = 7 };

static const struct memory_state some_state = {.n = 1, .digest = {1}};

/* A small deterministic generator; the tests print nothing random. */
static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static struct record a_record(uint32_t *seed, uint32_t number)
{
    struct record record = {.owner = number % OWNERS,
                            .label = number,
                            .class = CLASS_EXACT,
                            .key.scale = (float)(1 + next_random(seed) % 3)};
    snprintf((char *)record.iid, IID_SIZE, "%08x", next_random(seed));
    for (int i = 0; i < DIM; i++)
        record.key.q[i] = (int8_t)(next_random(seed) % 5) - 2;
    return record;
}

/* Few distinct components and scales make many ties, so that the order by iid is at work.
 */
static void make_records(struct record *records, size_t n, uint32_t seed)
{
    for (size_t i = 0; i < n; i++)
        records[i] = a_record(&seed, (uint32_t)i);
}

static float similarity(const struct key *a, const struct key *query)
{
    int32_t sum = 0;
    for (int i = 0; i < DIM; i++)
        sum += a->q[i] * query->q[i];
    return (float)sum * a->scale * query->scale;
}

static const struct key *sorting_for;

static int by_rank(const void *a, const void *b)
{
    const struct record *x = a, *y = b;
    float sx = similarity(&x->key, sorting_for), sy = similarity(&y->key, sorting_for);
    if (sx != sy)
        return sx > sy ? -1 : 1;
    return memcmp(x->iid, y->iid, IID_SIZE);
}

/* Compares the bank with a plain sort over the records that it should hold. */
static void expect_like_a_sort(struct memory *bank, const struct record *records,
                               size_t n, const struct key *query)
{
    struct hit hits[HITS_MAX];
    struct record *sorted = calloc(n + 1, sizeof *sorted);
    assert_non_null(sorted);
    if (n > 0)
        memcpy(sorted, records, n * sizeof *sorted);
    sorting_for = query;
    qsort(sorted, n, sizeof *sorted, by_rank);
    memory_lock_shared(bank);
    size_t found = memory_search(bank, query, HITS_MAX, hits);
    memory_unlock_shared(bank);
    assert_int_equal(found, n < HITS_MAX ? n : HITS_MAX);
    for (size_t i = 0; i < found; i++) {
        assert_memory_equal(hits[i].iid, sorted[i].iid, IID_SIZE);
        assert_memory_equal(&hits[i].key, &sorted[i].key, sizeof hits[i].key);
        assert_int_equal(hits[i].label, sorted[i].label);
        assert_true(hits[i].similarity == similarity(&sorted[i].key, query));
    }
    free(sorted);
}

static void an_empty_bank_knows_nothing(void **unused)
{
    (void)unused;
    struct memory *bank = memory_new(DIM, 10);
    struct key query = {.scale = 1, .q = {1}};
    expect_like_a_sort(bank, NULL, 0, &query);
    assert_int_equal(memory_drop(bank, 3, &some_state), 0);
    assert_int_equal(memory_count(bank, 3), 0);
    memory_free(bank);
}

static void a_search_is_exact_and_ties_go_by_id(void **unused)
{
    (void)unused;
    struct record records[500];
    make_records(records, ARRAY_SIZE(records), 1);
    struct memory *bank = memory_new(DIM, ARRAY_SIZE(records));
    assert_ok(memory_add(bank, records, ARRAY_SIZE(records), &some_state));
    for (int i = 0; i < 20; i++)
        expect_like_a_sort(bank, records, ARRAY_SIZE(records), &records[i * 7].key);
    memory_free(bank);
}

/* Two banks that hold the same instances answer alike, whatever their history. */
static void history_does_not_show(void **unused)
{
    (void)unused;
    struct record records[300], kept[300];
    size_t n_kept = 0;
    make_records(records, ARRAY_SIZE(records), 2);
    struct memory *bank = memory_new(DIM, ARRAY_SIZE(records));
    for (size_t i = ARRAY_SIZE(records); i-- > 0;)
        assert_ok(memory_add(bank, &records[i], 1, &some_state));
    for (size_t i = 0; i < ARRAY_SIZE(records); i++)
        if (records[i].owner != 2 && records[i].owner != 5)
            kept[n_kept++] = records[i];
    assert_int_equal(memory_drop(bank, 2, &some_state), memory_count(bank, 1));
    memory_drop(bank, 5, &some_state);
    for (int i = 0; i < 20; i++)
        expect_like_a_sort(bank, kept, n_kept, &records[i * 11].key);
    assert_int_equal(memory_count(bank, 2), 0);
    for (uint32_t owner = 0; owner < OWNERS; owner++)
        memory_drop(bank, owner, &some_state);
    expect_like_a_sort(bank, NULL, 0, &records[0].key);
    memory_free(bank);
}

/* Whether 64 bytes of this value stand anywhere in [begin, end) of this process.  Read as
 * a file, since sanitizers forbid to look at memory that was never allocated. */
static bool holds_run_of(int memory, uintptr_t begin, uintptr_t end, uint8_t value)
{
    static uint8_t page[4096];
    size_t run = 0;
    for (uintptr_t at = begin; at < end; at += sizeof page) {
        if (pread(memory, page, sizeof page, at) != sizeof page)
            continue;
        for (size_t i = 0; i < sizeof page; i++)
            if ((run = page[i] == value ? run + 1 : 0) == 64)
                return true;
    }
    return false;
}

/* Anonymous mappings, in which the heap and the bank are; a sanitizer's shadow is larger.
 */
static size_t mappings_with_run_of(uint8_t value)
{
    char line[512];
    size_t found = 0;
    int memory = open("/proc/self/mem", O_RDONLY);
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_true(memory >= 0 && maps);
    while (fgets(line, sizeof line, maps)) {
        uintptr_t begin, end;
        char writable;
        bool anonymous = !strchr(line, '/') && !strstr(line, "[stack]");
        if (sscanf(line, "%lx-%lx r%c", &begin, &end, &writable) == 3 &&
            writable == 'w' && anonymous && end - begin < 64u << 20)
            found += holds_run_of(memory, begin, end, value);
    }
    fclose(maps);
    close(memory);
    return found;
}

/* The bytes of a dropped key are in none of the process's anonymous mappings. */
static void a_dropped_key_is_wiped(void **unused)
{
    (void)unused;
    struct memory *bank = memory_new(64, 100);
    struct record record = {.owner = 1, .key.scale = 1};
    for (uint32_t i = 0; i < 50; i++) {
        record.owner = i % 2;
        memset(record.key.q, i % 2 ? 0x5a : 0x11, 64);
        assert_ok(memory_add(bank, &record, 1, &some_state));
    }
    memset(&record, 0, sizeof record);
    assert_true(mappings_with_run_of(0x5a) > 0);
    assert_int_equal(memory_drop(bank, 1, &some_state), 25);

    assert_int_equal(mappings_with_run_of(0x5a), 0);
    memory_free(bank);
}

static void a_masked_owner_is_not_found_and_comes_back(void **unused)
{
    (void)unused;
    struct record records[70], others[70];
    size_t n = 0;
    make_records(records, ARRAY_SIZE(records), 3);
    struct memory *bank = memory_new(DIM, ARRAY_SIZE(records));
    assert_ok(memory_add(bank, records, ARRAY_SIZE(records), &some_state));
    for (size_t i = 0; i < ARRAY_SIZE(records); i++)
        if (records[i].owner != 4)
            others[n++] = records[i];
    uint64_t before = memory_epoch(bank);
    memory_mask(bank, 4, true);
    assert_true(memory_epoch(bank) > before);
    expect_like_a_sort(bank, others, n, &records[4].key);
    assert_int_equal(memory_count(bank, 4), 10);
    memory_mask(bank, 4, false);
    expect_like_a_sort(bank, records, ARRAY_SIZE(records), &records[4].key);
    memory_free(bank);
}

/* Of a closed set a label stands at its index; one beyond all is counted without a place. */
static void instances_are_counted_by_class_and_label(void **unused)
{
    (void)unused;
    struct record records[30];
    size_t places[2];
    make_records(records, ARRAY_SIZE(records), 7);
    for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
        records[i].label = i < 5 ? 9 : i < 29 ? 3 + i % 2 : CLASSES_MAX;
        records[i].class = i % 3 ? CLASS_EXACT : CLASS_TRAINED;
    }
    struct memory *bank = memory_new(DIM, ARRAY_SIZE(records));
    const struct census *census = memory_census(bank);
    assert_ok(memory_add(bank, records, ARRAY_SIZE(records), &some_state));
    assert_int_equal(census->all.exact, 20);
    assert_int_equal(census->all.trained, 10);
    assert_int_equal(census->labels, 3);
    assert_int_equal(census_largest(census, 2, places), 2);
    assert_int_equal(places[0], 3);
    assert_int_equal(places[1], 4);
    assert_int_equal(census->at[9].exact, 3);
    assert_int_equal(census->at[9].trained, 2);
    memory_mask(bank, 4, true);
    memory_mask(bank, 4, true);
    assert_int_equal(census->masked, 4);
    for (uint32_t owner = 0; owner < OWNERS; owner++)
        memory_drop(bank, owner, &some_state);
    assert_int_equal(census->all.exact + census->all.trained + census->masked, 0);
    assert_int_equal(census->labels, 0);
    assert_int_equal(census_largest(census, 2, places), 0);
    memory_free(bank);
}

static void a_full_bank_takes_all_or_nothing(void **unused)
{
    (void)unused;
    struct record records[12];
    make_records(records, ARRAY_SIZE(records), 4);
    struct memory *bank = memory_new(DIM, 10);
    assert_ok(memory_add(bank, records, 6, &some_state));
    assert_int_equal(memory_add(bank, records + 6, 5, &some_state), MK_ETOOBIG);
    expect_like_a_sort(bank, records, 6, &records[0].key);
    assert_ok(memory_add(bank, records + 6, 4, &some_state));
    expect_like_a_sort(bank, records, 10, &records[0].key);
    memory_free(bank);
}

static void a_change_brings_its_state_and_epoch(void **unused)
{
    (void)unused;
    struct record record;
    make_records(&record, 1, 5);
    struct memory_state after = {.n = 0, .digest = {9, 9}};
    struct memory *bank = memory_new(DIM, 10);
    assert_ok(memory_add(bank, &record, 1, &some_state));
    uint64_t epoch = memory_epoch(bank);
    assert_int_equal(memory_state(bank).n, 1);
    memory_drop(bank, record.owner, &after);
    assert_int_equal(memory_state(bank).n, 0);
    assert_memory_equal(memory_state(bank).digest, after.digest, 32);
    assert_int_equal(memory_epoch(bank), epoch + 1);
    memory_free(bank);
}

/* Two people go at a time: whoever searches finds both, or none and the state without them. */
static struct memory *pair_bank;
static volatile bool pair_comes_and_goes;

static void *look_at_pair(void *ret_wrong)
{
    struct key query = {.scale = 1, .q = {1, 2, 3}};
    struct hit hits[4];
    while (pair_comes_and_goes) {
        memory_lock_shared(pair_bank);
        size_t n = memory_search(pair_bank, &query, 4, hits);
        *(size_t *)ret_wrong += n != memory_state(pair_bank).n;
        memory_unlock_shared(pair_bank);
    }
    return NULL;
}

static void those_who_go_together_are_never_seen_apart(void **unused)
{
    (void)unused;
    const uint32_t owners[] = {1, 2};
    const struct memory_state both = {.n = 2}, none = {.n = 0};
    struct record records[2];
    size_t wrong = 0;
    pthread_t thread;
    make_records(records, 2, 5);
    pair_bank = memory_new(DIM, 10);
    for (size_t i = 0; i < 2; i++)
        records[i].owner = owners[i];
    pair_comes_and_goes = true;
    assert_int_equal(pthread_create(&thread, NULL, look_at_pair, &wrong), 0);
    for (int round = 0; round < 20000; round++) {
        assert_ok(memory_add(pair_bank, records, 2, &both));
        assert_int_equal(memory_drop_all(pair_bank, owners, 2, &none), 2);
    }
    pair_comes_and_goes = false;
    pthread_join(thread, NULL);
    assert_int_equal(wrong, 0);
    memory_free(pair_bank);
}

static struct memory *busy_bank;
static volatile bool searching;

static void *search_without_pause(void *unused)
{
    struct hit hits[4];
    struct key query = {.scale = 1, .q = {1, 2, 3}};
    while (searching) {
        memory_lock_shared(busy_bank);
        memory_search(busy_bank, &query, 4, hits);
        memory_unlock_shared(busy_bank);
    }
    return unused;
}

/* Ends at all only because writers go first. */
static void a_flood_of_searches_never_starves_a_drop(void **unused)
{
    (void)unused;
    struct record records[400];
    pthread_t threads[3];
    make_records(records, ARRAY_SIZE(records), 6);
    busy_bank = memory_new(DIM, 2 * ARRAY_SIZE(records));
    assert_ok(memory_add(busy_bank, records, ARRAY_SIZE(records), &some_state));
    searching = true;
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, search_without_pause, NULL),
                         0);
    for (int i = 0; i < 200; i++) {
        memory_drop(busy_bank, i % OWNERS, &some_state);
        assert_ok(memory_add(busy_bank, &records[i], 1, &some_state));
    }
    searching = false;
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        pthread_join(threads[i], NULL);
    memory_free(busy_bank);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_bank_knows_nothing),
        cmocka_unit_test(a_search_is_exact_and_ties_go_by_id),
        cmocka_unit_test(history_does_not_show),
        cmocka_unit_test(a_dropped_key_is_wiped),
        cmocka_unit_test(a_masked_owner_is_not_found_and_comes_back),
        cmocka_unit_test(instances_are_counted_by_class_and_label),
        cmocka_unit_test(a_full_bank_takes_all_or_nothing),
        cmocka_unit_test(those_who_go_together_are_never_seen_apart),
        cmocka_unit_test(a_change_brings_its_state_and_epoch),
        cmocka_unit_test(a_flood_of_searches_never_starves_a_drop),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Forgetting: equal to never having known, on disk and in RAM, and provable. */
#include "tests/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "storage/encode.h"
#include "storage/log.h"
#include "storage/opening.h"
#include "storage/read.h"
#include "storage/receipt.h"
#include "storage/state_private.h"
#include "tests/fixture.h"

static void a_forgotten_memory_equals_one_that_never_knew(void **data)
{
    struct fixture *f = *data, never;
    struct forgotten done;
    struct state_status after, expected;
    fixture_import(f, 0, 2400, NOBODY);
    assert_ok(fixture_forget(f, 7, &done));
    assert_int_equal(done.answer.act, ACT_ERASE);
    assert_int_equal(done.answer.exact, 12);
    assert_int_equal(done.records_left, 0);
    assert_true(done.digest_match);
    forgotten_done(&done);
    assert_int_equal(ledger_refs(f->state->ledger), 1); /* an old backup cannot undo it */
    state_status(f->state, &after);

    fixture_new(&never);
    fixture_open(&never);
    fixture_import(&never, 0, 2400, 7);
    state_status(never.state, &expected);
    assert_int_equal(after.instances, expected.instances);
    assert_int_equal(after.subjects, SUBJECTS - 1);
    assert_memory_equal(after.digest, expected.digest, sizeof after.digest);

    fixture_close(f);
    fixture_open(f);
    state_status(f->state, &after);
    assert_memory_equal(after.digest, expected.digest, sizeof after.digest);
    fixture_remove(&never);
}

static void a_subject_unknown_gets_a_receipt_that_says_so(void **data)
{
    struct fixture *f = *data;
    struct forgotten done;
    assert_ok(fixture_forget(f, 3, &done));
    assert_int_equal(done.answer.act, ACT_NOT_HELD);
    assert_int_equal(done.answer.exact + done.answer.trained, 0);
    assert_non_null(strstr(done.answer.proof, "c2sp.org/tlog-proof@v1"));
    assert_int_equal(ledger_refs(f->state->ledger), 0);
    forgotten_done(&done);
}

/* The entry's members, and that its commitment is to this subject and request. */
static void assert_opens(const struct forgotten *done, struct subject subject,
                         const char *request)
{
    struct receipt receipt;
    struct entry entry;
    struct opening opening = {{subject.id, subject.len}, {request, strlen(request)}, {0}};
    uint8_t commit[SHA256_SIZE], leaf[SHA256_SIZE];
    assert_ok(receipt_parse(done->answer.receipt, &receipt));
    assert_ok(entry_parse(receipt.entry, receipt.entry_len, &entry));
    assert_ok(base64url_decode(done->answer.salt, strlen(done->answer.salt), opening.salt,
                               SECRET_SIZE));
    opening_commit(&opening, commit);
    assert_memory_equal(commit, entry.commit, sizeof commit);
    merkle_leaf(receipt.entry, receipt.entry_len, leaf);
    assert_memory_equal(leaf, done->answer.leaf_hash, sizeof leaf);
    receipt_done(&receipt);
}

static void a_repeat_with_the_same_key_gets_the_same_answer(void **data)
{
    struct fixture *f = *data;
    struct forgotten first, again, fresh;
    struct subject subject = fixture_subject(5);
    assert_ok(fixture_enroll(f, 5, 0, 4));
    assert_ok(forget(f->state, subject, "key-1", true, &first));
    assert_opens(&first, subject, "key-1");
    assert_ok(fixture_enroll(f, 5, 4, 5));
    fixture_close(f);
    fixture_open(f);
    assert_ok(forget(f->state, subject, "key-1", true, &again));
    assert_string_equal(first.answer.receipt, again.answer.receipt);
    assert_string_equal(first.answer.salt, again.answer.salt);
    assert_int_equal(first.answer.index, again.answer.index);
    assert_int_equal(again.answer.exact, 4);
    assert_int_equal(first.records_left, 0);
    assert_int_equal(again.records_left, 1); /* the one who came back is not hidden */

    /* Another key is another erasure, of what came since. */
    assert_ok(forget(f->state, subject, "key-2", true, &fresh));
    assert_int_equal(fresh.answer.exact, 1);
    assert_string_not_equal(first.answer.salt, fresh.answer.salt);
    assert_opens(&fresh, subject, "key-2");
    forgotten_done(&first);
    forgotten_done(&again);
    forgotten_done(&fresh);
}

static void a_key_of_another_subject_is_refused(void **data)
{
    struct fixture *f = *data;
    struct forgotten done;
    assert_ok(fixture_enroll(f, 6, 0, 4));
    assert_ok(forget(f->state, fixture_subject(5), "key-1", true, &done));
    forgotten_done(&done);
    assert_int_equal(forget(f->state, fixture_subject(6), "key-1", true, &done),
                     MK_EUNPROCESSABLE);
    assert_ok(forget(f->state, fixture_subject(6), "key-2", true, &done));
    assert_int_equal(done.answer.exact, 4);
    forgotten_done(&done);
}

static void hold(struct fixture *f, const char *person, int64_t until)
{
    struct keyring_record marks = {.flags = FLAG_HELD, .until = (uint64_t)until};
    uint8_t tag[SHA256_SIZE];
    keyring_tag(f->state->keyring, person, strlen(person), tag);
    assert_ok(
        keyring_mark(f->state->keyring, keyring_find(f->state->keyring, tag), &marks));
}

static void a_held_subject_stays_until_the_hold_ends(void **data)
{
    struct fixture *f = *data;
    struct forgotten done;
    assert_ok(fixture_enroll(f, 6, 0, 4));
    hold(f, "person-6", time(NULL) + 1000);
    uint64_t entries = store_entries(f->state->store);
    assert_int_equal(fixture_forget(f, 6, &done), MK_ECONFLICT);
    assert_int_equal(store_entries(f->state->store), entries);
    hold(f, "person-6", time(NULL) - 1);
    assert_ok(fixture_forget(f, 6, &done));
    assert_int_equal(done.answer.exact, 4);
    forgotten_done(&done);
}

static struct erasure_request asked(uint32_t person, const char *name, bool idempotent)
{
    return (struct erasure_request){
        .subject = fixture_subject(person), .request = name, .idempotent = idempotent};
}

/* Whatever becomes of one of them, the others are answered; twice the same is answered twice. */
static void erasures_share_a_transaction_and_nothing_else(void **data)
{
    struct fixture *f = *data;
    for (uint32_t person = 5; person < 8; person++)
        assert_ok(fixture_enroll(f, person, 4 * person, 4 * person + 4));
    hold(f, "person-6", time(NULL) + 1000);
    const struct erasure_request requests[] = {
        asked(5, "key-5", true), asked(6, "key-6", true),  asked(7, "key-5", true),
        asked(5, "key-5", true), asked(5, "key-5b", true), asked(1000, "key-n", false),
    };
    enum { N = sizeof requests / sizeof *requests };
    struct forgotten done[N];
    struct state_status before, after;
    state_status(f->state, &before);
    assert_ok(forget_batch(f->state, requests, N, done));
    state_status(f->state, &after);
    const int rc[N] = {0, MK_ECONFLICT, MK_EUNPROCESSABLE, 0, 0, 0};
    for (size_t i = 0; i < N; i++)
        assert_int_equal(done[i].rc, rc[i]);
    assert_non_null(strstr(done[1].why, "held"));
    assert_int_equal(done[0].answer.act, ACT_ERASE);
    assert_string_equal(done[3].answer.receipt, done[0].answer.receipt);
    assert_int_equal(done[4].answer.act, ACT_NOT_HELD);
    assert_int_equal(done[5].answer.act, ACT_NOT_HELD);
    assert_int_equal(after.entries, before.entries + 3);
    assert_int_equal(after.instances, before.instances - done[0].answer.exact);
    assert_opens(&done[0], requests[0].subject, "key-5");
    assert_opens(&done[5], requests[5].subject, "key-n");
    for (size_t i = 0; i < N; i++)
        forgotten_done(&done[i]);
}

/* Runs of bytes that must be nowhere after an erasure.  Kept inverted: this table is in RAM
 * as well. */
enum { PROBE = 16, PROBES_MAX = 500 };
struct probes {
    size_t n;
    bool begins[256]; /* whether a probe begins with this byte: most do not */
    uint8_t inverted[PROBES_MAX][PROBE];
};

static void add_probe(struct probes *probes, const void *bytes)
{
    assert_true(probes->n < PROBES_MAX);
    probes->begins[*(const uint8_t *)bytes] = true;
    for (size_t i = 0; i < PROBE; i++)
        probes->inverted[probes->n][i] = (uint8_t) ~((const uint8_t *)bytes)[i];
    probes->n++;
}

static inline bool is_probe(const struct probes *probes, const uint8_t *at)
{
    if (!probes->begins[*at])
        return false;
    for (size_t p = 0; p < probes->n; p++) {
        size_t i = 0;
        while (i < PROBE && (at[i] ^ probes->inverted[p][i]) == 0xff)
            i++;
        if (i == PROBE)
            return true;
    }
    return false;
}

/* How many probes stand in the files of the folder. */
static size_t probes_on_disk(const struct fixture *f, const struct probes *probes)
{
    char line[256];
    size_t found = 0;
    snprintf(line, sizeof line, "find '%s' -type f -exec cat {} +", f->folder);
    FILE *pipe = popen(line, "r");
    setvbuf(pipe, NULL, _IONBF, 0); /* its buffer would be a remnant */
    uint8_t *all = malloc(64 << 20);
    size_t n = fread(all, 1, 64 << 20, pipe);
    for (size_t i = 0; i + PROBE <= n; i++)
        found += is_probe(probes, all + i);
    explicit_bzero(all, n);
    free(all);
    assert_int_equal(pclose(pipe), 0);
    return found;
}

/* Most pages of a large mapping were never touched; those of zeros are passed over. */
static size_t probes_between(int memory, uintptr_t begin, uintptr_t end,
                             const struct probes *probes)
{
    enum { STEP = 65536 };
    static uint8_t bytes[STEP + PROBE];
    size_t found = 0;
    for (uintptr_t at = begin; at < end; at += STEP) {
        ssize_t n = pread(memory, bytes, sizeof bytes, (off_t)at);
        if (n <= 0 || (bytes[0] == 0 && !memcmp(bytes, bytes + 1, (size_t)n - 1)))
            continue;
        for (ssize_t i = 0; i + PROBE <= n; i++)
            found += is_probe(probes, bytes + i);
        explicit_bzero(bytes, sizeof bytes);
    }
    return found;
}

/* How many stand in the heap, the stack and all other private memory of this process. */
static size_t probes_in_ram(const struct probes *probes)
{
    char line[512];
    size_t found = 0;
    int memory = open("/proc/self/mem", O_RDONLY);
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_true(memory >= 0 && maps);
    while (fgets(line, sizeof line, maps)) {
        uintptr_t begin, end;
        char writable;
        /* A sanitizer's shadow is larger. */
        if (sscanf(line, "%lx-%lx r%c", &begin, &end, &writable) == 3 &&
            writable == 'w' && end - begin < 64u << 20)
            found += probes_between(memory, begin, end, probes);
    }
    fclose(maps);
    close(memory);
    return found;
}

/* What would give a person away: their key bytes, their sealed slots, their data key. */
static void probe_person(struct fixture *f, uint32_t number, struct probes *probes)
{
    struct subject subject = fixture_subject(number);
    struct reader reader;
    struct instance instance;
    uint8_t tag[SHA256_SIZE], body[SLOT_SIZE_MAX];
    keyring_tag(f->state->keyring, subject.id, subject.len, tag);
    uint32_t owner = keyring_find(f->state->keyring, tag);
    assert_ok(reader_open(f->state, owner, &reader));
    add_probe(probes, tag);
    add_probe(probes, reader.data_key);
    add_probe(probes, keyring_at(f->state->keyring, owner)->wrapped);
    for (size_t i = 0; i < reader.n; i++) {
        assert_ok(reader_read(&reader, i, &instance));
        add_probe(probes, instance.key.q + 32);
        add_probe(probes, instance.nonce + 4);
        assert_ok(store_slot_read(f->state->store, reader.slot[i], body));
        add_probe(probes, body + 40);
        add_probe(probes, body + 300);
    }
    reader_close(&reader);
    explicit_bzero(&instance, sizeof instance);
    explicit_bzero(body, sizeof body);
    explicit_bzero(tag, sizeof tag);
}

static void nothing_of_the_forgotten_is_left_on_disk_or_in_ram(void **data)
{
    struct fixture *f = *data;
    struct forgotten done;
    struct probes *probes = calloc(1, sizeof *probes);
    fixture_import(f, 0, 2000, NOBODY);
    assert_ok(fixture_enroll(f, 9, 3000, 3003));
    probe_person(f, 9, probes);
    assert_true(probes_on_disk(f, probes) >= 27); /* two a slot and the wrapped key */
    assert_true(probes_in_ram(probes) >= 14);

    assert_ok(fixture_forget(f, 9, &done));
    assert_int_equal(done.answer.exact, 13);
    assert_int_equal(probes_on_disk(f, probes), 0);
    assert_int_equal(probes_in_ram(probes), 0);
    forgotten_done(&done);
    free(probes);
}

/* The caller's copy is the caller's to wipe; there is no other. */
static void the_id_of_the_forgotten_is_not_in_ram(void **data)
{
    struct fixture *f = *data;
    struct forgotten done;
    struct new_instance instance;
    uint8_t iid[1][IID_SIZE];
    struct probes *probes = calloc(1, sizeof *probes);
    char id[64];
    strcpy(id, "somebody.with.a.long.name@munkeyd.test");
    add_probe(probes, id + 4);
    fixture_instance(5000, &instance);
    assert_ok(
        enroll(f->state, (struct subject){id, strlen(id)}, &instance, 1, "key", iid));
    assert_ok(forget(f->state, (struct subject){id, strlen(id)}, "a-key", true, &done));
    assert_int_equal(done.answer.exact, 1);
    assert_true(probes_in_ram(probes) > 0);
    explicit_bzero(id, sizeof id);
    assert_int_equal(probes_in_ram(probes), 0);
    assert_int_equal(probes_on_disk(f, probes), 0);
    forgotten_done(&done);
    free(probes);
}

/* Slots, records and pages are used again after erasures; remnants would pile up in them. */
static void no_history_of_changes_leaves_remnants(void **data)
{
    struct fixture *f = *data;
    struct forgotten done;
    uint32_t random = 1;
    struct probes *probes = calloc(1, sizeof *probes);
    fixture_import(f, 0, 400, NOBODY);
    for (uint64_t round = 0; round < 30; round++) {
        uint32_t person = (random = random * 1664525 + 1013904223) >> 16;
        uint64_t n = 1 + person % 5;
        assert_ok(
            fixture_enroll(f, person % 50, 10000 + 10 * round, 10000 + 10 * round + n));
        if (round % 3 < 2)
            continue;
        memset(probes, 0, sizeof *probes);
        probe_person(f, person % 50, probes);
        assert_true(probes_on_disk(f, probes) > 2 * n);
        assert_ok(fixture_forget(f, person % 50, &done));
        forgotten_done(&done);
        assert_int_equal(probes_on_disk(f, probes), 0);
        assert_int_equal(probes_in_ram(probes), 0);
    }
    free(probes);
}

static size_t scrubs;

static void count_scrub(void *context)
{
    /* Without any lock of the bank: the threads that are scrubbed may want it. */
    memory_count(context, 0);
    scrubs++;
}

static void buffers_are_scrubbed_before_the_receipt(void **data)
{
    struct fixture *f = *data;
    struct forgotten done;
    fixture_close(f);
    f->options.scrub = count_scrub;
    fixture_open(f);
    f->state->scrub_context = f->bank;
    assert_ok(fixture_enroll(f, 1, 0, 2));
    scrubs = 0;
    assert_ok(fixture_forget(f, 1, &done));
    forgotten_done(&done);
    assert_int_equal(scrubs, 1);
}

static void a_subject_who_comes_back_has_another_ref(void **data)
{
    struct fixture *f = *data;
    struct forgotten done;
    uint8_t tag[SHA256_SIZE], ref[REF_SIZE];
    assert_ok(fixture_enroll(f, 1, 0, 2));
    keyring_tag(f->state->keyring, "person-1", 8, tag);
    memcpy(ref, keyring_at(f->state->keyring, keyring_find(f->state->keyring, tag))->ref,
           REF_SIZE);
    assert_ok(fixture_forget(f, 1, &done));
    forgotten_done(&done);
    assert_ok(fixture_enroll(f, 1, 0, 2));
    assert_memory_not_equal(
        ref, keyring_at(f->state->keyring, keyring_find(f->state->keyring, tag))->ref,
        REF_SIZE);
    assert_int_equal(store_slots(f->state->store), 2);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(memory_count(f->bank, keyring_find(f->state->keyring, tag)), 2);
}

#define FORGET_TEST(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FORGET_TEST(a_forgotten_memory_equals_one_that_never_knew),
        FORGET_TEST(a_subject_unknown_gets_a_receipt_that_says_so),
        FORGET_TEST(a_repeat_with_the_same_key_gets_the_same_answer),
        FORGET_TEST(a_key_of_another_subject_is_refused),
        FORGET_TEST(a_held_subject_stays_until_the_hold_ends),
        FORGET_TEST(erasures_share_a_transaction_and_nothing_else),
        FORGET_TEST(nothing_of_the_forgotten_is_left_on_disk_or_in_ram),
        FORGET_TEST(the_id_of_the_forgotten_is_not_in_ram),
        FORGET_TEST(no_history_of_changes_leaves_remnants),
        FORGET_TEST(buffers_are_scrubbed_before_the_receipt),
        FORGET_TEST(a_subject_who_comes_back_has_another_ref),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

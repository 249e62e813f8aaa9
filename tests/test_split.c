/* SPDX-License-Identifier: Apache-2.0 */
/* Who may see which image: whole subjects, an order that the rows alone decide. */
#include "tests/images.h"

#include <endian.h>

#include "core/rng.h"
#include "daemon/split.h"
#include "storage/crypto.h"

enum { ROWS = 200, PEOPLE = 20 };

static const struct split_wish half = {
    .base = .5, .b1 = 12, .b2 = 15, .val = 3, .seed = 7};

/* ROWS rows of PEOPLE people, in an order that a number decides. */
static void open_shuffled(uint64_t number, bool subjects, struct dataset *ret_data)
{
    char text[ROWS * 40];
    uint32_t order[ROWS];
    struct rng rng = rng_at(number, RNG_TEST, 0, 0);
    int at = sprintf(text, "path,label%s\n", subjects ? ",subject" : "");
    rng_permutation(&rng, order, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        at += sprintf(text + at, "%u.png,label-%u", order[i], order[i] % 3);
        at += subjects ? sprintf(text + at, ",person-%u\n", order[i] % PEOPLE)
                       : sprintf(text + at, "\n");
    }
    assert_ok(images_open(text, ret_data));
    assert_ok(dataset_number_labels(ret_data));
}

static size_t part_of(const struct parts *parts, size_t i)
{
    return i < parts->b1.end ? 0 : i < parts->b2.end ? 1 : i < parts->val.end ? 2 : 3;
}

static void nobody_stands_on_two_sides(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct split_wish wish = half;
        struct dataset data;
        struct parts parts;
        size_t part[PEOPLE], person;
        open_shuffled(1, true, &data);
        memset(part, 0xff, sizeof part);
        wish.seed = seed;
        assert_ok(split_data(&data, &wish, &parts));
        for (size_t i = 0; i < ROWS; i++) {
            assert_int_equal(sscanf(data.sample[i].subject.id, "person-%zu", &person), 1);
            if (part[person] == SIZE_MAX)
                part[person] = part_of(&parts, i);
            assert_int_equal(part[person], part_of(&parts, i));
        }
        assert_false(parts.cut);
        assert_int_equal(parts.b1.end,
                         40); /* of ten people with ten rows each: 4, 5, 1 */
        assert_int_equal(parts.b2.end, 90);
        assert_int_equal(parts.val.end, 100);
        assert_int_equal(parts.enrol, 100);
        dataset_done(&data);
    }
}

static void rows_of_nobody_are_shared_out_one_by_one(void **state)
{
    struct split_wish wish = half;
    struct dataset data;
    struct parts parts;
    (void)state;
    open_shuffled(1, false, &data);
    wish.base = .33;
    assert_ok(split_data(&data, &wish, &parts));
    assert_int_equal(parts.b1.end, 26); /* 66 rows: 26.4, 33, 6.6 */
    assert_int_equal(parts.b2.end, 59);
    assert_int_equal(parts.val.end, 66);
    dataset_done(&data);
}

/* Compares rows of different people only: those of one person keep the manifest's order. */
static void the_order_of_people_depends_on_the_seed_and_not_on_the_manifest(void **state)
{
    struct dataset a, b;
    size_t different = 0;
    (void)state;
    open_shuffled(1, true, &a);
    open_shuffled(2, true, &b);
    assert_ok(split_order(&a, 7));
    assert_ok(split_order(&b, 7));
    for (size_t i = 0; i < ROWS; i++) {
        assert_int_equal(a.sample[i].subject.len, b.sample[i].subject.len);
        assert_memory_equal(a.sample[i].subject.id, b.sample[i].subject.id,
                            a.sample[i].subject.len);
    }
    assert_ok(split_order(&b, 8));
    for (size_t i = 0; i < ROWS; i++)
        different += a.sample[i].subject.len != b.sample[i].subject.len ||
                     memcmp(a.sample[i].subject.id, b.sample[i].subject.id,
                            a.sample[i].subject.len) != 0;
    assert_true(different > ROWS / 2);
    dataset_done(&a);
    dataset_done(&b);
}

/* r = SHA-256("munkey-order\n" || u64le(seed) || "s" || subject), or "p" || path (MODEL.md) */
static void the_order_is_the_documented_one(void **state)
{
    struct dataset data;
    uint8_t last[32] = {0}, rank[32];
    (void)state;
    for (int subjects = 0; subjects < 2; subjects++) {
        open_shuffled(3, subjects, &data);
        assert_ok(split_order(&data, 0x0102030405060708));
        for (size_t i = 0; i < ROWS; i++) {
            char text[64] = "munkey-order\n\x08\x07\x06\x05\x04\x03\x02\x01";
            size_t len = 21;
            const struct sample *s = &data.sample[i];
            len += sprintf(text + len, "%c%.*s", subjects ? 's' : 'p',
                           subjects ? (int)s->subject.len : 99,
                           subjects ? s->subject.id : s->path);
            crypto_sha256(text, len, rank);
            assert_true(i == 0 || memcmp(last, rank, 32) <= 0);
            if (i > 0 && memcmp(last, rank, 32) == 0)
                assert_true(data.sample[i - 1].row < s->row);
            memcpy(last, rank, 32);
        }
        memset(last, 0, 32);
        dataset_done(&data);
    }
}

static int split_text(const char *text, const struct split_wish *wish,
                      struct parts *ret_parts)
{
    struct dataset data = {0};
    int rc = images_open(text, &data);
    if (rc == 0)
        rc = dataset_number_labels(&data);
    if (rc == 0)
        rc = split_data(&data, wish, ret_parts);
    dataset_done(&data);
    return rc;
}

#define COLUMNS "path,label,subject,split\n"

static void what_a_row_says_is_done(void **state)
{
    struct dataset data;
    struct parts parts;
    (void)state;
    assert_ok(images_open(COLUMNS "1,x,a,enrol\n2,x,b,base\n3,y,t,test\n4,y,c,base\n"
                                  "5,x,d,base\n6,y,a,enrol\n7,x,e,base\n",
                          &data));
    assert_ok(dataset_number_labels(&data));
    assert_ok(split_data(&data, &half, &parts));
    assert_int_equal(parts.val.end, 4);
    assert_int_equal(parts.enrol, 2);
    assert_int_equal(parts.test, 1);
    for (size_t i = 0; i < data.n; i++)
        assert_int_equal(data.sample[i].split, i < 4   ? SPLIT_BASE
                                               : i < 6 ? SPLIT_ENROL
                                                       : SPLIT_TEST);
    assert_int_equal(data.sample[4].row, 0);
    assert_int_equal(data.sample[5].row, 5);
    dataset_done(&data);
}

static void three_people_are_enough(void **state)
{
    static const char *const texts[] = {
        COLUMNS "1,x,a,base\n2,x,b,base\n3,x,c,base\n",
        COLUMNS
        "1,x,a,base\n2,x,a,base\n3,x,a,base\n4,x,a,base\n5,x,b,base\n6,x,c,base\n",
        COLUMNS
        "1,x,b,base\n2,x,b,base\n3,x,b,base\n4,x,b,base\n5,x,a,base\n6,x,c,base\n",
        COLUMNS
        "1,x,c,base\n2,x,c,base\n3,x,c,base\n4,x,c,base\n5,x,b,base\n6,x,a,base\n",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct parts parts;
        assert_ok(split_text(texts[i], &half, &parts));
        assert_false(parts.cut);
    }
}

static void paper_mode_shows_the_weights_every_row(void **state)
{
    const struct split_wish wish = {.b1 = 20, .b2 = 75, .val = 5, .paper = true};
    struct dataset data;
    struct parts parts;
    (void)state;
    open_shuffled(1, true, &data);
    assert_ok(split_data(&data, &wish, &parts));
    assert_int_equal(parts.b1.end, 40);
    assert_int_equal(parts.b2.end, 190);
    assert_int_equal(parts.val.end, 200);
    assert_int_equal(parts.enrol, 0);
    dataset_done(&data);
}

static void a_split_that_means_no_good_is_refused(void **state)
{
    static const struct {
        const char *text, *why;
        bool paper;
    } examples[] = {
        {COLUMNS "1,x,a,base\n2,x,b,base\n3,x,c,base\n4,x,b,enrol\n",
         "line 5: this row's subject is of split enrol here and of split base in line 3: "
         "the "
         "weights would have seen them (--allow-split-subjects)",
         false},
        {COLUMNS "1,x,a,base\n2,x,b,base\n3,x,c,base\n4,y,d,enrol\n",
         "line 5: a label that no row has which the weights may see (base)", false},
        {COLUMNS "1,x,a,base\n2,x,b,base\n3,x,b,base\n",
         "3 rows that the weights may see cannot be shared out to encoder, classifier "
         "and "
         "calibration without cutting a subject's rows: too few subjects "
         "(--base, --allow-split-subjects)",
         false},
        {COLUMNS "1,x,a,base\n2,x,b,base\n3,x,c,base\n4,x,d,enrol\n",
         "line 5: split enrol: in paper mode the weights see every row", true},
        {COLUMNS "1,x,a,base\n2,x,b,\n",
         "line 3: no split, while line 2 has one: base or enrol", false},
        {COLUMNS "1,x,a,test\n2,x,b,\n3,x,c,enrol\n",
         "line 3: no split, while line 4 has one: base or enrol", false},
        {COLUMNS "1,x,a,base\n2,y,b,test\n",
         "line 3: a test row with a label that no other row has", false},
        {COLUMNS "1,x,a,base\n./1,x,b,base\n", "line 3: the image of line 2 again",
         false},
        {COLUMNS, "people.csv names no image", false},
    };
    struct parts parts;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
        struct split_wish wish = half;
        wish.paper = examples[i].paper;
        assert_int_equal(split_text(examples[i].text, &wish, &parts), MK_EINPUT);
        assert_why_ends(examples[i].why);
    }
}

static void people_are_cut_when_somebody_says_so(void **state)
{
    struct split_wish wish = half;
    struct parts parts;
    (void)state;
    wish.cut_subjects = true;
    assert_ok(split_text(COLUMNS "1,x,a,base\n2,x,a,base\n3,x,a,base\n4,x,a,enrol\n",
                         &wish, &parts));
    assert_true(parts.cut);
    assert_int_equal(parts.val.end, 3);
    assert_int_equal(parts.enrol, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_stands_on_two_sides),
        cmocka_unit_test(rows_of_nobody_are_shared_out_one_by_one),
        cmocka_unit_test(the_order_of_people_depends_on_the_seed_and_not_on_the_manifest),
        cmocka_unit_test(the_order_is_the_documented_one),
        cmocka_unit_test(what_a_row_says_is_done),
        cmocka_unit_test(three_people_are_enough),
        cmocka_unit_test(paper_mode_shows_the_weights_every_row),
        cmocka_unit_test(a_split_that_means_no_good_is_refused),
        cmocka_unit_test(people_are_cut_when_somebody_says_so),
    };
    return cmocka_run_group_tests(tests, images_set_up, images_tear_down);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The CSV file of an import: who owns which image. */
#include "tests/check.h"

#include "daemon/rows.h"

enum { IMAGES = 10 };

static int parse(char *text, struct rows *ret_rows)
{
    return rows_parse(text, strlen(text), IMAGES, ret_rows);
}

static void columns_may_stand_in_any_order(void **state)
{
    char text[] = "consent_ref,subject,index\nc-1,alice,9\n,\"b,ob\",0\n";
    struct rows rows;
    (void)state;

    assert_ok(parse(text, &rows));
    assert_int_equal(rows.n, 2);
    assert_int_equal(rows.row[0].index, 9);
    assert_int_equal(rows.row[0].subject.len, 5);
    assert_memory_equal(rows.row[0].subject.id, "alice", 5);
    assert_string_equal(rows.row[0].provenance.field[3], "c-1");
    assert_string_equal(rows.row[0].provenance.field[0], "");
    assert_memory_equal(rows.row[1].subject.id, "b,ob", 4);
    assert_string_equal(rows.row[1].provenance.field[3], "");
    rows_done(&rows);
}

static void what_could_not_be_enrolled_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text, *why;
    } examples[] = {
        {"index,subject\n10,a\n", "line 2: index 10, but the images are 0 to 9"},
        {"index,subject\n1,a\n-1,a\n", "line 3: the index is no number"},
        {"index,subject\n 1,a\n", "line 2: the index is no number"},
        {"index,subject\n,a\n", "line 2: the index is no number"},
        {"index,subject\n1x,a\n", "line 2: the index is no number"},
        {"index,subject\n99999999999999999999,a\n", "line 2: the index is no number"},
        {"index,subject\n1,\n", "line 2: a subject has 1 to 512 bytes, this one has 0"},
        {"index,subject\n1,\xff\n", "line 2: the subject is not UTF-8"},
        {"index,subject\n1\n", "line 2 has 1 fields, the first line has 2"},
        {"index\n1\n", "the first line has to name the columns index and subject"},
        {"", "the first line has to name the columns index and subject"},
        {"index,subject,index\n", "column 3 of the first line stands there twice"},
        {"index,alice\n",
         "column 2 of the first line is none of index, subject, source, collected_at, "
         "lawful_basis and consent_ref"},
    };
    struct rows rows;
    (void)state;

    for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
        char *text = strdup(examples[i].text);
        assert_int_equal(parse(text, &rows), MK_EINPUT);
        assert_string_equal(err_why(), examples[i].why);
        free(text);
    }
}

static void a_subject_has_at_most_512_bytes(void **state)
{
    static const char before[] = "index,subject\n1,";
    struct rows rows;
    (void)state;

    for (size_t len = 512; len <= 513; len++) {
        char text[600] = "";
        strcpy(text, before);
        memset(text + strlen(before), 'a', len);
        if (len > SUBJECT_MAX) {
            assert_int_equal(parse(text, &rows), MK_EINPUT);
            continue;
        }
        assert_ok(parse(text, &rows));
        assert_int_equal(rows.row[0].subject.len, len);
        rows_done(&rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_may_stand_in_any_order),
        cmocka_unit_test(what_could_not_be_enrolled_is_refused_with_its_line),
        cmocka_unit_test(a_subject_has_at_most_512_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

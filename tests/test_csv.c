/* SPDX-License-Identifier: Apache-2.0 */
/* Comma-separated values, as spreadsheets and scripts write them. */
#include "tests/check.h"

#include "daemon/csv.h"

enum { FIELDS = 3 };

/* Reads all of text, which a copy on the heap holds exactly, so that sanitizers see its
 * end. Fields are joined by '|', rows by '/'. */
static int joined(const char *text, size_t len, char ret_joined[static 256])
{
    char *copy = malloc(len + 1);
    struct csv csv = {copy, copy + len, 0};
    char *fields[FIELDS], out[256] = "";
    size_t n;
    int rc;

    memcpy(copy, text, len);
    copy[len] = '\0';
    while ((rc = csv_row(&csv, fields, FIELDS, &n)) == 0 && n > 0) {
        for (size_t i = 0; i < n; i++)
            strcat(strcat(out, i ? "|" : ""), fields[i]);
        strcat(out, "/");
    }
    free(copy);
    if (rc == 0)
        strcpy(ret_joined, out);
    return rc;
}

static void rows_become_fields(void **state)
{
    static const struct {
        const char *text, *fields;
    } examples[] = {
        {"", ""},
        {"a,b\nc,d\n", "a|b/c|d/"},
        {"a,b\r\nc,d\r\n", "a|b/c|d/"},
        {"a,b\nc,d", "a|b/c|d/"},
        {"\n\na\n\nb\n\n", "a/b/"},
        {",\n,,", "|/||/"},
        {"\"a,b\",\"c\"\"d\"\n", "a,b|c\"d/"},
        {"\"\",x\n", "|x/"},
        {"\"two\nlines\"\nnext", "two\nlines/next/"},
        {"\"end\"", "end/"},
    };
    char out[256];
    (void)state;

    for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
        assert_ok(joined(examples[i].text, strlen(examples[i].text), out));
        assert_string_equal(out, examples[i].fields);
    }
}

static void what_is_no_row_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *why;
    } examples[] = {
        {"a,b,c,d", 7, "line 1: more than 3 fields"},
        {"a\nb\n\"c", 6, "line 3: a quote is not closed"},
        {"\n\n\"c\"\"", 7, "line 3: a quote is not closed"},
        {"a\n\"b\"c", 6, "line 2: text after a closing quote"},
        {"a\"b\"", 4, "line 1: a quote or a zero byte inside a field"},
        {"a\0b", 3, "line 1: a quote or a zero byte inside a field"},
        {"\"a\0b\"", 5, "line 1: a quote is not closed"},
        {"a\n\"b\"\0c", 6, "line 2: text after a closing quote"},
    };
    char out[256];
    (void)state;

    for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
        assert_int_equal(joined(examples[i].text, examples[i].len, out), MK_EINPUT);
        assert_string_equal(err_why(), examples[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_fields),
        cmocka_unit_test(what_is_no_row_is_refused_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

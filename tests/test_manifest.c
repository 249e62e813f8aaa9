/* SPDX-License-Identifier: Apache-2.0 */
/* The CSV file that says of each image what it shows and whose it is. */
#include "tests/check.h"

#include "daemon/manifest.h"

enum { IMAGES = 10, PATHS = 0 };

static int parse(char *text, uint64_t images, struct manifest *ret_manifest)
{
    return manifest_parse(text, strlen(text), images, ret_manifest);
}

static void columns_may_stand_in_any_order(void **state)
{
    char text[] = "consent_ref,subject,index\nc-1,alice,9\n,\"b,ob\",0\n";
    struct manifest manifest;
    (void)state;

    assert_ok(parse(text, IMAGES, &manifest));
    assert_int_equal(manifest.n, 2);
    assert_int_equal(manifest.sample[0].row, 9);
    assert_null(manifest.sample[0].path);
    assert_int_equal(manifest.sample[0].subject.len, 5);
    assert_memory_equal(manifest.sample[0].subject.id, "alice", 5);
    assert_string_equal(manifest.sample[0].provenance.field[3], "c-1");
    assert_string_equal(manifest.sample[0].provenance.field[0], "");
    assert_memory_equal(manifest.sample[1].subject.id, "b,ob", 4);
    assert_string_equal(manifest.sample[1].provenance.field[3], "");
    manifest_done(&manifest);
}

static void a_row_of_paths_says_all_there_is_to_say(void **state)
{
    char text[] = "\xef\xbb\xbf"
                  "split,label,path,subject,lawful_basis\r\n"
                  "base,boot,img/1.png,anna,contract\r\n"
                  "enrol,shoe,./img//./2 .jpg,,\r\n"
                  "test,boot,3,anna,\r\n"
                  ",boot,..4,anna,\r\n";
    static const char *const paths[] = {"img/1.png", "img/2 .jpg", "3", "..4"};
    struct manifest manifest;
    (void)state;

    assert_ok(parse(text, PATHS, &manifest));
    assert_int_equal(manifest.n, 4);
    assert_true(manifest.has_subject);
    for (size_t i = 0; i < manifest.n; i++) {
        assert_int_equal(manifest.sample[i].row, i);
        assert_int_equal(manifest.sample[i].line, i + 2);
        assert_string_equal(manifest.sample[i].path, paths[i]);
        assert_string_equal(manifest.sample[i].name, i == 1 ? "shoe" : "boot");
        assert_int_equal(manifest.sample[i].subject.len, i == 1 ? 0 : 4);
    }
    assert_int_equal(manifest.sample[0].split, SPLIT_BASE);
    assert_int_equal(manifest.sample[1].split, SPLIT_ENROL);
    assert_int_equal(manifest.sample[2].split, SPLIT_TEST);
    assert_int_equal(manifest.sample[3].split, SPLIT_NONE);
    assert_string_equal(manifest.sample[0].provenance.field[2], "contract");
    manifest_done(&manifest);
}

#define LONG_LABEL "0123456789012345678901234567890123456789012345678901234567890123"

static void what_is_no_row_is_refused_with_its_line(void **state)
{
    static const struct {
        uint64_t images;
        const char *text, *why;
    } examples[] = {
        {IMAGES, "index,subject\n10,a\n", "line 2: index 10, but the images are 0 to 9"},
        {IMAGES, "index,subject\n1,a\n-1,a\n", "line 3: the index is no number"},
        {IMAGES, "index,subject\n 1,a\n", "line 2: the index is no number"},
        {IMAGES, "index,subject\n,a\n", "line 2: the index is no number"},
        {IMAGES, "index,subject\n1x,a\n", "line 2: the index is no number"},
        {IMAGES, "index,subject\n99999999999999999999,a\n",
         "line 2: the index is no number"},
        {IMAGES, "index,subject\n1,\n",
         "line 2: a subject has 1 to 512 bytes, this one has 0"},
        {IMAGES, "index,subject\n1,\xff\n", "line 2: the subject is not UTF-8"},
        {IMAGES, "index,subject\n1\n", "line 2 has 1 fields, the first line has 2"},
        {IMAGES, "index\n1\n",
         "the first line has to name the columns index and subject"},
        {IMAGES, "", "the first line has to name the columns index and subject"},
        {IMAGES, "index,subject,index\n",
         "column 3 of the first line stands there twice"},
        {IMAGES, "index,alice\n",
         "column 2 of the first line is none of index, subject, split, source, "
         "collected_at, lawful_basis and consent_ref"},
        {IMAGES, "index,subject,path\n",
         "column 3 of the first line is none of index, subject, split, source, "
         "collected_at, lawful_basis and consent_ref"},
        {PATHS, "", "the first line has to name the columns path and label"},
        {PATHS, "path,subject\n",
         "the first line has to name the columns path and label"},
        {PATHS, "path,label,person\n",
         "column 3 of the first line is none of path, label, subject, split, source, "
         "collected_at, lawful_basis and consent_ref"},
        {PATHS, "path,label,index\n",
         "column 3 of the first line is none of path, label, subject, split, source, "
         "collected_at, lawful_basis and consent_ref"},
        {PATHS, "path,label\na,x\n/b,x\n",
         "line 3: a path is relative to the manifest's folder"},
        {PATHS, "path,label\n../b,x\n",
         "line 2: the path leads out of the manifest's folder"},
        {PATHS, "path,label\na/../b,x\n",
         "line 2: the path leads out of the manifest's folder"},
        {PATHS, "path,label\na/..,x\n",
         "line 2: the path leads out of the manifest's folder"},
        {PATHS, "path,label\n,x\n", "line 2: the path is empty"},
        {PATHS, "path,label\n./,x\n", "line 2: the path is empty"},
        {PATHS, "path,label\na,\n", "line 2: a label has 1 to 63 bytes, this one has 0"},
        {PATHS, "path,label\na," LONG_LABEL "\n",
         "line 2: a label has 1 to 63 bytes, this one has 64"},
        {PATHS, "path,label\na,\x1b[2J\n", "line 2: the label has a control character"},
        {PATHS, "path,label\na,\"x\ny\"\n", "line 2: the label has a control character"},
        {PATHS, "path,label\na,\xc0\x80\n", "line 2: the label is not UTF-8"},
        {PATHS, "path,label,subject\na,x,\xff\n", "line 2: the subject is not UTF-8"},
        {PATHS, "path,label,split\na,x,base\nb,x,train\n",
         "line 3: the split is none of base, enrol and test"},
        {PATHS, "path,label,split\na,x,Base\n",
         "line 2: the split is none of base, enrol and test"},
        {PATHS, "path,label\na,x,y\n", "line 2 has 3 fields, the first line has 2"},
        {PATHS, "path,label\na,\"x\n", "line 2: a quote is not closed"},
    };
    struct manifest manifest;
    (void)state;

    for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
        char *text = strdup(examples[i].text);
        assert_int_equal(parse(text, examples[i].images, &manifest), MK_EINPUT);
        assert_string_equal(err_why(), examples[i].why);
        free(text);
    }
}

static void a_subject_has_at_most_512_bytes(void **state)
{
    static const char before[] = "index,subject\n1,";
    struct manifest manifest;
    (void)state;

    for (size_t len = 512; len <= 513; len++) {
        char text[600] = "";
        strcpy(text, before);
        memset(text + strlen(before), 'a', len);
        if (len > SUBJECT_MAX) {
            assert_int_equal(parse(text, IMAGES, &manifest), MK_EINPUT);
            continue;
        }
        assert_ok(parse(text, IMAGES, &manifest));
        assert_int_equal(manifest.sample[0].subject.len, len);
        manifest_done(&manifest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_may_stand_in_any_order),
        cmocka_unit_test(a_row_of_paths_says_all_there_is_to_say),
        cmocka_unit_test(what_is_no_row_is_refused_with_its_line),
        cmocka_unit_test(a_subject_has_at_most_512_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

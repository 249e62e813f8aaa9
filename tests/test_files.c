/* SPDX-License-Identifier: Apache-2.0 */
/* Files, read whole: only regular ones, and only up to the limit. */
#include "tests/check.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/files.h"

static char folder[] = "munkeyd-files-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || chdir(folder) < 0)
        return -1;
    FILE *f = fopen("five", "w");
    fputs("12345", f);
    fclose(f);
    return symlink("five", "link") | mkfifo("pipe", 0600) | mkdir("folder", 0700);
}

static int remove_folder(void **state)
{
    (void)state;
    return unlink("five") | unlink("link") | unlink("pipe") | rmdir("folder") |
           chdir("..") | rmdir(folder);
}

static void a_file_is_read_whole(void **state)
{
    uint8_t *bytes;
    size_t len;
    (void)state;

    assert_ok(file_read("five", 5, &bytes, &len));
    assert_int_equal(len, 5);
    assert_string_equal((char *)bytes, "12345");
    free(bytes);
}

static void what_is_no_file_of_that_size_is_refused(void **state)
{
    static const struct {
        const char *path;
        int rc;
        const char *why;
    } examples[] = {
        {"five", MK_ETOOBIG, "five has 5 bytes, and the limit is 4"},
        {"link", MK_EIO, "link is a symbolic link; name the file itself"},
        {"pipe", MK_EIO, "pipe is no regular file"},
        {"folder", MK_EIO, "folder is no regular file"},
        {"nothing", MK_EIO, "cannot open nothing: No such file or directory"},
    };
    uint8_t *bytes;
    size_t len;
    (void)state;

    for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
        assert_int_equal(file_read(examples[i].path, 4, &bytes, &len), examples[i].rc);
        assert_string_equal(err_why(), examples[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_whole),
        cmocka_unit_test(what_is_no_file_of_that_size_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

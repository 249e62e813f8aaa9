/* SPDX-License-Identifier: Apache-2.0 */
/* File systems that keep copies of what is overwritten are told apart. */
#include "tests/check.h"

#include <fcntl.h>
#include <unistd.h>

#include "storage/filesystem.h"

static void a_journal_of_contents_is_seen_for_its_own_device_only(void **unused)
{
    (void)unused;
    char text[] =
        "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,errors=remount-ro\n"
        "30 22 254:16 / /srv rw shared:2 - ext4 /dev/vdb rw,data=journal\n"
        "31 22 0:25 / /tmp rw - tmpfs tmpfs rw\n";
    const struct {
        unsigned major, minor;
        bool journals;
    } device[] = {{254, 0, false}, {254, 16, true}, {254, 1, false}, {0, 25, false}};
    for (size_t i = 0; i < ARRAY_SIZE(device); i++) {
        FILE *mountinfo = fmemopen(text, sizeof text - 1, "r");
        assert_int_equal(
            filesystem_journals_data(mountinfo, device[i].major, device[i].minor),
            device[i].journals);
        fclose(mountinfo);
    }
}

static void a_file_system_without_a_disk_under_it_is_warned_of(void **unused)
{
    (void)unused;
    const char *warning = "";
    int proc = open("/proc", O_RDONLY | O_DIRECTORY);
    assert_ok(filesystem_check(proc, &warning));
    assert_non_null(strstr(warning, "other than ext4"));
    close(proc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_journal_of_contents_is_seen_for_its_own_device_only),
        cmocka_unit_test(a_file_system_without_a_disk_under_it_is_warned_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

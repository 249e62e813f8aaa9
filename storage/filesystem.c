/* SPDX-License-Identifier: Apache-2.0 */
/* Whether overwriting a file overwrites what the disk holds of it. */
#include "storage/filesystem.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "core/err.h"

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

bool filesystem_journals_data(FILE *mountinfo, unsigned major, unsigned minor)
{
    char line[4096];
    unsigned id, parent, line_major, line_minor;
    bool found = false;
    while (fgets(line, sizeof line, mountinfo))
        if (sscanf(line, "%u %u %u:%u", &id, &parent, &line_major, &line_minor) == 4 &&
            line_major == major && line_minor == minor)
            found |= strstr(line, "data=journal") != NULL;
    return found;
}

static bool journals_data(int folder)
{
    struct stat st;
    FILE *mountinfo = fopen("/proc/self/mountinfo", "re");
    bool found = mountinfo && fstat(folder, &st) == 0 &&
                 filesystem_journals_data(mountinfo, major(st.st_dev), minor(st.st_dev));
    if (mountinfo)
        fclose(mountinfo);
    return found;
}

int filesystem_check(int folder, const char **ret_warning)
{
    struct statfs fs;
    bool known = fstatfs(folder, &fs) == 0 &&
                 (fs.f_type == EXT4_SUPER_MAGIC || fs.f_type == XFS_SUPER_MAGIC ||
                  fs.f_type == TMPFS_MAGIC);
    if (known && journals_data(folder))
        return fail(MK_EREFUSED,
                    "the state folder's file system is mounted with data=journal "
                    "and keeps copies of what is overwritten: mount it with "
                    "data=ordered");
    *ret_warning =
        known ? NULL
              : "the state folder is on a file system other than ext4 and xfs: "
                "overwritten bytes may stay on the disk, unreadable without their "
                "keys";
    return 0;
}

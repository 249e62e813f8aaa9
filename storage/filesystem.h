/* SPDX-License-Identifier: Apache-2.0 */
/* Whether overwriting a file overwrites what the disk holds of it. */
#ifndef MUNKEY_STORAGE_FILESYSTEM_H
#define MUNKEY_STORAGE_FILESYSTEM_H

#include <stdbool.h>
#include <stdio.h>

/* NULL when folder, an open descriptor, lies on a file system known to overwrite in place, or
 * a sentence for the log.  MK_EREFUSED: ext4 with data=journal, which keeps copies of all
 * contents in its journal. */
int filesystem_check(int folder, const char **ret_warning);

/* Whether mountinfo (proc(5)) says data=journal of device major:minor. */
bool filesystem_journals_data(FILE *mountinfo, unsigned major, unsigned minor);

#endif

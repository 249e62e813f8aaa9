/* SPDX-License-Identifier: Apache-2.0 */
/* Small files that are there whole or not at all: keys.
 *
 *     disk_write(path, bytes, len);         fsynced; beside its place first, then renamed
 *     disk_read(path, &bytes, &len);
 *     disk_free(bytes, len);                wiped
 */
#ifndef MUNKEY_STORAGE_DISK_H
#define MUNKEY_STORAGE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { DISK_FILE_MAX = 65536, FOLDER_MAX = 3072, PATH_SIZE = 4096 };

/* Mode 0600; the folder is fsynced too.  MK_EIO. */
int disk_write(const char *path, const void *bytes, size_t len);

/* An empty file of mode 0600, where there is none yet.  MK_EREFUSED. */
int disk_create(const char *path);

/* Syncs a file, gives it its name in place of any other file, and syncs the folders.  MK_EIO. */
int disk_move(const char *from, const char *to);

/* NUL-terminated; at most DISK_FILE_MAX bytes.  MK_ENOTFOUND, MK_EIO. */
int disk_read(const char *path, char **ret_bytes, size_t *ret_len);
void disk_free(char *bytes, size_t len);

/* Overwrites bytes from to to with zeros, and syncs.  false: errno says why. */
bool disk_zero(int fd, off_t from, off_t to);

/* Overwrites a file with zeros, then removes it; one that is not there is fine.  MK_EIO. */
int disk_destroy(const char *path);

/* Puts next into the place of live and destroys what was live, which is called old meanwhile: at
 * every moment live is whole, and a crash is finished by doing it again or, once next is gone, by
 * disk_destroy(old).  MK_EIO. */
int disk_supersede(const char *live, const char *next, const char *old);

/* Whether there is a file of this name, were it a link that leads nowhere. */
bool disk_exists(const char *path);

/* Copies a file into a new one of mode 0600, and syncs it.  MK_EREFUSED, MK_EIO. */
int disk_copy(const char *from, const char *to);

/* Mode 0700; one that is there already is fine.  MK_EIO. */
int disk_make_folder(const char *path);
int disk_sync_folder(const char *path);

/* folder/name, or a failure when that is too long. */
int disk_path(const char *folder, const char *name, char ret_path[static PATH_SIZE]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of class folders, as the manifest that somebody would have written of it.
 *
 *     flowers/daisy/1.jpg                    flowers/train/daisy/1.jpg
 *     flowers/rose/1.jpg                     flowers/test/daisy/2.jpg
 *
 *     rc = folder_list("flowers", &text, &len);       path,label,split
 *     rc = manifest_parse(text, len, 0, &manifest);
 */
#ifndef MUNKEY_DAEMON_FOLDER_H
#define MUNKEY_DAEMON_FOLDER_H

#include <stddef.h>

/* In the byte order of names.  Files beside class folders and names that begin with a dot are
 * left out.  The caller frees the text, which a zero byte follows.  MK_EIO; MK_EINPUT: no class
 * folder, or a folder in one. */
int folder_list(const char *path, char **ret_text, size_t *ret_len);

#endif

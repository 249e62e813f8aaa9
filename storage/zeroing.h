/* SPDX-License-Identifier: Apache-2.0 */
/* An allocator that zeroes what it frees, for SQLite: its pages and values are copies of ours.
 * The sizes are int because SQLite's are. */
#ifndef MUNKEY_STORAGE_ZEROING_H
#define MUNKEY_STORAGE_ZEROING_H

void *zeroing_malloc(int size);
void zeroing_free(void *memory);
/* Never in place, and the old block is zeroed. */
void *zeroing_realloc(void *memory, int size);
int zeroing_size(void *memory);
int zeroing_roundup(int size);
int zeroing_init(void *unused); /* there is nothing to do: 0 */
void zeroing_shutdown(void *unused);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Allocators that zero what they free, for libraries whose buffers are copies of ours. */
#ifndef MUNKEY_STORAGE_ZEROING_H
#define MUNKEY_STORAGE_ZEROING_H

/* For what malloc() or calloc() gave. */
void free_zeroed(void *memory);

/* SQLite's: the sizes are int because its are. */
void *zeroing_malloc(int size);
void zeroing_free(void *memory);
/* Never in place, and the old block is zeroed. */
void *zeroing_realloc(void *memory, int size);
int zeroing_size(void *memory);
int zeroing_roundup(int size);
int zeroing_init(void *unused); /* there is nothing to do: 0 */
void zeroing_shutdown(void *unused);

#endif

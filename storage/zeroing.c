/* SPDX-License-Identifier: Apache-2.0 */
/* Allocators that zero what they free.  SQLite asks for the size that it asked for: each of its
 * blocks follows a header with it. */
#include "storage/zeroing.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "storage/crypto.h"

enum { HEADER = 16 }; /* keeps malloc's alignment */

void free_zeroed(void *memory)
{
    if (memory)
        crypto_wipe(memory, malloc_usable_size(memory));
    free(memory);
}

void *zeroing_malloc(int size)
{
    char *block = malloc(HEADER + (size_t)size);
    if (!block)
        return NULL;
    memcpy(block, &size, sizeof size);
    return block + HEADER;
}

int zeroing_size(void *memory)
{
    int size = 0;
    if (memory)
        memcpy(&size, (char *)memory - HEADER, sizeof size);
    return size;
}

void zeroing_free(void *memory)
{
    if (!memory)
        return;
    crypto_wipe(memory, (size_t)zeroing_size(memory));
    free((char *)memory - HEADER);
}

void *zeroing_realloc(void *memory, int size)
{
    int old = zeroing_size(memory);
    void *grown = zeroing_malloc(size);
    if (!grown)
        return NULL;
    memcpy(grown, memory, (size_t)(old < size ? old : size));
    zeroing_free(memory);
    return grown;
}

int zeroing_roundup(int size)
{
    return (size + 7) & ~7;
}

int zeroing_init(void *unused)
{
    (void)unused;
    return 0;
}

void zeroing_shutdown(void *unused)
{
    (void)unused;
}

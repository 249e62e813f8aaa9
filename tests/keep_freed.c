/* SPDX-License-Identifier: Apache-2.0 */
/* For LD_PRELOAD: nothing that is freed is used again, so that whatever was not wiped before
 * is still there to be found, and not by chance. */
#include <malloc.h>
#include <string.h>

void free(void *memory)
{
    (void)memory;
}

/* Always to another place: "never grown by realloc, which leaves the old copy behind". */
void *realloc(void *memory, size_t size)
{
    size_t old = memory ? malloc_usable_size(memory) : 0;
    void *grown = malloc(size);
    if (grown && old > 0)
        memcpy(grown, memory, old < size ? old : size);
    return grown;
}

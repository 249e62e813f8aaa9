/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for what is personal. */
#include "core/hidden.h"

#include <sys/mman.h>

void *hidden_new(size_t size)
{
    void *mapping = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED)
        return NULL;
    madvise(mapping, size, MADV_DONTDUMP);
    madvise(mapping, size, MADV_DONTFORK);
    return mapping;
}

void hidden_free(void *mapping, size_t size)
{
    munmap(mapping, size);
}

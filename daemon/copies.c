/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a data set that are byte for byte the same. */
#include "daemon/copies.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

enum { FILE_DIGEST = 32 };

struct copy {
    const uint8_t *digest; /* (FILE_DIGEST) */
    bool *seen;
};

/* Of equal files, those that were seen come first. */
static int by_digest(const void *a, const void *b)
{
    const struct copy *x = a, *y = b;
    const int order = memcmp(x->digest, y->digest, FILE_DIGEST);

    return order ? order : (int)*y->seen - (int)*x->seen;
}

int copies_spread(const struct dataset *data, bool *seen)
{
    struct copy *copy;

    if (!data->digest)
        return 0;
    if (!(copy = calloc(data->n, sizeof *copy)))
        return fail(MK_ENOMEM, "no memory for %zu digests", data->n);
    for (size_t i = 0; i < data->n; i++)
        copy[i] = (struct copy){data->digest[data->sample[i].row], &seen[i]};
    qsort(copy, data->n, sizeof *copy, by_digest);
    for (size_t i = 1; i < data->n; i++)
        if (memcmp(copy[i - 1].digest, copy[i].digest, FILE_DIGEST) == 0)
            *copy[i].seen |= *copy[i - 1].seen;
    free(copy);
    return 0;
}

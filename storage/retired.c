/* SPDX-License-Identifier: Apache-2.0 */
/* The public keys that have signed before. */
#include "storage/retired.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/disk.h"
#include "storage/encode.h"

enum { LINE_SIZE = HEX_SIZE(ED25519_SIZE) }; /* the newline in the place of the NUL */

static int parse(const char *text, size_t len, struct retired *ret_retired)
{
    struct retired retired = {.n = len / LINE_SIZE};
    bool ok = len % LINE_SIZE == 0;
    if (!(retired.key = calloc(retired.n + 1, sizeof *retired.key)))
        return fail(MK_ENOMEM, "no memory for retired keys");
    for (size_t i = 0; ok && i < retired.n; i++) {
        const char *line = text + i * LINE_SIZE;
        ok = line[LINE_SIZE - 1] == '\n' &&
             hex_decode(line, LINE_SIZE - 1, retired.key[i], ED25519_SIZE) == 0;
    }
    if (!ok) {
        retired_done(&retired);
        return fail(MK_EREFUSED, "a file of keys/retired is damaged: put it back");
    }
    *ret_retired = retired;
    return 0;
}

int retired_read(const char *path, struct retired *ret_retired)
{
    char *text = NULL;
    size_t len = 0;
    int rc = disk_read(path, &text, &len);
    if (rc < 0 && rc != MK_ENOTFOUND)
        return rc;
    rc = parse(text, len, ret_retired);
    free(text);
    return rc;
}

static int write_file(const char *path, const struct retired *retired)
{
    char *text = calloc(retired->n, LINE_SIZE);
    if (!text)
        return fail(MK_ENOMEM, "no memory for retired keys");
    for (size_t i = 0; i < retired->n; i++) {
        hex_encode(retired->key[i], ED25519_SIZE, text + i * LINE_SIZE);
        text[(i + 1) * LINE_SIZE - 1] = '\n';
    }
    int rc = disk_write(path, text, retired->n * LINE_SIZE);
    free(text);
    return rc;
}

int retired_add(const char *path, struct retired *retired,
                const uint8_t key[static ED25519_SIZE])
{
    for (size_t i = 0; i < retired->n; i++)
        if (memcmp(retired->key[i], key, ED25519_SIZE) == 0)
            return 0;
    if (retired->n == RETIRED_MAX)
        return fail(MK_ECONFLICT, "there are %d retired keys, and no more can be kept",
                    RETIRED_MAX);
    uint8_t(*keys)[ED25519_SIZE] = realloc(retired->key, (retired->n + 1) * sizeof *keys);
    if (!keys)
        return fail(MK_ENOMEM, "no memory for retired keys");
    memcpy(keys[retired->n], key, ED25519_SIZE);
    *retired = (struct retired){keys, retired->n + 1};
    int rc = write_file(path, retired);
    retired->n -= rc < 0;
    return rc;
}

void retired_done(struct retired *retired)
{
    free(retired->key);
    *retired = (struct retired){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The paths of tiles (C2SP tlog-tiles). */
#include "storage/tile.h"

#include <stddef.h>
#include <string.h>

#include "core/err.h"

enum { GROUP_DIGITS = 3, GROUPS_MAX = 5 };

/* Exactly n digits, or fails without having moved. */
static bool read_digits(const char **at, size_t n, unsigned *ret_number)
{
    unsigned number = 0;
    if (strspn(*at, "0123456789") < n)
        return false;
    for (size_t i = 0; i < n; i++)
        number = 10 * number + (unsigned)((*at)[i] - '0');
    *at += n;
    *ret_number = number;
    return true;
}

/* A decimal number below 1000 without leading zeroes. */
static bool read_number(const char **at, unsigned *ret_number)
{
    size_t n = strspn(*at, "0123456789");
    return n > 0 && n <= GROUP_DIGITS && (**at != '0' || n == 1) &&
           read_digits(at, n, ret_number);
}

static bool skip(const char **at, const char *word)
{
    size_t len = strlen(word);
    bool there = strncmp(*at, word, len) == 0;
    *at += there ? len : 0;
    return there;
}

/* "3-digit path elements ... all but the last path element beginning with an x" */
static bool read_index(const char **at, uint64_t *ret_index)
{
    uint64_t index = 0;
    for (int groups = 0; groups < GROUPS_MAX; groups++) {
        unsigned group;
        bool more = skip(at, "x");
        if (!read_digits(at, GROUP_DIGITS, &group) ||
            (more && (!skip(at, "/") || (groups == 0 && group == 0))))
            return false;
        index = 1000 * index + group;
        if (!more) {
            *ret_index = index;
            return true;
        }
    }
    return false;
}

int tile_parse(const char *path, struct tile *ret_tile)
{
    const char *at = path;
    struct tile tile = {.width = TILE_WIDTH};
    tile.entries = skip(&at, "entries/");
    bool ok = (tile.entries || (read_number(&at, &tile.level) && skip(&at, "/"))) &&
              read_index(&at, &tile.index);
    if (ok && skip(&at, ".p/"))
        ok = read_number(&at, &tile.width) && tile.width > 0 && tile.width < TILE_WIDTH;
    if (!ok || *at)
        return fail(MK_EINPUT,
                    "a tile is LEVEL/N or entries/N, and .p/WIDTH (1 to 255) when it is "
                    "partial; N is written as 067 or x001/x234/067");
    *ret_tile = tile;
    return 0;
}

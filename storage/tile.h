/* SPDX-License-Identifier: Apache-2.0 */
/* The paths of tiles (C2SP tlog-tiles): the log in pieces of 256 that never change.
 *
 *     rc = tile_parse("0/x001/x234/067.p/8", &tile);       level 0, index 1234067, 8 hashes
 *     rc = tile_parse("entries/000", &tile);               256 entries
 */
#ifndef MUNKEY_STORAGE_TILE_H
#define MUNKEY_STORAGE_TILE_H

#include <stdbool.h>
#include <stdint.h>

enum { TILE_WIDTH = 256, TILE_HEIGHT = 8 /* levels of the tree in one of tiles */ };

struct tile {
    bool entries; /* of entries, else of hashes */
    unsigned
        level; /* of the tiling: its hashes stand TILE_HEIGHT * level above the leaves */
    uint64_t index;
    unsigned width; /* TILE_WIDTH when it is full */
};

/* One tile has one path.  MK_EINPUT. */
int tile_parse(const char *path, struct tile *ret_tile);

#endif

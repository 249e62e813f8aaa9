/* SPDX-License-Identifier: Apache-2.0 */
/* A Merkle tree in RAM, for those who have the log and not its database.
 *
 *     struct tree tree = {0};
 *     rc = tree_append(&tree, leaf);
 *     rc = tree_root(&tree, size, root);        of any size up to tree.n
 *     tree_done(&tree);
 */
#ifndef MUNKEY_STORAGE_TREE_H
#define MUNKEY_STORAGE_TREE_H

#include "storage/merkle.h"

enum { TREE_LEVELS = 64 };

struct tree {
    uint64_t n; /* leaves */
    struct {
        uint8_t (*hash)[SHA256_SIZE]; /* (n, room): complete nodes */
        uint64_t n, room;
    } level[TREE_LEVELS];
};

int tree_append(struct tree *tree,
                const uint8_t leaf[static SHA256_SIZE]); /* MK_ENOMEM */
int tree_root(struct tree *tree, uint64_t size, uint8_t ret_root[static SHA256_SIZE]);
/* The index of a leaf, or tree->n when it is none of the tree's. */
uint64_t tree_find(const struct tree *tree, const uint8_t leaf[static SHA256_SIZE]);
void tree_done(struct tree *tree);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A Merkle tree in RAM: the complete nodes of each level. */
#include "storage/tree.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

static int read_node(void *context, unsigned level, uint64_t index,
                     uint8_t ret_hash[static SHA256_SIZE])
{
    const struct tree *tree = context;
    if (level >= TREE_LEVELS || index >= tree->level[level].n)
        return fail(MK_ENOTFOUND, "the tree is smaller");
    memcpy(ret_hash, tree->level[level].hash[index], SHA256_SIZE);
    return 0;
}

static int add_node(struct tree *tree, const struct merkle_node *node)
{
    typeof(&tree->level[0]) level = &tree->level[node->level];
    if (level->n == level->room) {
        uint64_t room = level->room ? 2 * level->room : 64;
        void *hash = realloc(level->hash, room * sizeof *level->hash);
        if (!hash)
            return fail(MK_ENOMEM, "no memory for a tree");
        level->hash = hash;
        level->room = room;
    }
    memcpy(level->hash[level->n++], node->hash, SHA256_SIZE);
    return 0;
}

int tree_append(struct tree *tree, const uint8_t leaf[static SHA256_SIZE])
{
    struct merkle view = {read_node, tree};
    struct merkle_node node[MERKLE_PATH_MAX];
    size_t n = 0;
    int rc = merkle_append(&view, tree->n, leaf, node, &n);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = add_node(tree, &node[i]);
    tree->n += rc == 0;
    return rc;
}

int tree_root(struct tree *tree, uint64_t size, uint8_t ret_root[static SHA256_SIZE])
{
    struct merkle view = {read_node, tree};
    return merkle_root(&view, size, ret_root);
}

uint64_t tree_find(const struct tree *tree, const uint8_t leaf[static SHA256_SIZE])
{
    uint64_t index = 0;
    while (index < tree->n && memcmp(tree->level[0].hash[index], leaf, SHA256_SIZE) != 0)
        index++;
    return index;
}

void tree_done(struct tree *tree)
{
    for (size_t i = 0; i < TREE_LEVELS; i++)
        free(tree->level[i].hash);
    *tree = (struct tree){0};
}

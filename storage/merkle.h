/* SPDX-License-Identifier: Apache-2.0 */
/* The Merkle tree of RFC 6962 (RFC 9162, section 2.1), as pure functions: somebody else
 * keeps the nodes.
 *
 *     struct merkle tree = {read_node, store};
 *     merkle_leaf(entry, len, leaf);
 *     merkle_append(&tree, size, leaf, nodes, &n);     n new nodes to store, leaf first
 *     merkle_root(&tree, size + 1, root);
 *     merkle_inclusion(&tree, index, size + 1, &path);
 *     assert(merkle_included(leaf, index, size + 1, &path, root));
 *
 * Node (level, index) is the root of the complete subtree over the leaves index << level
 * up to (index + 1) << level.  Only complete nodes are stored: they never change.
 */
#ifndef MUNKEY_STORAGE_MERKLE_H
#define MUNKEY_STORAGE_MERKLE_H

#include "storage/crypto.h"

enum { MERKLE_PATH_MAX = 65 }; /* hashes in a proof */

/* Reads one complete node; 0 or an error, which is handed up as it is. */
typedef int merkle_read(void *context, unsigned level, uint64_t index,
                        uint8_t ret_hash[static SHA256_SIZE]);
struct merkle {
    merkle_read *read;
    void *context;
};

struct merkle_node {
    unsigned level;
    uint64_t index;
    uint8_t hash[SHA256_SIZE];
};

/* A proof: the hashes in the order in which RFC 9162 lists them. */
struct merkle_path {
    size_t n;
    uint8_t hash[MERKLE_PATH_MAX][SHA256_SIZE];
};

void merkle_leaf(const void *entry, size_t len, uint8_t ret_hash[static SHA256_SIZE]);
void merkle_parent(const uint8_t left[static SHA256_SIZE],
                   const uint8_t right[static SHA256_SIZE],
                   uint8_t ret_hash[static SHA256_SIZE]);

/* The nodes that leaf number size completes, itself (level 0) first. */
int merkle_append(const struct merkle *tree, uint64_t size,
                  const uint8_t leaf[static SHA256_SIZE],
                  struct merkle_node ret_nodes[static MERKLE_PATH_MAX], size_t *ret_n);

/* The root over the first size leaves. */
int merkle_root(const struct merkle *tree, uint64_t size,
                uint8_t ret_root[static SHA256_SIZE]);

/* MK_ENOTFOUND unless index < size, and from <= to. */
int merkle_inclusion(const struct merkle *tree, uint64_t index, uint64_t size,
                     struct merkle_path *ret_path);
int merkle_consistency(const struct merkle *tree, uint64_t from, uint64_t to,
                       struct merkle_path *ret_path);

/* What a verifier computes, without the tree (RFC 9162, 2.1.3.2 and 2.1.4.2). */
bool merkle_included(const uint8_t leaf[static SHA256_SIZE], uint64_t index,
                     uint64_t size, const struct merkle_path *path,
                     const uint8_t root[static SHA256_SIZE]);
bool merkle_consistent(uint64_t from, uint64_t to, const struct merkle_path *path,
                       const uint8_t from_root[static SHA256_SIZE],
                       const uint8_t to_root[static SHA256_SIZE]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The Merkle tree of RFC 6962 and RFC 9162, section 2.1. */
#include "storage/merkle.h"

#include <string.h>

#include "core/err.h"

/* "leaf inputs ... prepended with 0x00 ... nodes with 0x01": domain separation, without
 * which a node could be passed off as a leaf (RFC 9162, 2.1.1). */
void merkle_leaf(const void *entry, size_t len, uint8_t ret_hash[static SHA256_SIZE])
{
    crypto_sha256_parts((struct bytes[]){{"\x00", 1}, {entry, len}}, 2, ret_hash);
}

void merkle_parent(const uint8_t left[static SHA256_SIZE],
                   const uint8_t right[static SHA256_SIZE],
                   uint8_t ret_hash[static SHA256_SIZE])
{
    crypto_sha256_parts(
        (struct bytes[]){{"\x01", 1}, {left, SHA256_SIZE}, {right, SHA256_SIZE}}, 3,
        ret_hash);
}

static bool is_power_of_two(uint64_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

/* "k be the largest power of two smaller than n"; n > 1. */
static uint64_t split(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

int merkle_append(const struct merkle *tree, uint64_t size,
                  const uint8_t leaf[static SHA256_SIZE],
                  struct merkle_node ret_nodes[static MERKLE_PATH_MAX], size_t *ret_n)
{
    struct merkle_node node = {.level = 0, .index = size};
    memcpy(node.hash, leaf, SHA256_SIZE);
    ret_nodes[0] = node;
    size_t n = 1;
    /* A right child completes its parent. */
    while (node.index & 1) {
        uint8_t left[SHA256_SIZE];
        int rc = tree->read(tree->context, node.level, node.index - 1, left);
        if (rc < 0)
            return rc;
        merkle_parent(left, node.hash, node.hash);
        node.level++;
        node.index >>= 1;
        ret_nodes[n++] = node;
    }
    *ret_n = n;
    return 0;
}

/* MTH(D[begin:begin + n]), n > 0; begin is a multiple of a power of two that is at least
 * n. */
static int range(const struct merkle *tree, uint64_t begin, uint64_t n,
                 uint8_t ret_hash[static SHA256_SIZE])
{
    if (is_power_of_two(n)) {
        unsigned level = (unsigned)__builtin_ctzll(n);
        return tree->read(tree->context, level, begin >> level, ret_hash);
    }
    uint8_t left[SHA256_SIZE], right[SHA256_SIZE];
    uint64_t k = split(n);
    int rc = range(tree, begin, k, left);
    if (rc == 0)
        rc = range(tree, begin + k, n - k, right);
    if (rc == 0)
        merkle_parent(left, right, ret_hash);
    return rc;
}

int merkle_root(const struct merkle *tree, uint64_t size,
                uint8_t ret_root[static SHA256_SIZE])
{
    if (size > 0)
        return range(tree, 0, size, ret_root);
    crypto_sha256(
        "", 0, ret_root); /* "The hash of an empty list is the hash of an empty string" */
    return 0;
}

static int append_range(const struct merkle *tree, uint64_t begin, uint64_t n,
                        struct merkle_path *path)
{
    int rc = range(tree, begin, n, path->hash[path->n]);
    if (rc == 0)
        path->n++;
    return rc;
}

/* PATH(m, D[begin:begin + n]) of RFC 9162, 2.1.3.1. */
static int inclusion(const struct merkle *tree, uint64_t m, uint64_t begin, uint64_t n,
                     struct merkle_path *path)
{
    if (n == 1)
        return 0;
    uint64_t k = split(n);
    if (m < k) {
        int rc = inclusion(tree, m, begin, k, path);
        return rc < 0 ? rc : append_range(tree, begin + k, n - k, path);
    }
    int rc = inclusion(tree, m - k, begin + k, n - k, path);
    return rc < 0 ? rc : append_range(tree, begin, k, path);
}

int merkle_inclusion(const struct merkle *tree, uint64_t index, uint64_t size,
                     struct merkle_path *ret_path)
{
    if (index >= size)
        return fail(MK_ENOTFOUND, "the log has %llu entries, counted from 0",
                    (unsigned long long)size);
    ret_path->n = 0;
    return inclusion(tree, index, 0, size, ret_path);
}

/* SUBPROOF(m, D[begin:begin + n], whole) of RFC 9162, 2.1.4.1. */
static int consistency(const struct merkle *tree, uint64_t m, uint64_t begin, uint64_t n,
                       bool whole, struct merkle_path *path)
{
    if (m == n)
        return whole ? 0 : append_range(tree, begin, n, path);
    uint64_t k = split(n);
    if (m <= k) {
        int rc = consistency(tree, m, begin, k, whole, path);
        return rc < 0 ? rc : append_range(tree, begin + k, n - k, path);
    }
    int rc = consistency(tree, m - k, begin + k, n - k, false, path);
    return rc < 0 ? rc : append_range(tree, begin, k, path);
}

int merkle_consistency(const struct merkle *tree, uint64_t from, uint64_t to,
                       struct merkle_path *ret_path)
{
    if (from > to)
        return fail(MK_ENOTFOUND, "from has to be at most to");
    ret_path->n = 0;
    return from == 0 ? 0 : consistency(tree, from, 0, to, true, ret_path);
}

/* One step of a verifier's walk to the root: which side the next hash is on. */
struct walk {
    uint64_t fn, sn; /* the names of RFC 9162 */
};

/* Whether the next hash is a left sibling; moves to the parent. */
static bool walk_up(struct walk *walk)
{
    bool left = (walk->fn & 1) || walk->fn == walk->sn;
    if (left && !(walk->fn & 1)) {
        /* "right-shift both fn and sn equally until either LSB(fn) is set or fn is 0" */
        while (walk->fn != 0 && !(walk->fn & 1)) {
            walk->fn >>= 1;
            walk->sn >>= 1;
        }
    }
    walk->fn >>= 1;
    walk->sn >>= 1;
    return left;
}

bool merkle_included(const uint8_t leaf[static SHA256_SIZE], uint64_t index,
                     uint64_t size, const struct merkle_path *path,
                     const uint8_t root[static SHA256_SIZE])
{
    if (index >= size)
        return false;
    struct walk walk = {index, size - 1};
    uint8_t r[SHA256_SIZE];
    memcpy(r, leaf, sizeof r);
    for (size_t i = 0; i < path->n; i++) {
        if (walk.sn == 0)
            return false;
        if (walk_up(&walk))
            merkle_parent(path->hash[i], r, r);
        else
            merkle_parent(r, path->hash[i], r);
    }
    return walk.sn == 0 && memcmp(r, root, sizeof r) == 0;
}

static bool is_empty_root(const uint8_t *root)
{
    uint8_t empty[SHA256_SIZE];
    crypto_sha256("", 0, empty);
    return memcmp(root, empty, sizeof empty) == 0;
}

/* For 0 < from < to; first is the hash that both walks begin with. */
static bool walks_meet(uint64_t from, uint64_t to, const uint8_t (*hash)[SHA256_SIZE],
                       size_t n, const uint8_t *first, const uint8_t *from_root,
                       const uint8_t *to_root)
{
    struct walk walk = {from - 1, to - 1};
    while (walk.fn & 1) {
        walk.fn >>= 1;
        walk.sn >>= 1;
    }
    uint8_t fr[SHA256_SIZE], sr[SHA256_SIZE];
    memcpy(fr, first, sizeof fr);
    memcpy(sr, first, sizeof sr);
    for (size_t i = 0; i < n; i++) {
        if (walk.sn == 0)
            return false;
        if (walk_up(&walk)) {
            merkle_parent(hash[i], fr, fr);
            merkle_parent(hash[i], sr, sr);
        } else {
            merkle_parent(sr, hash[i], sr);
        }
    }
    return walk.sn == 0 && memcmp(fr, from_root, sizeof fr) == 0 &&
           memcmp(sr, to_root, sizeof sr) == 0;
}

bool merkle_consistent(uint64_t from, uint64_t to, const struct merkle_path *path,
                       const uint8_t from_root[static SHA256_SIZE],
                       const uint8_t to_root[static SHA256_SIZE])
{
    if (from == to)
        return path->n == 0 && memcmp(from_root, to_root, SHA256_SIZE) == 0;
    if (from == 0 || from > to)
        return from == 0 && path->n == 0 && is_empty_root(from_root);
    /* "If first is an exact power of 2, then prepend first_hash" */
    if (is_power_of_two(from))
        return path->n > 0 &&
               walks_meet(from, to, path->hash, path->n, from_root, from_root, to_root);
    return path->n > 0 && walks_meet(from, to, path->hash + 1, path->n - 1, path->hash[0],
                                     from_root, to_root);
}

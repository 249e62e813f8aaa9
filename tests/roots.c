/* SPDX-License-Identifier: Apache-2.0 */
/* The roots of every prefix of a log. */
#include "tests/roots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/checkpoint.h"

enum { LEVELS = 20 };

struct roots {
    uint8_t (*node[LEVELS])[SHA256_SIZE]; /* (size >> level) */
    uint64_t size;
};

static int read_node(void *context, unsigned level, uint64_t index,
                     uint8_t ret_hash[static SHA256_SIZE])
{
    struct roots *roots = context;
    memcpy(ret_hash, roots->node[level][index], SHA256_SIZE);
    return 0;
}

static void add(struct roots *roots, const uint8_t *entry, size_t len)
{
    struct merkle tree = {read_node, roots};
    struct merkle_node node[MERKLE_PATH_MAX];
    uint8_t leaf[SHA256_SIZE];
    size_t n = 0;
    merkle_leaf(entry, len, leaf);
    merkle_append(&tree, roots->size++, leaf, node, &n);
    for (size_t i = 0; i < n; i++)
        memcpy(roots->node[node[i].level][node[i].index], node[i].hash, SHA256_SIZE);
}

struct roots *roots_read(const char *path)
{
    FILE *in = fopen(path, "r");
    struct roots *roots = in ? calloc(1, sizeof *roots) : NULL;
    uint8_t header[2], *entry = malloc(UINT16_MAX);
    for (unsigned level = 0; roots && level < LEVELS; level++)
        roots->node[level] = calloc((1 << LEVELS) >> level, SHA256_SIZE);
    while (roots && fread(header, 1, sizeof header, in) == sizeof header) {
        size_t len = (size_t)header[0] << 8 | header[1];
        if (fread(entry, 1, len, in) == len)
            add(roots, entry, len);
    }
    if (in)
        fclose(in);
    free(entry);
    return roots;
}

void roots_free(struct roots *roots)
{
    for (unsigned level = 0; roots && level < LEVELS; level++)
        free(roots->node[level]);
    free(roots);
}

bool roots_agree(const struct roots *roots, const char *proof)
{
    struct merkle tree = {read_node, (void *)roots};
    struct checkpoint checkpoint;
    struct proof parsed;
    uint8_t root[SHA256_SIZE];
    return proof_parse(proof, &parsed) == 0 &&
           checkpoint_parse(parsed.checkpoint, strlen(parsed.checkpoint), &checkpoint) ==
               0 &&
           checkpoint.size <= roots->size &&
           merkle_root(&tree, checkpoint.size, root) == 0 &&
           !memcmp(root, checkpoint.root, SHA256_SIZE);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The Merkle tree against the worked example, and every proof of every small tree. */
#include "tests/vectors.h"

#include "storage/merkle.h"

enum { LEVELS = 8, LEAVES = 1 << (LEVELS - 1) };

/* The complete nodes, as storage keeps them. */
struct nodes {
    uint8_t hash[LEVELS][LEAVES][SHA256_SIZE];
    bool stored[LEVELS][LEAVES];
    uint64_t size;
};

static int read_node(void *context, unsigned level, uint64_t index,
                     uint8_t ret_hash[static SHA256_SIZE])
{
    struct nodes *nodes = context;
    assert_true(level < LEVELS && index < LEAVES && nodes->stored[level][index]);
    memcpy(ret_hash, nodes->hash[level][index], SHA256_SIZE);
    return 0;
}

static int read_fails(void *context, unsigned level, uint64_t index,
                      uint8_t ret_hash[static SHA256_SIZE])
{
    (void)context, (void)level, (void)index, (void)ret_hash;
    return fail(MK_ESTORE, "no node today");
}

static void append(struct nodes *nodes, const uint8_t *leaf)
{
    struct merkle tree = {read_node, nodes};
    struct merkle_node new[MERKLE_PATH_MAX];
    size_t n;
    assert_ok(merkle_append(&tree, nodes->size, leaf, new, &n));
    for (size_t i = 0; i < n; i++) {
        assert_false(nodes->stored[new[i].level][new[i].index]);
        nodes->stored[new[i].level][new[i].index] = true;
        memcpy(nodes->hash[new[i].level][new[i].index], new[i].hash, SHA256_SIZE);
    }
    nodes->size++;
}

static void append_number(struct nodes *nodes)
{
    uint8_t leaf[SHA256_SIZE];
    merkle_leaf(&nodes->size, sizeof nodes->size, leaf);
    append(nodes, leaf);
}

static void append_examples(struct nodes *nodes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t leaf[SHA256_SIZE], expected[SHA256_SIZE];
        const char *entry = vector_at("entries", i);
        merkle_leaf(entry, strlen(entry), leaf);
        vector_hash(vector_at("leaf_hashes", i), expected);
        assert_memory_equal(leaf, expected, SHA256_SIZE);
        append(nodes, leaf);
    }
}

static void assert_path(const struct merkle_path *path, const char *name)
{
    assert_int_equal(path->n, json_array_size(vector(name)));
    for (size_t i = 0; i < path->n; i++) {
        uint8_t expected[SHA256_SIZE];
        vector_hash(vector_at(name, i), expected);
        assert_memory_equal(path->hash[i], expected, SHA256_SIZE);
    }
}

static void root_and_proofs_are_those_of_the_example(void **state)
{
    (void)state;
    struct nodes nodes = {0};
    struct merkle tree = {read_node, &nodes};
    struct merkle_path path;
    uint8_t root[SHA256_SIZE], expected[SHA256_SIZE];
    append_examples(&nodes, 5);
    assert_ok(merkle_root(&tree, 5, root));
    vector_hash(vector_text("root"), expected);
    assert_memory_equal(root, expected, SHA256_SIZE);
    assert_ok(merkle_inclusion(&tree, 3, 5, &path));
    assert_path(&path, "inclusion_3_of_5");
    assert_true(merkle_included(nodes.hash[0][3], 3, 5, &path, root));
    assert_ok(merkle_consistency(&tree, 3, 5, &path));
    assert_path(&path, "consistency_3_to_5");
}

static void the_tile_of_the_example_is_its_leaf_hashes(void **state)
{
    (void)state;
    uint8_t tile[5 * SHA256_SIZE], leaf[SHA256_SIZE];
    const char *hex = vector_text("tile_0_000_p5_hex");
    assert_ok(hex_decode(hex, strlen(hex), tile, sizeof tile));
    for (size_t i = 0; i < 5; i++) {
        vector_hash(vector_at("leaf_hashes", i), leaf);
        assert_memory_equal(tile + i * SHA256_SIZE, leaf, SHA256_SIZE);
    }
}

static void the_empty_root_is_the_hash_of_nothing(void **state)
{
    (void)state;
    struct merkle tree = {read_fails, NULL};
    uint8_t root[SHA256_SIZE], expected[SHA256_SIZE];
    assert_ok(merkle_root(&tree, 0, root));
    crypto_sha256("", 0, expected);
    assert_memory_equal(root, expected, SHA256_SIZE);
}

static void every_inclusion_proof_of_small_trees_holds_for_its_leaf_alone(void **state)
{
    (void)state;
    struct nodes nodes = {0};
    struct merkle tree = {read_node, &nodes};
    for (uint64_t size = 1; size <= 40; size++) {
        uint8_t root[SHA256_SIZE];
        append_number(&nodes);
        assert_ok(merkle_root(&tree, size, root));
        for (uint64_t index = 0; index < size; index++) {
            struct merkle_path path;
            assert_ok(merkle_inclusion(&tree, index, size, &path));
            for (uint64_t other = 0; other < size; other++)
                assert_int_equal(
                    merkle_included(nodes.hash[0][index], other, size, &path, root),
                    other == index);
            assert_false(merkle_included(nodes.hash[0][(index + 1) % LEAVES], index, size,
                                         &path, root));
        }
    }
}

static void every_consistency_proof_of_small_trees_holds(void **state)
{
    (void)state;
    struct nodes nodes = {0};
    struct merkle tree = {read_node, &nodes};
    uint8_t root[41][SHA256_SIZE];
    assert_ok(merkle_root(&tree, 0, root[0]));
    for (uint64_t size = 1; size <= 40; size++) {
        append_number(&nodes);
        assert_ok(merkle_root(&tree, size, root[size]));
        for (uint64_t from = 0; from <= size; from++) {
            struct merkle_path path;
            assert_ok(merkle_consistency(&tree, from, size, &path));
            assert_true(merkle_consistent(from, size, &path, root[from], root[size]));
            uint64_t other = from == 0 ? 1 : from - 1;
            assert_false(merkle_consistent(from, size, &path, root[other], root[size]));
            /* Every tree is a continuation of the empty one. */
            assert_int_equal(
                merkle_consistent(from, size, &path, root[from], root[size - 1]),
                from == 0);
        }
    }
}

static void a_changed_proof_proves_nothing(void **state)
{
    (void)state;
    struct nodes nodes = {0};
    struct merkle tree = {read_node, &nodes};
    struct merkle_path path;
    uint8_t root[SHA256_SIZE], old_root[SHA256_SIZE];
    for (int i = 0; i < 13; i++)
        append_number(&nodes);
    assert_ok(merkle_root(&tree, 13, root));
    assert_ok(merkle_root(&tree, 6, old_root));
    assert_ok(merkle_inclusion(&tree, 6, 13, &path));
    for (size_t i = 0; i < path.n * SHA256_SIZE; i++) {
        path.hash[i / SHA256_SIZE][i % SHA256_SIZE] ^= 8;
        assert_false(merkle_included(nodes.hash[0][6], 6, 13, &path, root));
        path.hash[i / SHA256_SIZE][i % SHA256_SIZE] ^= 8;
    }
    path.n++;
    assert_false(merkle_included(nodes.hash[0][6], 6, 13, &path, root));
    path.n -= 2;
    assert_false(merkle_included(nodes.hash[0][6], 6, 13, &path, root));
    assert_ok(merkle_consistency(&tree, 6, 13, &path));
    for (size_t i = 0; i < path.n * SHA256_SIZE; i++) {
        path.hash[i / SHA256_SIZE][i % SHA256_SIZE] ^= 8;
        assert_false(merkle_consistent(6, 13, &path, old_root, root));
        path.hash[i / SHA256_SIZE][i % SHA256_SIZE] ^= 8;
    }
    path.n--;
    assert_false(merkle_consistent(6, 13, &path, old_root, root));
    path.n = 0;
    assert_false(merkle_consistent(6, 13, &path, old_root, root));
}

static void a_proof_beyond_the_log_is_not_found(void **state)
{
    (void)state;
    struct nodes nodes = {0};
    struct merkle tree = {read_node, &nodes};
    struct merkle_path path;
    uint8_t root[SHA256_SIZE] = {0};
    append_number(&nodes);
    assert_int_equal(merkle_inclusion(&tree, 1, 1, &path), MK_ENOTFOUND);
    assert_int_equal(merkle_inclusion(&tree, 0, 0, &path), MK_ENOTFOUND);
    assert_int_equal(merkle_consistency(&tree, 2, 1, &path), MK_ENOTFOUND);
    path.n = 0;
    assert_false(merkle_included(root, UINT64_MAX, UINT64_MAX, &path, root));
    assert_false(merkle_included(root, 0, UINT64_MAX, &path, root));
}

static void a_failed_read_is_handed_up(void **state)
{
    (void)state;
    struct merkle tree = {read_fails, NULL};
    struct merkle_node nodes[MERKLE_PATH_MAX];
    struct merkle_path path;
    uint8_t hash[SHA256_SIZE] = {0};
    size_t n;
    assert_int_equal(merkle_append(&tree, 1, hash, nodes, &n), MK_ESTORE);
    assert_int_equal(merkle_root(&tree, 3, hash), MK_ESTORE);
    assert_int_equal(merkle_inclusion(&tree, 1, 3, &path), MK_ESTORE);
    assert_int_equal(merkle_consistency(&tree, 1, 3, &path), MK_ESTORE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_and_proofs_are_those_of_the_example),
        cmocka_unit_test(the_tile_of_the_example_is_its_leaf_hashes),
        cmocka_unit_test(the_empty_root_is_the_hash_of_nothing),
        cmocka_unit_test(every_inclusion_proof_of_small_trees_holds_for_its_leaf_alone),
        cmocka_unit_test(every_consistency_proof_of_small_trees_holds),
        cmocka_unit_test(a_changed_proof_proves_nothing),
        cmocka_unit_test(a_proof_beyond_the_log_is_not_found),
        cmocka_unit_test(a_failed_read_is_handed_up),
    };
    return cmocka_run_group_tests_name("merkle", tests, vectors_load, vectors_free);
}

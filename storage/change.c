/* SPDX-License-Identifier: Apache-2.0 */
/* A change of the memory: one transaction, one log entry. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "storage/state_private.h"

/* No entry of ours is longer: fixed members, an origin, two vkeys. */
enum { ENTRY_ROOM = 4096 };

int state_break(struct state *state, int rc)
{
    if (rc >= 0)
        return 0;
    state->broken = true;
    return MK_EUNKNOWN;
}

int state_usable(const struct state *state)
{
    return state->broken
               ? fail(MK_ESTORE, "an earlier write failed, and what the disk holds "
                                 "is unknown: start munkeyd again")
               : keyring_usable(state->keyring);
}

static int read_node(void *store, unsigned level, uint64_t index,
                     uint8_t ret_hash[static SHA256_SIZE])
{
    return store_node_read(store, level, index, ret_hash);
}

struct merkle state_tree(const struct state *state)
{
    return (struct merkle){read_node, state->store};
}

struct memory_state state_of_bank(const struct state *state)
{
    struct memory_state bank = {.n = state->digest.n};
    memcpy(bank.digest, state->mem, sizeof bank.digest);
    return bank;
}

int change_begin(struct state *state, enum act act, struct change *ret_change)
{
    struct change *change = ret_change;
    int rc = state_usable(state);
    if (rc < 0 || (rc = ledger_reserve(state->ledger, ENTRY_ROOM, 1)) < 0 ||
        (rc = store_begin(state->store)) < 0)
        return rc;
    *change = (struct change){
        .entry = {.act = act, .n = {state->digest.n}},
        .digest = state->digest,
        .index = store_entries(state->store),
        .open = true,
    };
    change->entry.iat = entry_iat(time(NULL), state->last_iat, state->granularity);
    memcpy(change->entry.iss, state->note_key.name, sizeof change->entry.iss);
    memcpy(change->entry.mem[0], state->mem, SHA256_SIZE);
    if (act != ACT_ENROLL)
        memcpy(change->entry.model, state->model, SHA256_SIZE);
    return 0;
}

static int write_entry(struct state *state, struct change *change)
{
    bool receipt = act_has_receipt(change->entry.act);
    int rc = entry_write(&change->entry, &change->bytes, &change->len);
    if (rc == 0 && receipt)
        rc = receipt_sign(state->receipt_key, change->bytes, change->len,
                          change->signature);
    if (rc == 0)
        rc = store_entry_add(state->store, (struct bytes){change->bytes, change->len},
                             receipt ? state->kid : NULL, change->signature);
    return rc;
}

static int write_nodes(struct state *state, const struct change *change)
{
    struct merkle tree = state_tree(state);
    struct merkle_node node[MERKLE_PATH_MAX];
    uint8_t leaf[SHA256_SIZE];
    size_t n = 0;
    merkle_leaf(change->bytes, change->len, leaf);
    int rc = merkle_append(&tree, change->index, leaf, node, &n);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = store_node_write(state->store, node[i].level, node[i].index, node[i].hash);
    return rc;
}

int change_write(struct state *state, struct change *change)
{
    uint8_t lanes[DIGEST_STATE_SIZE];
    int rc;
    digest_value(&change->digest, change->entry.mem[1]);
    change->entry.n[1] = change->digest.n;
    if ((rc = write_entry(state, change)) < 0 || (rc = write_nodes(state, change)) < 0)
        return rc;
    digest_store(&change->digest, lanes);
    rc = store_meta_write(state->store, META_STATE, lanes, sizeof lanes);
    crypto_wipe(lanes, sizeof lanes);
    return rc;
}

int change_commit(struct state *state, struct change *change)
{
    int rc = store_commit(state->store);
    if (rc < 0)
        return state_break(state, rc);
    change->open = false;
    state->digest = change->digest;
    memcpy(state->mem, change->entry.mem[1], SHA256_SIZE);
    state->last_iat = change->entry.iat;
    return 0;
}

int change_publish(struct state *state, struct change *change)
{
    struct bytes entry = {change->bytes, change->len};
    return state_break(state, ledger_append_entries(state->ledger, &entry, 1));
}

void change_done(struct state *state, struct change *change)
{
    if (change->open && !state->broken)
        store_rollback(state->store);
    free(change->bytes);
    crypto_wipe(change, sizeof *change);
}

int state_sign(struct state *state)
{
    struct merkle tree = state_tree(state);
    struct checkpoint checkpoint = {.size = store_entries(state->store)};
    const struct signer *signer = state->log_key;
    char *text = NULL;
    memcpy(checkpoint.origin, state->note_key.name, sizeof checkpoint.origin);
    int rc = merkle_root(&tree, checkpoint.size, checkpoint.root);
    if (rc == 0)
        rc = checkpoint_sign(&checkpoint, &signer, 1, &text);
    if (rc == 0)
        rc = ledger_set_checkpoint(state->ledger, text);
    free(text);
    return state_break(state, rc);
}

int state_prove(struct state *state, uint64_t index, char **ret_file)
{
    struct merkle tree = state_tree(state);
    struct merkle_path path;
    char *checkpoint = NULL;
    int rc = merkle_inclusion(&tree, index, store_entries(state->store), &path);
    if (rc == 0)
        rc = ledger_get_checkpoint(state->ledger, &checkpoint);
    if (rc == 0)
        rc = proof_write(index, &path, checkpoint, ret_file);
    free(checkpoint);
    return rc;
}

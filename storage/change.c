/* SPDX-License-Identifier: Apache-2.0 */
/* A change of the memory: one transaction, one log entry or several. */
#include <assert.h>
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

int change_begin(struct state *state, size_t entries, struct change *ret_change)
{
    struct bytes *entry;
    int rc = state_usable(state);
    if (rc < 0 || (rc = ledger_reserve(state->ledger, entries * ENTRY_ROOM, entries)) < 0)
        return rc;
    if (!(entry = calloc(entries, sizeof *entry)))
        return fail(MK_ENOMEM, "no memory for %zu log entries", entries);
    if ((rc = store_begin(state->store)) < 0) {
        free(entry);
        return rc;
    }
    *ret_change = (struct change){
        .digest = state->digest,
        .n = state->digest.n,
        .iat = entry_iat(time(NULL), state->last_iat, state->granularity),
        .entry = entry,
        .room = entries,
        .open = true,
    };
    memcpy(ret_change->mem, state->mem, SHA256_SIZE);
    return 0;
}

/* The members that every entry has. */
static void fill_entry(const struct state *state, const struct change *change,
                       struct entry *entry)
{
    entry->iat = change->iat;
    memcpy(entry->iss, state->note_key.name, sizeof entry->iss);
    memcpy(entry->mem[0], change->mem, SHA256_SIZE);
    digest_value(&change->digest, entry->mem[1]);
    entry->n[0] = change->n;
    entry->n[1] = change->digest.n;
    memcpy(entry->model, state->model, SHA256_SIZE);
}

static int write_row(struct state *state, struct bytes bytes, bool receipt)
{
    uint8_t signature[SIGNATURE_SIZE];
    int rc =
        receipt ? receipt_sign(state->receipt_key, bytes.data, bytes.len, signature) : 0;
    return rc < 0 ? rc
                  : store_entry_add(state->store, bytes, receipt ? state->kid : NULL,
                                    signature);
}

static int write_nodes(struct state *state, struct bytes bytes, uint64_t index)
{
    struct merkle tree = state_tree(state);
    struct merkle_node node[MERKLE_PATH_MAX];
    uint8_t leaf[SHA256_SIZE];
    size_t n = 0;
    merkle_leaf(bytes.data, bytes.len, leaf);
    int rc = merkle_append(&tree, index, leaf, node, &n);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = store_node_write(state->store, node[i].level, node[i].index, node[i].hash);
    return rc;
}

int change_replay(struct state *state, struct bytes entry, bool receipt)
{
    uint64_t index = store_entries(state->store);
    int rc = write_row(state, entry, receipt);
    return rc < 0 ? rc : write_nodes(state, entry, index);
}

int change_add(struct state *state, struct change *change, struct entry *entry,
               uint64_t *ret_index)
{
    uint64_t index = store_entries(state->store);
    char *text = NULL;
    size_t len = 0;
    assert(change->entries < change->room);
    fill_entry(state, change, entry);
    int rc = entry_write(entry, &text, &len);
    if (rc < 0)
        return rc;
    struct bytes bytes = {text, len};
    change->entry[change->entries++] = bytes; /* transferred */
    if ((rc = change_replay(state, bytes, act_has_receipt(entry->act))) < 0)
        return rc;
    memcpy(change->mem, entry->mem[1], SHA256_SIZE);
    change->n = entry->n[1];
    *ret_index = index;
    return 0;
}

int change_slot(struct state *state, uint64_t id, const uint8_t *body)
{
    audit_mark(state, id);
    return store_slot_write(state->store, id, body);
}

static int write_meta(struct state *state, const struct change *change)
{
    uint8_t lanes[DIGEST_STATE_SIZE];
    digest_store(&change->digest, lanes);
    int rc = store_meta_write(state->store, META_STATE, lanes, sizeof lanes);
    crypto_wipe(lanes, sizeof lanes);
    /* Whatever the change is: a ref that stayed would lift a later restriction at a start. */
    return rc < 0 ? rc
                  : store_meta_write(state->store, META_PENDING, change->pending,
                                     sizeof change->pending);
}

int change_commit(struct state *state, struct change *change)
{
    int rc = write_meta(state, change);
    if (rc < 0)
        return rc;
    if ((rc = store_commit(state->store)) < 0)
        return state_break(state, rc);
    change->open = false;
    state->digest = change->digest;
    memcpy(state->mem, change->mem, SHA256_SIZE);
    state->last_iat = change->iat;
    return 0;
}

int change_publish(struct state *state, struct change *change)
{
    return state_break(
        state, ledger_append_entries(state->ledger, change->entry, change->entries));
}

void change_done(struct state *state, struct change *change)
{
    if (change->open && !state->broken)
        store_rollback(state->store);
    for (size_t i = 0; i < change->entries; i++)
        free((void *)change->entry[i].data);
    free(change->entry);
    crypto_wipe(change, sizeof *change);
}

int state_checkpoint(struct state *state, uint64_t size,
                     const struct signer *const *signers, size_t n, char **ret_text)
{
    struct merkle tree = state_tree(state);
    struct checkpoint checkpoint = {.size = size};
    memcpy(checkpoint.origin, state->note_key.name, sizeof checkpoint.origin);
    int rc = merkle_root(&tree, size, checkpoint.root);
    return rc < 0 ? rc : checkpoint_sign(&checkpoint, signers, n, ret_text);
}

int state_publish(struct state *state, const struct signer *const *signers, size_t n)
{
    char *text = NULL;
    const uint64_t size = store_entries(state->store);
    int rc = state_checkpoint(state, size, signers, n, &text);
    if (rc == 0 && (rc = ledger_set_checkpoint(state->ledger, text)) == 0) {
        state->signed_size = size;
        state->signed_at = time(NULL);
    }
    free(text);
    return rc;
}

int state_sign(struct state *state)
{
    const struct signer *signer = state->log_key;
    return state_break(state, state_publish(state, &signer, 1));
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

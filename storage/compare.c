/* SPDX-License-Identifier: Apache-2.0 */
/* What a start and a restore compare before they trust a database. */
#include "storage/compare.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/scan.h"

int compare_encoder(const struct state *state, const struct model_info *model)
{
    uint8_t encoder[SHA256_SIZE];
    int rc = store_meta_read(state->store, META_ENCODER, encoder, sizeof encoder);
    if (rc < 0)
        return rc;
    if (memcmp(encoder, model->encoder_sha256, sizeof encoder))
        return fail(MK_EREFUSED,
                    "the memory belongs to another key encoder than this model's: "
                    "start with the model it was made for, or init another folder");
    return 0;
}

/* A walk over log/entries. */
struct walk {
    const struct state *state;
    uint64_t erasures;
};

/* Canonical JSON, with sorted keys, begins with the act. */
static bool is_erasure(const uint8_t *bytes, size_t len)
{
    static const char begins[] = "{\"act\":\"erase\"";
    return len >= sizeof begins - 1 && !memcmp(bytes, begins, sizeof begins - 1);
}

static int compare_entry(void *context, uint64_t index, const uint8_t *bytes, size_t len)
{
    struct walk *walk = context;
    struct entry_row row;
    walk->erasures += is_erasure(bytes, len);
    if (index >= store_entries(walk->state->store))
        return 0;
    int rc = store_entry_read(walk->state->store, index, &row);
    if (rc < 0)
        return rc;
    bool same = row.len == len && !memcmp(row.bytes, bytes, len);
    entry_row_done(&row);
    return same ? 0
                : fail(MK_EREFUSED,
                       "log/entries and the database tell different stories from "
                       "entry %llu on: put back the log/ folder that belongs to it, or "
                       "name a backup of this log to munkeyctl restore",
                       (unsigned long long)index);
}

int compare_entries(const struct state *state)
{
    struct walk walk = {.state = state};
    int rc = ledger_each_entry(state->ledger, compare_entry, &walk);
    if (rc < 0)
        return rc;
    if (ledger_entries(state->ledger) == 0 && store_entries(state->store) > 0)
        return fail(MK_EREFUSED,
                    "log/entries is empty, and munkeyd.db has %llu entries: put "
                    "log/entries back",
                    (unsigned long long)store_entries(state->store));
    /* The ref of an erasure is durable before its entry is. */
    if (ledger_refs(state->ledger) < walk.erasures)
        return fail(MK_EREFUSED,
                    "log/tombstones has %llu refs, and log/entries %llu erasures: put "
                    "log/tombstones back, or people who were forgotten could come back",
                    (unsigned long long)ledger_refs(state->ledger),
                    (unsigned long long)walk.erasures);
    return 0;
}

/* The signed text of log/checkpoint. */
static int read_checkpoint(const struct state *state, struct checkpoint *ret_checkpoint)
{
    struct note_key *keys = NULL;
    char *note = NULL;
    size_t len = 0, n = 0;
    int rc = ledger_get_checkpoint(state->ledger, &note);
    if (rc == MK_ENOTFOUND)
        return fail(MK_EREFUSED,
                    "log/checkpoint is missing beside a database that is in use: "
                    "put it back");
    if (rc < 0)
        return rc;
    if ((rc = state_log_keys(state, &keys, &n)) == 0)
        rc = note_open(note, strlen(note), keys, n, &len);
    if (rc == 0)
        rc = checkpoint_parse(note, strlen(note), ret_checkpoint);
    free(keys);
    free(note);
    return rc < 0 ? fail(MK_EREFUSED,
                         "log/checkpoint is not signed by this folder's log key: "
                         "put back the checkpoint and the key that belong together")
                  : 0;
}

/* "... and log/checkpoint's root is the database's root at that size." */
int compare_checkpoint(struct state *state)
{
    struct checkpoint checkpoint;
    struct merkle tree = state_tree(state);
    uint8_t root[SHA256_SIZE];
    int rc = read_checkpoint(state, &checkpoint);
    if (rc < 0)
        return rc;
    if (checkpoint.size > store_entries(state->store))
        return fail(MK_EREFUSED,
                    "log/checkpoint was signed over more entries than log/entries and "
                    "the database have: put log/entries back, or run munkeyctl restore "
                    "with the newest backup");
    if ((rc = merkle_root(&tree, checkpoint.size, root)) < 0)
        return fail(MK_EREFUSED,
                    "the log's tree in the database is damaged: run munkeyctl restore "
                    "with a backup");
    if (memcmp(root, checkpoint.root, sizeof root))
        return fail(MK_EREFUSED,
                    "log/checkpoint was signed over another log than that of the "
                    "database: put back the log/ folder that belongs to it, or name a "
                    "backup of this log to munkeyctl restore");
    return 0;
}

int compare_last_entry(const struct state *state, struct entry *ret_last)
{
    struct entry_row row;
    if (store_entries(state->store) == 0)
        return fail(MK_EREFUSED,
                    "munkeyd.db has no log: initialise the folder with munkeyctl "
                    "init");
    int rc = store_entry_read(state->store, store_entries(state->store) - 1, &row);
    if (rc < 0)
        return rc;
    rc = entry_parse(row.bytes, row.len, ret_last);
    entry_row_done(&row);
    return rc < 0 ? fail(MK_EREFUSED,
                         "the database's last log entry cannot be read: run munkeyctl "
                         "restore with a backup")
                  : 0;
}

/* "The scan that decrypts the slots also recomputes digest and n: unless both equal the last
 * entry's mem[1] and n[1], refuse." */
int compare_memory(struct state *state, const struct entry *last)
{
    uint8_t stored[DIGEST_STATE_SIZE], found[DIGEST_STATE_SIZE];
    state->last_iat = last->iat;
    memcpy(state->mem, last->mem[1], SHA256_SIZE);
    int rc = scan_slots(state, last->n[1], NULL, NULL);
    if (rc < 0 ||
        (rc = store_meta_read(state->store, META_STATE, stored, sizeof stored)) < 0)
        return rc;
    uint8_t mem[SHA256_SIZE];
    digest_value(&state->digest, mem);
    digest_store(&state->digest, found);
    if (state->digest.n != last->n[1] || memcmp(mem, last->mem[1], sizeof mem) ||
        memcmp(stored, found, sizeof stored))
        rc = fail(MK_EREFUSED,
                  "the slots of munkeyd.db are not those that its log ends with: run "
                  "munkeyctl restore with a backup");
    crypto_wipe(stored, sizeof stored);
    crypto_wipe(found, sizeof found);
    return rc;
}

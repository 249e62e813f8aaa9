/* SPDX-License-Identifier: Apache-2.0 */
/* Changing a signing key.  The new one is durable before the entry that names it; the old one is
 * in its place until all that it had to sign is signed, and is overwritten in the end.  A start
 * finds out by what the log's last `rotate` entry names whether the new key counts. */
#include "storage/rotate.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "storage/state_private.h"

static const struct {
    const char *setting, *live, *next, *old, *retired;
} files[] = {
    [KEY_LOG] = {"log_key", "keys/log.pem", "keys/log.pem.next", "keys/log.pem.old",
                 "keys/retired/log"},
    [KEY_RECEIPT] = {"receipt_key", "keys/receipt.pem", "keys/receipt.pem.next",
                     "keys/receipt.pem.old", "keys/retired/receipt"},
};

/* One rotation on its way. */
struct rotation {
    struct state *state;
    enum signing_key which;
    struct signer *next; /* owned until it is in its place */
    struct change change;
    struct rotated rotated;
    char live_path[PATH_SIZE], next_path[PATH_SIZE], old_path[PATH_SIZE],
        retired_path[PATH_SIZE];
};

static int rotation_init(struct rotation *rotation, struct state *state,
                         enum signing_key which)
{
    int rc;
    *rotation = (struct rotation){.state = state, .which = which};
    if ((rc = disk_path(state->folder, files[which].live, rotation->live_path)) < 0 ||
        (rc = disk_path(state->folder, files[which].next, rotation->next_path)) < 0 ||
        (rc = disk_path(state->folder, files[which].old, rotation->old_path)) < 0)
        return rc;
    return disk_path(state->folder, files[which].retired, rotation->retired_path);
}

static void rotation_done(struct rotation *rotation)
{
    change_done(rotation->state, &rotation->change);
    signer_free(rotation->next);
}

static bool is_given(const struct state *state, enum signing_key which)
{
    return which == KEY_LOG ? state->log_key_given : state->receipt_key_given;
}

static struct signer **live_signer(const struct rotation *rotation)
{
    struct state *state = rotation->state;
    return rotation->which == KEY_LOG ? &state->log_key : &state->receipt_key;
}

static struct retired *retired_keys(const struct rotation *rotation)
{
    struct state *state = rotation->state;
    return rotation->which == KEY_LOG ? &state->retired_log : &state->retired_receipt;
}

/* What an entry calls a key: the log's by its vkey, a receipt key by its kid. */
static int name_key(const struct rotation *rotation, const struct signer *signer,
                    char ret_name[static VKEY_SIZE])
{
    uint8_t public[ED25519_SIZE];
    struct note_key key;
    signer_public(signer, public);
    if (rotation->which == KEY_RECEIPT) {
        receipt_kid(public, ret_name);
        return 0;
    }
    int rc = note_key_init(rotation->state->note_key.name, public, &key);
    if (rc == 0)
        note_vkey(&key, ret_name);
    return rc;
}

/* ---- before the commit ---- */

static int make_next(struct rotation *rotation)
{
    char *pem = NULL;
    size_t len = 0;
    int rc;
    if ((rc = signer_new(&rotation->next)) < 0 ||
        (rc = signer_to_pem(rotation->next, &pem, &len)) < 0)
        return rc;
    rc = disk_write(rotation->next_path, pem, len);
    disk_free(pem, len);
    return rc;
}

static int check_possible(const struct rotation *rotation)
{
    enum signing_key which = rotation->which;
    int rc = state_usable(rotation->state);
    if (rc < 0)
        return rc;
    if (is_given(rotation->state, which))
        return fail(MK_ECONFLICT,
                    "the setting %s names the key's file, which munkeyd does not write: "
                    "move the key to %s of the state folder, start without the setting, "
                    "rotate, and move the new key back",
                    files[which].setting, files[which].live);
    if (retired_keys(rotation)->n == RETIRED_MAX)
        return fail(MK_ECONFLICT, "there are %d retired keys, and no more can be kept",
                    RETIRED_MAX);
    return 0;
}

static int commit(struct rotation *rotation)
{
    struct state *state = rotation->state;
    struct rotated *rotated = &rotation->rotated;
    struct entry entry = {.act = ACT_ROTATE, .rotates_log = rotation->which == KEY_LOG};
    int rc;
    if ((rc = name_key(rotation, *live_signer(rotation), rotated->old)) < 0 ||
        (rc = name_key(rotation, rotation->next, rotated->new)) < 0)
        return rc;
    memcpy(entry.old, rotated->old, sizeof entry.old);
    memcpy(entry.new, rotated->new, sizeof entry.new);
    if ((rc = change_begin(state, 1, &rotation->change)) < 0 ||
        (rc = change_add(state, &rotation->change, &entry, &rotated->index)) < 0)
        return rc;
    return change_commit(state, &rotation->change);
}

/* ---- after the commit: what is done already may be done again ---- */

static int retire(struct rotation *rotation)
{
    uint8_t public[ED25519_SIZE];
    signer_public(*live_signer(rotation), public);
    return retired_add(rotation->retired_path, retired_keys(rotation), public);
}

/* "Its checkpoint carries both signatures, new first." */
static int sign(struct rotation *rotation)
{
    struct state *state = rotation->state;
    const struct signer *both[] = {rotation->next, state->log_key};
    uint64_t index = rotation->rotated.index;
    char *text = NULL;
    if (rotation->which == KEY_RECEIPT)
        return state_sign(state);
    int rc = state_checkpoint(state, index + 1, both, 2, &text);
    if (rc == 0)
        rc = ledger_set_rotation(state->ledger, index, text);
    free(text);
    return rc < 0 ? rc : state_publish(state, both, 2);
}

/* In RAM. */
static int take_over(struct rotation *rotation)
{
    struct state *state = rotation->state;
    struct note_key old = state->note_key;
    struct signer **live = live_signer(rotation);
    uint8_t public[ED25519_SIZE];
    signer_free(*live);
    *live = rotation->next;
    rotation->next = NULL; /* transferred */
    signer_public(*live, public);
    if (rotation->which == KEY_LOG)
        return note_key_init(old.name, public, &state->note_key);
    receipt_kid(public, state->kid);
    return 0;
}

static int hand_over(struct rotation *rotation)
{
    int rc;
    if ((rc = retire(rotation)) < 0 || (rc = sign(rotation)) < 0 ||
        (rc = disk_supersede(rotation->live_path, rotation->next_path,
                             rotation->old_path)) < 0)
        return rc;
    return take_over(rotation);
}

static int rotate_locked(struct rotation *rotation)
{
    struct state *state = rotation->state;
    int rc = check_possible(rotation);
    if (rc < 0)
        return rc;
    if ((rc = make_next(rotation)) < 0 || (rc = commit(rotation)) < 0) {
        if (!state->broken)
            unlink(rotation->next_path);
        return rc;
    }
    rc = change_publish(state, &rotation->change);
    return state_break(state, rc < 0 ? rc : hand_over(rotation));
}

int rotate(struct state *state, enum signing_key which, struct rotated *ret_rotated)
{
    struct rotation rotation;
    int rc = rotation_init(&rotation, state, which);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&state->mutex);
    rc = rotate_locked(&rotation);
    if (rc == 0)
        *ret_rotated = rotation.rotated;
    rotation_done(&rotation);
    pthread_mutex_unlock(&state->mutex);
    return rc;
}

/* ---- a start ---- */

/* The last `rotate` entry of the key: 1; 0 when there is none. */
static int find_last(const struct rotation *rotation, struct entry *ret_entry,
                     uint64_t *ret_index)
{
    struct store *store = rotation->state->store;
    for (uint64_t index = store_entries(store); index-- > 0;) {
        struct entry_row row;
        struct entry entry;
        int rc = store_entry_read(store, index, &row);
        if (rc < 0)
            return rc;
        rc = entry_parse(row.bytes, row.len, &entry);
        entry_row_done(&row);
        if (rc < 0)
            return rc;
        if (entry.act != ACT_ROTATE || entry.rotates_log != (rotation->which == KEY_LOG))
            continue;
        *ret_entry = entry;
        *ret_index = index;
        return 1;
    }
    return 0;
}

/* Whether the log's last word about the key is that `next` follows it. */
static int is_committed(struct rotation *rotation)
{
    struct entry entry;
    int found = find_last(rotation, &entry, &rotation->rotated.index), rc;
    if (found <= 0)
        return found;
    if ((rc = name_key(rotation, *live_signer(rotation), rotation->rotated.old)) < 0 ||
        (rc = name_key(rotation, rotation->next, rotation->rotated.new)) < 0)
        return rc;
    if (strcmp(entry.new, rotation->rotated.new) != 0)
        return 0;
    return strcmp(entry.old, rotation->rotated.old) == 0
               ? 1
               : fail(MK_EREFUSED,
                      "%s is not the key that the log rotates away from: put "
                      "it back",
                      files[rotation->which].live);
}

static int complete(struct rotation *rotation)
{
    char *pem = NULL;
    size_t len = 0;
    int rc = disk_read(rotation->next_path, &pem, &len);
    if (rc == MK_ENOTFOUND)
        return disk_destroy(rotation->old_path);
    if (rc < 0)
        return rc;
    rc = signer_from_pem(pem, len, &rotation->next);
    disk_free(pem, len);
    if (rc < 0 || (rc = is_committed(rotation)) < 0)
        return rc;
    return rc == 1 ? hand_over(rotation) : disk_destroy(rotation->next_path);
}

int rotate_complete(struct state *state)
{
    int rc = 0;
    for (enum signing_key which = KEY_LOG; rc == 0 && which <= KEY_RECEIPT; which++) {
        struct rotation rotation;
        if (is_given(state, which))
            continue;
        rc = rotation_init(&rotation, state, which);
        if (rc == 0) {
            rc = complete(&rotation);
            rotation_done(&rotation);
        }
    }
    return rc;
}

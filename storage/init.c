/* SPDX-License-Identifier: Apache-2.0 */
/* Making a state folder: keys first, log/checkpoint last.  A folder without that is not
 * initialised, whatever else is in it, and is made anew. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "storage/encode.h"
#include "storage/state_private.h"

static bool holds_keys(const char *keyring)
{
    struct stat file;
    return stat(keyring, &file) == 0 && file.st_size > 0;
}

/* "A folder without a checkpoint and with at most one entry is not initialised": more than
 * that, or a key of anybody, is a memory that must not be written over.  A mirror that has keys is
 * all that is left of a folder that was lost, or whose disk is not mounted. */
static int check_is_new(const struct state *state, const char *mirror)
{
    char path[PATH_SIZE];
    struct store *store = NULL;
    int rc = disk_path(state->folder, "keys/keyring", path);
    if (rc < 0)
        return rc;
    if (state_is_initialised(state->folder))
        return fail(MK_ECONFLICT, "the state folder is initialised already");
    if (holds_keys(path))
        return fail(MK_ECONFLICT,
                    "keys/keyring holds keys of a memory whose log/checkpoint is "
                    "missing: put that back, or name another folder");
    if (mirror && holds_keys(mirror))
        return fail(MK_ECONFLICT,
                    "keyring_mirror holds keys of a memory that is not in the state "
                    "folder: mount its disk, or put back the folder, or name another "
                    "mirror");
    rc = store_open(state->folder, &store);
    if (rc == 0 && store_entries(store) > 1)
        rc = fail(MK_ECONFLICT,
                  "munkeyd.db holds a memory whose log/checkpoint is missing: put "
                  "that back, or name another folder");
    store_close(store);
    return rc == MK_ENOTFOUND ? 0 : rc;
}

static int write_signer(const char *path)
{
    struct signer *signer = NULL;
    char *pem = NULL;
    size_t len = 0;
    int rc = signer_new(&signer);
    if (rc == 0)
        rc = signer_to_pem(signer, &pem, &len);
    if (rc == 0)
        rc = disk_write(path, pem, len);
    disk_free(pem, len);
    signer_free(signer);
    return rc;
}

/* Fresh keys; those that the operator keeps elsewhere are not made here. */
static int make_keys(const struct state *state, const struct state_options *options)
{
    char keys[PATH_SIZE], retired[PATH_SIZE], path[PATH_SIZE];
    uint8_t root[SECRET_SIZE];
    int rc;
    if ((rc = disk_path(state->folder, "keys", keys)) < 0 ||
        (rc = disk_make_folder(keys)) < 0 ||
        (rc = disk_path(state->folder, "keys/retired", retired)) < 0 ||
        (rc = disk_make_folder(retired)) < 0 ||
        (rc = disk_path(state->folder, "keys/root", path)) < 0)
        return rc;
    crypto_random(root, sizeof root);
    rc = disk_write(path, root, sizeof root);
    crypto_wipe(root, sizeof root);
    if (rc == 0 && !options->log_key &&
        (rc = disk_path(state->folder, "keys/log.pem", path)) == 0)
        rc = write_signer(path);
    if (rc == 0 && !options->receipt_key &&
        (rc = disk_path(state->folder, "keys/receipt.pem", path)) == 0)
        rc = write_signer(path);
    if (rc == 0 && (rc = disk_path(state->folder, "keys/keyring", path)) == 0)
        rc = keyring_create(path, options->keyring_mirror);
    return rc < 0 ? rc : disk_sync_folder(keys);
}

/* Removes what a half-made init left of the database, then makes it. */
static int make_store(struct state *state, uint32_t slot_size)
{
    static const char *const names[] = {"munkeyd.db-wal", "munkeyd.db-journal",
                                        "munkeyd.db"};
    char path[PATH_SIZE];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int rc = disk_path(state->folder, names[i], path);
        if (rc < 0)
            return rc;
        unlink(path);
    }
    return store_create(state->folder, slot_size, &state->store);
}

static int make_tokens(const struct state *state)
{
    char path[PATH_SIZE];
    int rc = disk_path(state->folder, "tokens", path);
    /* Tokens made before a crash stay valid: they grant nothing yet. */
    return rc < 0 || access(path, F_OK) == 0 ? rc : disk_write(path, "", 0);
}

/* "A schema-less URL without spaces or `+`, unique to this log." */
static int name_log(struct state *state, const char *origin)
{
    char made[ORIGIN_SIZE] = "munkeyd.invalid/";
    uint8_t random[8], public[ED25519_SIZE];
    crypto_random(random, sizeof random);
    hex_encode(random, sizeof random, made + strlen(made));
    signer_public(state->log_key, public);
    return note_key_init(origin ? origin : made, public, &state->note_key);
}

/* The first entry of the log; the memory is empty before and after. */
static int write_first_entry(struct state *state, const struct model_info *model)
{
    struct change change = {0};
    struct entry entry = {.act = ACT_INIT};
    uint64_t index;
    digest_value(&state->digest, state->mem);
    int rc = change_begin(state, 1, &change);
    if (rc == 0 &&
        (rc = store_meta_write(state->store, META_ORIGIN, state->note_key.name,
                               ORIGIN_SIZE)) == 0 &&
        (rc = store_meta_write(state->store, META_ENCODER, model->encoder_sha256,
                               SHA256_SIZE)) == 0 &&
        (rc = change_add(state, &change, &entry, &index)) == 0 &&
        (rc = change_commit(state, &change)) == 0 &&
        (rc = change_publish(state, &change)) == 0)
        rc = state_sign(state);
    change_done(state, &change);
    return rc;
}

static int make_all(struct state *state, const struct state_options *options,
                    const struct init_options *init, const struct model_info *model)
{
    int rc;
    if ((rc = check_is_new(state, options->keyring_mirror)) < 0 ||
        (rc = make_keys(state, options)) < 0 || (rc = make_tokens(state)) < 0 ||
        (rc = state_read_keys(state, options)) < 0 ||
        (rc = name_log(state, init->origin)) < 0 ||
        (rc = make_store(state, state->shape.size)) < 0 ||
        (rc = ledger_create(state->folder)) < 0 ||
        (rc = ledger_open(state->folder, &state->ledger)) < 0)
        return rc;
    return write_first_entry(state, model);
}

/* The longest name of a label. */
static uint32_t name_size(const struct model_info *model)
{
    return model->open_labels ? 2 + LABEL_SIZE - 1 : 0;
}

static int check_slot_size(uint32_t size, const struct model_info *model)
{
    /* The fixed fields have 150 bytes and the key's; some room is for provenance. */
    uint32_t least = 172 + model->key_dim;
    least = (least > SLOT_SIZE_MIN ? least : SLOT_SIZE_MIN) + name_size(model);
    if (size < least || size > SLOT_SIZE_MAX)
        return fail(MK_EINPUT, "a slot of %u bytes: it has to have %u to %d", size, least,
                    SLOT_SIZE_MAX);
    return 0;
}

int state_init(const struct state_options *options, const struct init_options *init,
               const struct model_info *model, const uint8_t model_sha256[static 32])
{
    struct state *state = NULL;
    uint32_t slot_size = init->slot_size ? init->slot_size : SLOT_SIZE_DEFAULT;
    /* What a key needs beyond 128 components, and a name, come on top of the default's provenance. */
    if (!init->slot_size)
        slot_size += (model->key_dim > 128 ? model->key_dim - 128 : 0) + name_size(model);
    int rc = check_slot_size(slot_size, model);
    if (rc < 0 || (rc = disk_make_folder(options->folder)) < 0 ||
        (rc = state_new(options, model, model_sha256, &state)) < 0)
        return rc;
    state->shape.size = slot_size;
    rc = make_all(state, options, init, model);
    state_close(state);
    return rc;
}

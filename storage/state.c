/* SPDX-License-Identifier: Apache-2.0 */
/* A state's life: the lock on its folder, its keys, its end. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/err.h"
#include "storage/callback_secret.h"
#include "storage/filesystem.h"
#include "storage/state_private.h"

const char *const provenance_names[PROVENANCE_FIELDS] = {"source", "collected_at",
                                                         "lawful_basis", "consent_ref"};

/* A lock on the folder and not on a file in it: closing any descriptor of a file that SQLite
 * has open would drop SQLite's POSIX locks. */
static int lock_folder(struct state *state, const char *folder)
{
    char *path = realpath(folder, NULL);
    if (!path || strlen(path) > FOLDER_MAX) {
        free(path);
        return fail(MK_EREFUSED, "the state folder cannot be found: %s", strerror(errno));
    }
    strcpy(state->folder, path);
    free(path);
    state->lock = open(state->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (state->lock < 0)
        return fail(MK_EREFUSED, "the state folder cannot be opened: %s",
                    strerror(errno));
    if (flock(state->lock, LOCK_EX | LOCK_NB) < 0)
        return fail(MK_EREFUSED,
                    "another process has the state folder open: stop munkeyd, or "
                    "wait for munkeyctl");
    return 0;
}

int state_new(const struct state_options *options, const struct model_info *model,
              const uint8_t model_sha256[static 32], struct state **ret_state)
{
    struct state *state = calloc(1, sizeof *state);
    if (!state)
        return fail(MK_ENOMEM, "no memory for the state");
    pthread_mutex_init(&state->mutex, NULL);
    state->lock = -1;
    state->shape.key_dim = model->key_dim;
    state->shape.open_labels = model->open_labels;
    state->shape.classes = model->classes;
    memcpy(state->model, model_sha256, SHA256_SIZE);
    state->granularity = options->log_time_granularity;
    state->scrub = options->scrub;
    state->scrub_context = options->scrub_context;
    int rc = lock_folder(state, options->folder);
    if (rc < 0 || (rc = filesystem_check(state->lock, &state->warning)) < 0) {
        state_close(state);
        return rc;
    }
    *ret_state = state;
    return 0;
}

static int read_signer(const struct state *state, const char *other, const char *name,
                       struct signer **ret_signer)
{
    char path[PATH_SIZE], *pem = NULL;
    size_t len = 0;
    int rc = disk_path(state->folder, name, path);
    if (rc < 0 || (rc = disk_read(other ? other : path, &pem, &len)) < 0)
        return fail(MK_EREFUSED, "%s is needed and cannot be read: put it back", name);
    rc = signer_from_pem(pem, len, ret_signer);
    disk_free(pem, len);
    return rc < 0 ? fail(MK_EREFUSED, "%s is no Ed25519 key in PEM form", name) : 0;
}

static int read_keyring(struct state *state, const char *mirror)
{
    char root_path[PATH_SIZE], path[PATH_SIZE], *root = NULL;
    size_t len = 0;
    int rc;
    if ((rc = disk_path(state->folder, "keys/root", root_path)) < 0 ||
        (rc = disk_path(state->folder, "keys/keyring", path)) < 0)
        return rc;
    if (disk_read(root_path, &root, &len) < 0 || len != SECRET_SIZE)
        rc = fail(MK_EREFUSED, "keys/root is needed and is not there whole: put it back");
    else
        rc = keyring_open(path, mirror, (const uint8_t *)root, &state->keyring);
    if (rc == 0) {
        crypto_hkdf((const uint8_t *)root, "munkeyd/outbox/v1", state->callbacks.key);
        callback_root((const uint8_t *)root, state->callbacks.signing_root);
    }
    disk_free(root, len);
    return rc;
}

static int read_retired(struct state *state)
{
    char path[PATH_SIZE];
    int rc = disk_path(state->folder, "keys/retired/log", path);
    if (rc < 0 || (rc = retired_read(path, &state->retired_log)) < 0 ||
        (rc = disk_path(state->folder, "keys/retired/receipt", path)) < 0)
        return rc;
    return retired_read(path, &state->retired_receipt);
}

int state_read_keys(struct state *state, const struct state_options *options)
{
    uint8_t public[ED25519_SIZE];
    int rc;
    state->log_key_given = options->log_key;
    state->receipt_key_given = options->receipt_key;
    if ((rc = read_keyring(state, options->keyring_mirror)) < 0 ||
        (rc = read_signer(state, options->log_key, "keys/log.pem", &state->log_key)) <
            0 ||
        (rc = read_signer(state, options->receipt_key, "keys/receipt.pem",
                          &state->receipt_key)) < 0 ||
        (rc = read_retired(state)) < 0)
        return rc;
    signer_public(state->receipt_key, public);
    receipt_kid(public, state->kid);
    return 0;
}

int state_log_keys(const struct state *state, struct note_key **ret_keys, size_t *ret_n)
{
    const struct retired *retired = &state->retired_log;
    struct note_key *keys = calloc(retired->n + 1, sizeof *keys);
    int rc = keys ? 0 : fail(MK_ENOMEM, "no memory for verifier keys");
    if (rc == 0)
        keys[0] = state->note_key;
    for (size_t i = 0; rc == 0 && i < retired->n; i++)
        rc = note_key_init(state->note_key.name, retired->key[i], &keys[i + 1]);
    if (rc < 0) {
        free(keys);
        return rc;
    }
    *ret_keys = keys;
    *ret_n = retired->n + 1;
    return 0;
}

void state_close_files(struct state *state)
{
    audit_abandon(state);
    /* Older digests and slots may stand in the WAL: SQLite would only unlink it.  Where nothing may
     * be written it stays as it is, for the next start to empty. */
    if (state->store && state->ledger && !state->broken) {
        store_empty_wal(state->store);
        store_close(state->store);
    } else
        store_leave(state->store);
    ledger_close(state->ledger);
    keyring_close(state->keyring);
    signer_free(state->log_key);
    signer_free(state->receipt_key);
    state->store = NULL;
    state->ledger = NULL;
    state->keyring = NULL;
    state->log_key = state->receipt_key = NULL;
    retired_done(&state->retired_log);
    retired_done(&state->retired_receipt);
    holdings_done(&state->holdings);
    callbacks_done(&state->callbacks);
    crypto_wipe(&state->digest, sizeof state->digest);
}

void state_close(struct state *state)
{
    if (!state)
        return;
    state_close_files(state);
    if (state->lock >= 0)
        close(state->lock);
    pthread_mutex_destroy(&state->mutex);
    crypto_wipe(state, sizeof *state);
    free(state);
}

bool state_is_initialised(const char *folder)
{
    char path[PATH_SIZE];
    return disk_path(folder, "log/checkpoint", path) == 0 && access(path, F_OK) == 0;
}

void state_status(struct state *state, struct state_status *ret_status)
{
    struct state_status status = {0};
    pthread_mutex_lock(&state->mutex);
    status.instances = state->digest.n;
    status.subjects = keyring_subjects(state->keyring);
    status.entries = store_entries(state->store);
    status.slots_total = store_slots(state->store);
    status.callbacks = state->callbacks.n;
    memcpy(status.digest, state->mem, sizeof status.digest);
    memcpy(status.origin, state->note_key.name, sizeof status.origin);
    pthread_mutex_unlock(&state->mutex);
    *ret_status = status;
}

struct log_head state_log_head(const struct state *state)
{
    return (struct log_head){state->signed_size, state->signed_at};
}

void state_receiver_secret(const struct state *state, const char *prefix,
                           uint8_t ret_secret[static 32])
{
    callback_secret(state->callbacks.signing_root, prefix, ret_secret);
}

const char *state_warning(const struct state *state)
{
    return state->warning;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Changing a signing key; what the old one has signed stays valid.
 *
 *     rc = rotate(state, KEY_RECEIPT, &rotated);
 *     rotated.old, rotated.new                      kids, or verifier keys of the log
 *
 * The old private key is overwritten.  The `rotate` entry is the last that is signed by the old
 * key of the log; the checkpoint over it is signed by both, the new one first, and kept: whoever
 * trusts the old key learns from it to trust the new one.
 */
#ifndef MUNKEY_STORAGE_ROTATE_H
#define MUNKEY_STORAGE_ROTATE_H

#include "storage/note.h"
#include "storage/state.h"

enum signing_key { KEY_LOG, KEY_RECEIPT };

struct rotated {
    uint64_t index; /* of the log entry */
    char old[VKEY_SIZE], new[VKEY_SIZE];
};

/* MK_ECONFLICT when a setting names the key's file: munkeyd writes its own state folder alone. */
int rotate(struct state *state, enum signing_key which, struct rotated *ret_rotated);

/* What a start finds of a rotation: one that was committed is finished, another one undone.  The
 * log's entries are in the ledger; the caller holds the state alone. */
int rotate_complete(struct state *state);

#endif

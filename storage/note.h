/* SPDX-License-Identifier: Apache-2.0 */
/* Signed notes (C2SP signed-note): text, an empty line, and a line for each signature.
 *
 *     note_key_init(origin, public_key, &key);
 *     note_vkey(&key, line);                   "name+edf96cf4+ActTJ..."
 *     note_sign(text, origin, signers, 1, &note);
 *     rc = note_open(note, strlen(note), &key, 1, &text_len);
 */
#ifndef MUNKEY_STORAGE_NOTE_H
#define MUNKEY_STORAGE_NOTE_H

#include "storage/crypto.h"

enum {
    ORIGIN_SIZE = 256, /* with the final NUL */
    KEY_ID_SIZE = 4,
    VKEY_SIZE = ORIGIN_SIZE + 1 + 8 + 1 + 44, /* with the final NUL */
};

/* Who may sign: a name and an Ed25519 public key. */
struct note_key {
    char name[ORIGIN_SIZE];
    uint8_t id[KEY_ID_SIZE];
    uint8_t public[ED25519_SIZE];
};

/* A name is visible ASCII without `+`, `"` and `\`, 1 to 255 bytes.  MK_EINPUT. */
int note_name_check(const char *name);

int note_key_init(const char *name, const uint8_t public[static ED25519_SIZE],
                  struct note_key *ret_key);

/* The verifier key, without a newline; and back.  MK_EINPUT. */
void note_vkey(const struct note_key *key, char ret_vkey[static VKEY_SIZE]);
int note_vkey_parse(const char *vkey, size_t len, struct note_key *ret_key);
/* Several, one a line; the caller frees. */
int note_vkeys_parse(const char *vkeys, struct note_key **ret_keys, size_t *ret_n);

/* text ends with a newline.  Signatures come in the order of the signers (a rotation: the
 * new one first).  The caller frees. */
int note_sign(const char *text, const char *name, const struct signer *const *signers,
              size_t n, char **ret_note);

/* How long the signed text at the note's beginning is.  MK_EINPUT: not a note; MK_EAUTH:
 * none of the keys signed it, or one of them is said to and did not. */
int note_open(const char *note, size_t len, const struct note_key *keys, size_t n,
              size_t *ret_text_len);

#endif

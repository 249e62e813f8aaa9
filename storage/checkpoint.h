/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints (C2SP tlog-checkpoint): a signed note of origin, size and root; and
 * inclusion proofs against them (C2SP tlog-proof).
 *
 *     struct checkpoint checkpoint = {.origin = origin, .size = 5, .root = {...}};
 *     checkpoint_sign(&checkpoint, &signer, 1, &text);
 *     proof_write(3, &path, text, &file);
 *
 * Parsing checks no signature: that is note_open()'s.
 */
#ifndef MUNKEY_STORAGE_CHECKPOINT_H
#define MUNKEY_STORAGE_CHECKPOINT_H

#include "storage/merkle.h"
#include "storage/note.h"

struct checkpoint {
    char origin[ORIGIN_SIZE];
    uint64_t size;
    uint8_t root[SHA256_SIZE];
};

/* The caller frees. */
int checkpoint_sign(const struct checkpoint *checkpoint,
                    const struct signer *const *signers, size_t n, char **ret_note);
int checkpoint_parse(const char *note, size_t len, struct checkpoint *ret_checkpoint);

/* A tlog-proof file.  checkpoint borrows from the parsed text. */
struct proof {
    uint64_t index;
    struct merkle_path path;
    const char *checkpoint;
};

/* The caller frees. */
int proof_write(uint64_t index, const struct merkle_path *path, const char *checkpoint,
                char **ret_file);
int proof_parse(const char *file, struct proof *ret_proof);

#endif

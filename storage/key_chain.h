/* SPDX-License-Identifier: Apache-2.0 */
/* A log's keys in their order, as its `rotate` entries lead from each to the next.
 *
 *     struct key_chain chain = {.origin = origin};
 *     rc = key_chain_follow(&chain, &entry);        each `rotate` of the log's key
 *     rc = key_chain_trust(&chain, vkeys);          what somebody has kept is one of them
 *     key_chain_last(&chain)                        who signs now
 *     key_chain_done(&chain);
 */
#ifndef MUNKEY_STORAGE_KEY_CHAIN_H
#define MUNKEY_STORAGE_KEY_CHAIN_H

#include "storage/entry.h"

struct key_chain {
    const char *origin; /* borrowed */
    struct note_key *key;
    size_t n;
};

/* MK_EINPUT: the entry does not begin at the last key, or names one that is not this log's or was
 * its key before.  MK_ENOMEM. */
int key_chain_follow(struct key_chain *chain, const struct entry *rotate);

/* Each of vkeys, one a line, stands in the chain; a log that never rotated has the one that is
 * given.  MK_EINPUT. */
int key_chain_trust(struct key_chain *chain, const char *vkeys);

const struct note_key *key_chain_last(const struct key_chain *chain); /* NULL: none */
/* All of them, one vkey a line; NULL without memory.  The caller frees. */
char *key_chain_vkeys(const struct key_chain *chain);
void key_chain_done(struct key_chain *chain);

#endif

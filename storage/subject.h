/* SPDX-License-Identifier: Apache-2.0 */
/* What is held about one subject (GDPR Art. 15). */
#ifndef MUNKEY_STORAGE_SUBJECT_H
#define MUNKEY_STORAGE_SUBJECT_H

#include "storage/state.h"

struct held {
    uint64_t total; /* instances of the subject */
    bool restricted;
    char ground;   /* of a restriction, 'a' to 'd' (Art. 18(1)); 0: none */
    char basis;    /* of a hold, 'a' to 'e' (Art. 17(3)); 0: none */
    int64_t until; /* of the hold, Unix seconds; 0: until it is lifted */
    bool held;     /* whether the hold lasts */
    struct held_instance *instance;
    size_t n;      /* on this page */
    uint64_t next; /* cursor of the next page; 0: this was the last */
};

/* One page of at most limit instances from cursor (0: the first).  MK_ENOTFOUND when
 * nothing is held. */
int subject_read(struct state *state, struct subject subject, uint64_t cursor,
                 size_t limit, struct held *ret_held);
void held_done(struct held *held); /* wipes */

#endif

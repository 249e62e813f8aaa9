/* SPDX-License-Identifier: Apache-2.0 */
/* Hold (GDPR Art. 17(3)): a person's data have to stay for a while, and erasure is refused.
 *
 *     rc = hold_set(state, subject, 'e', until);
 *     rc = hold_lift(state, subject);
 *
 * A hold stands in the keyring, so that no older database lifts or revives it, and not in the log.
 */
#ifndef MUNKEY_STORAGE_HOLD_H
#define MUNKEY_STORAGE_HOLD_H

#include "storage/state.h"

/* basis: 'a' to 'e' of Art. 17(3); until: Unix seconds, 0: until it is lifted.  Replaces an earlier
 * hold.  MK_ENOTFOUND: nothing is held about the subject; MK_ESTORE: nothing happened; MK_EUNKNOWN:
 * answer so and abort. */
int hold_set(struct state *state, struct subject subject, char basis, int64_t until);

/* Also when there is none.  The same errors. */
int hold_lift(struct state *state, struct subject subject);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The members' keys as a bank of their own, for the designs that MUNKEY is compared with.
 *
 *     rc = near_bank_new(s, seed_keys(s), forget, &bank);      forget: who is deleted; or NULL
 *     rc = near_find(b, &bank, SET_TEST, &near);               (rows, MIXTURE_K)
 *     near_bank_done(&bank);
 */
#ifndef MUNKEY_DAEMON_STUDY_NEAR_H
#define MUNKEY_DAEMON_STUDY_NEAR_H

#include "core/mixture.h"
#include "daemon/study_baselines.h"

/* Of all rows of a seed, and of its test rows; borrowed. */
struct row_keys {
    const struct key *all, *tests;
};

/* As MUNKEY's encoder makes them. */
struct row_keys seed_keys(const struct seed_run *s);

struct near_bank {
    struct row_keys of; /* what it was made from, and is asked with */
    struct key *key;
    uint32_t *label;
    struct key_bank view;
};

int near_bank_new(const struct seed_run *s, struct row_keys of, const bool *without,
                  struct near_bank *ret_bank);
void near_bank_done(struct near_bank *bank); /* takes zeros */

/* The neighbours of a set's rows; the caller frees them. */
int near_find(const struct baseline_run *b, const struct near_bank *bank, int set,
              struct near **ret_near);

#endif

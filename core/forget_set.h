/* SPDX-License-Identifier: Apache-2.0 */
/* Who is forgotten in an evaluation: of n members, ret_forget[i] says whether i is.
 *
 *     forget_random(seed, n, .1, forget);
 *     rc = forget_highest(memorised, n, 750, forget);
 *
 * By seed and content alone.  Each returns how many they are, or MK_ENOMEM.
 */
#ifndef MUNKEY_CORE_FORGET_SET_H
#define MUNKEY_CORE_FORGET_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A share of all, rounded, at least one. */
size_t forget_count(size_t n, double share);
int forget_random(uint64_t seed, size_t n, double share, bool *ret_forget);

int forget_class(const uint32_t *labels, size_t n, uint32_t class, bool *ret_forget);

/* All members of a share of the groups.  group: (n), 0 .. groups - 1; every one has a member. */
int forget_groups(uint64_t seed, const uint32_t *group, size_t n, size_t groups,
                  double share, bool *ret_forget);

/* The count members with the highest score; of equals, the first. */
int forget_highest(const double *score, size_t n, size_t count, bool *ret_forget);

/* At most count members whose nearest other one is near them, in the order of that similarity, and
 * stays.  nearest: (n), a member's number; similarity: (n). */
int forget_copied(const uint32_t *nearest, const double *similarity, size_t n,
                  size_t count, bool *ret_forget);

#endif

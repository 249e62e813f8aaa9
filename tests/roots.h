/* SPDX-License-Identifier: Apache-2.0 */
/* The roots of every prefix of a log, computed from log/entries alone: what its checkpoints, the
 * old ones too, have to state.
 *
 *     struct roots *roots = roots_read("state/log/entries");
 *     ok = roots_agree(roots, proof);        a tlog-proof file of any time
 *     roots_free(roots);
 */
#ifndef MUNKEY_TESTS_ROOTS_H
#define MUNKEY_TESTS_ROOTS_H

#include <stdbool.h>

struct roots;

struct roots *roots_read(const char *path); /* NULL: it cannot be read */
void roots_free(struct roots *roots);

/* Whether the proof's checkpoint is of this log: "a log must never sign two checkpoints that
 * disagree". */
bool roots_agree(const struct roots *roots, const char *proof);

#endif

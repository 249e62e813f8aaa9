/* SPDX-License-Identifier: Apache-2.0 */
/* Going back to an older database without bringing anybody back.
 *
 *     rc = state_restore(&options, model_info(model), model_sha256, bank, "monday.db",
 *                        confirm, NULL, &status);
 *
 * The log goes on: the entries that the backup lacks come from log/entries, and a `restore` entry
 * says what was found.  Who was erased since stays erased; restrictions and holds, which stand in
 * the keyring, stay.  What was enrolled since is lost, and so are slots without a key.
 */
#ifndef MUNKEY_STORAGE_RESTORE_H
#define MUNKEY_STORAGE_RESTORE_H

#include "storage/state.h"

/* What a restore would do. */
struct restore_plan {
    uint64_t entries;   /* of the log, that the backup lacks */
    uint64_t instances; /* that it gives back */
    uint64_t erased;    /* that it holds of people who were erased since */
    uint64_t lost;      /* that the log counts and nothing gives back */
    uint64_t subjects;  /* of whom nothing is left, though nobody erased them */
    bool callbacks;     /* those that wait are known */
};

/* Looks at the plan before anything has changed; an error ends the restore. */
typedef int restore_ask(void *context, const struct restore_plan *plan);

/* Locks the folder as a start does, and ends with what a start does.  file may be munkeyd.db
 * itself.  bank: empty, and as large as a start's.  MK_EUNKNOWN: as after a crash, the folder starts,
 * or its start is refused until the restore is repeated.  After any other error, which says what to
 * do, nothing has changed. */
int state_restore(const struct state_options *options, const struct model_info *model,
                  const uint8_t model_sha256[static 32], struct memory *bank,
                  const char *file, restore_ask *ask, void *context,
                  struct state_status *ret_status);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger: the files log/entries, log/tombstones, log/checkpoint and log/rotation-N
 * of a state folder.
 *
 *     ledger_open(folder, &ledger);
 *     ledger_reserve(ledger, len + 2, 1);                room, before the commit
 *     ... commit ...
 *     ledger_append_refs(ledger, &ref, 1);               tombstone first
 *     ledger_append_entries(ledger, &entry, 1);
 *     ledger_set_checkpoint(ledger, text);
 *
 * Appending is write and fsync.  Nothing is tried again after a failed fsync: the kernel
 * may have dropped the pages and would report success.  One thread at a time.
 */
#ifndef MUNKEY_STORAGE_LEDGER_H
#define MUNKEY_STORAGE_LEDGER_H

#include <stdio.h>

#include "storage/crypto.h"

struct ledger;

enum {
    REF_SIZE = 16,          /* a subject's random name for one life in the memory */
    LEDGER_HEADER_SIZE = 2, /* u16be length before each entry */
};

/* Makes log/ and its two empty files; what a half-made init left in them is emptied.
 * MK_ECONFLICT when there is a checkpoint. */
int ledger_create(const char *folder);

/* Cuts off an incomplete last record of either file.  MK_EREFUSED when a file is missing,
 * or damaged elsewhere than at its end. */
int ledger_open(const char *folder, struct ledger **ret_ledger);
void ledger_close(struct ledger *ledger);

/* How many there are. */
uint64_t ledger_entries(const struct ledger *ledger);
uint64_t ledger_refs(const struct ledger *ledger);

/* Calls visit for every entry or ref in order, until it returns other than 0, which is
 * then the result.  bytes is valid during the call. */
typedef int ledger_visit(void *context, uint64_t index, const uint8_t *bytes, size_t len);
int ledger_each_entry(struct ledger *ledger, ledger_visit *visit, void *context);
/* The same for any such file, up to its end or to the first record that is not whole. */
int ledger_each_record(FILE *in, ledger_visit *visit, void *context);
int ledger_each_ref(struct ledger *ledger, ledger_visit *visit, void *context);

/* Reserves room on the disk for one entry of len bytes and so many refs; the files'
 * lengths stay.  MK_ESTORE. */
int ledger_reserve(struct ledger *ledger, size_t len, size_t refs);

/* Durable when 0 is returned; MK_EUNKNOWN otherwise, and the process has to abort. */
int ledger_append_entries(struct ledger *ledger, const struct bytes *entries, size_t n);
int ledger_append_refs(struct ledger *ledger, const uint8_t (*refs)[REF_SIZE], size_t n);

/* log/checkpoint.  get: MK_ENOTFOUND; the caller frees.  set: written beside, fsynced,
 * renamed, and the folder fsynced; MK_EUNKNOWN. */
int ledger_get_checkpoint(struct ledger *ledger, char **ret_text);
int ledger_set_checkpoint(struct ledger *ledger, const char *text);

/* log/rotation-INDEX: the checkpoint over entry INDEX and all before it, which hands the log over
 * to its next key.  The same otherwise. */
int ledger_get_rotation(struct ledger *ledger, uint64_t index, char **ret_text);
int ledger_set_rotation(struct ledger *ledger, uint64_t index, const char *text);

#endif

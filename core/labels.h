/* SPDX-License-Identifier: Apache-2.0 */
/* The labels of an open set: those that are built into the model, and those of instances, which come
 * and go with them.
 *
 *     struct labels *labels = labels_new();
 *     rc = labels_build_in(labels, names, codes, n);
 *     rc = labels_check(labels, records, n);            then each of these can be held
 *     labels_hold(labels, &record, true);
 *     labels_release(labels, code, true);               the last instance: the name is wiped
 *     labels_settle(labels);
 *     struct label_list list = labels_list(labels);     what an answer is about
 *
 * A part of the memory bank, whose lock covers it.
 */
#ifndef MUNKEY_CORE_LABELS_H
#define MUNKEY_CORE_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LABEL_SIZE = 64 }; /* of a name of 1 to 63 bytes, with its NUL */

struct labels; /* opaque */
struct record; /* core/memory.h */

/* Labels in the order of their names, as bytes: a label's index is its place.  Valid until the
 * labels change. */
struct label_list {
    const char *const *name; /* (n) */
    const uint64_t *code;    /* (n); NULL: a closed set, where the index is the label */
    size_t n;
};

/* Where the name stands, or list->n. */
size_t label_list_find(const struct label_list *list, const char *name);

/* NULL when there is no memory for it. */
struct labels *labels_new(void);
void labels_free(struct labels *labels); /* wipes first */
bool labels_lock(struct labels *labels); /* into RAM */

/* Labels that are there whoever comes and goes.  codes: of the names.  MK_EREFUSED: two of them
 * cannot be told apart. */
int labels_build_in(struct labels *labels, const char *const *names,
                    const uint64_t *codes, size_t n);

/* Whether the labels of n records can all be held: MK_ECONFLICT when a digest could not tell a
 * name from another that is held or built in, or when there would be too many. */
int labels_check(const struct labels *labels, const struct record *records, size_t n);

/* One more instance of a label, and one less; live: it answers, it is not masked. */
void labels_hold(struct labels *labels, const struct record *record, bool live);
void labels_release(struct labels *labels, uint64_t code, bool live);

/* An instance that is held is masked, or answers again. */
void labels_mask(struct labels *labels, uint64_t code, bool masked);

/* Where a label that is held stays until it is released, below CLASSES_MAX; and who stands there. */
size_t labels_place(const struct labels *labels, uint64_t code);
const char *labels_name(const struct labels *labels, size_t place);

/* Ends a change: makes the list of those that answer. */
void labels_settle(struct labels *labels);
struct label_list labels_list(const struct labels *labels);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* How many instances there are, by class and label: counted as they come and go, so that asking
 * takes the same time whatever the memory holds.
 *
 *     census_add(&census, place, CLASS_EXACT);         place: of the label, below CLASSES_MAX
 *     census_remove(&census, place, CLASS_EXACT);
 *     n = census_largest(&census, 100, places);        labels with most instances first
 *
 * A part of the memory bank, whose lock covers it.
 */
#ifndef MUNKEY_CORE_CENSUS_H
#define MUNKEY_CORE_CENSUS_H

#include <stddef.h>
#include <stdint.h>

#include "core/key.h"

/* Of class exact, and of class trained. */
struct class_counts {
    uint64_t exact, trained;
};

struct census {
    struct class_counts all;
    uint64_t masked; /* of all, those that no search finds (GDPR Art. 18) */
    size_t labels;   /* that have an instance */
    struct class_counts
        at[CLASSES_MAX]; /* each label's; one that stands at no place has none */
};

void census_add(struct census *census, size_t place, enum instance_class class);
void census_remove(struct census *census, size_t place, enum instance_class class);

/* The places of the labels with most instances, at most max of them. */
size_t census_largest(const struct census *census, size_t max, size_t *ret_places);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* How many instances there are, by class and label. */
#include "core/census.h"

static uint64_t size(const struct class_counts *counts)
{
    return counts->exact + counts->trained;
}

static void count(struct class_counts *counts, enum instance_class class, int change)
{
    if (class == CLASS_TRAINED)
        counts->trained += (uint64_t)change;
    else
        counts->exact += (uint64_t)change;
}

void census_add(struct census *census, size_t place, enum instance_class class)
{
    count(&census->all, class, 1);
    if (place >= CLASSES_MAX)
        return;
    census->labels += size(&census->at[place]) == 0;
    count(&census->at[place], class, 1);
}

void census_remove(struct census *census, size_t place, enum instance_class class)
{
    count(&census->all, class, -1);
    if (place >= CLASSES_MAX)
        return;
    count(&census->at[place], class, -1);
    census->labels -= size(&census->at[place]) == 0;
}

size_t census_largest(const struct census *census, size_t max, size_t *ret_places)
{
    size_t n = 0;
    for (size_t place = 0; place < CLASSES_MAX; place++) {
        uint64_t here = size(&census->at[place]);
        if (here == 0 || (n == max && here <= size(&census->at[ret_places[n - 1]])))
            continue;
        size_t at = n < max ? n++ : n - 1;
        for (; at > 0 && here > size(&census->at[ret_places[at - 1]]); at--)
            ret_places[at] = ret_places[at - 1];
        ret_places[at] = place;
    }
    return n;
}

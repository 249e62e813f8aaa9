/* SPDX-License-Identifier: Apache-2.0 */
/* A neighbour of a query as comparisons see it: its label and its similarity.
 *
 *     struct near near[MIXTURE_K];                  nearest first
 *     near_count(near, MIXTURE_K)                   how many there are
 */
#ifndef MUNKEY_CORE_NEAR_H
#define MUNKEY_CORE_NEAR_H

#include <stddef.h>
#include <stdint.h>

enum { MIXTURE_K = 16 }; /* neighbours of each query */

enum { NO_LABEL = UINT32_MAX };
struct near {
    uint32_t label; /* NO_LABEL: no neighbour any more */
    float similarity;
};

static inline size_t near_count(const struct near *near, size_t k)
{
    size_t n = 0;
    while (n < k && near[n].label != NO_LABEL)
        n++;
    return n;
}

#endif

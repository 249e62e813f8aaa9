/* SPDX-License-Identifier: Apache-2.0 */
/* Who is forgotten in an evaluation. */
#include "core/forget_set.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/rng.h"

size_t forget_count(size_t n, double share)
{
    size_t count = (size_t)llround(share * (double)n);
    return count > 0 ? count : 1;
}

/* Selection sampling: Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S. */
int forget_random(uint64_t seed, size_t n, double share, bool *ret_forget)
{
    size_t count = forget_count(n, share), left = count;
    struct rng rng = rng_at(seed, RNG_FORGET, 0, n);
    for (size_t i = 0; i < n; i++) {
        ret_forget[i] = rng_uniform(&rng) * (double)(n - i) < (double)left;
        left -= ret_forget[i];
    }
    return (int)count;
}

int forget_class(const uint32_t *labels, size_t n, uint32_t class, bool *ret_forget)
{
    int count = 0;
    for (size_t i = 0; i < n; i++)
        count += ret_forget[i] = labels[i] == class;
    return count;
}

int forget_groups(uint64_t seed, const uint32_t *group, size_t n, size_t groups,
                  double share, bool *ret_forget)
{
    bool *chosen = calloc(groups, sizeof *chosen);
    int count = 0;
    if (!chosen)
        return fail(MK_ENOMEM, "no memory for %zu subjects", groups);
    forget_random(seed, groups, share, chosen);
    for (size_t i = 0; i < n; i++)
        count += ret_forget[i] = chosen[group[i]];
    free(chosen);
    return count;
}

struct ranked {
    double score;
    size_t member;
};

static int by_score(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    int order = (x->score < y->score) - (x->score > y->score);
    return order ? order : (x->member > y->member) - (x->member < y->member);
}

/* The caller frees it. */
static struct ranked *rank(const double *score, size_t n)
{
    struct ranked *list = calloc(n, sizeof *list);
    if (!list) {
        fail(MK_ENOMEM, "no memory to rank %zu members", n);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        list[i] = (struct ranked){score[i], i};
    qsort(list, n, sizeof *list, by_score);
    return list;
}

int forget_highest(const double *score, size_t n, size_t count, bool *ret_forget)
{
    struct ranked *list = rank(score, n);
    if (!list)
        return MK_ENOMEM;
    memset(ret_forget, 0, n * sizeof *ret_forget);
    for (size_t i = 0; i < count && i < n; i++)
        ret_forget[list[i].member] = true;
    free(list);
    return (int)(count < n ? count : n);
}

int forget_copied(const uint32_t *nearest, const double *similarity, size_t n,
                  size_t count, bool *ret_forget)
{
    struct ranked *list = rank(similarity, n);
    bool *stays = calloc(n, sizeof *stays);
    size_t found = 0;
    int rc = list && stays ? 0 : fail(MK_ENOMEM, "no memory for %zu members", n);
    if (rc == 0)
        memset(ret_forget, 0, n * sizeof *ret_forget);
    for (size_t i = 0; rc == 0 && i < n && found < count; i++) {
        size_t member = list[i].member, copy = nearest[member];
        if (stays[member] || ret_forget[copy])
            continue;
        ret_forget[member] = stays[copy] = true;
        found++;
    }
    free(list);
    free(stays);
    return rc == 0 ? (int)found : rc;
}

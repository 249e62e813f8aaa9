/* SPDX-License-Identifier: Apache-2.0 */
/* Nearest keys of many queries at once.
 *
 * Dot products of int8 keys are whole numbers below 2^24, so float products add them up
 * without an error, in any order.
 */
#include "core/train_neighbours.h"

#include <stdlib.h>

#include "core/err.h"
#include "core/linalg.h"
#include "core/train_parallel.h"

enum { BLOCK = 32 }; /* queries of a piece */

struct search {
    const struct key_list *keys, *queries;
    size_t n;
    float tau_dup;
    float *matrix; /* (keys, dim): components as whole numbers */
    float *dots;   /* (threads, BLOCK, keys) */
    struct neighbour *list;
};

static size_t count(const struct key_list *keys)
{
    return keys->rows.end - keys->rows.begin;
}

static void unpack(const struct key_list *keys, size_t first, size_t n, float *matrix)
{
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < keys->dim; c++)
            matrix[i * keys->dim + c] = keys->key[first + i].q[c];
}

/* Puts a candidate where it belongs among the n best so far.  Rows come in ascending
 * order, so an equal similarity goes behind. */
static void insert(struct neighbour *list, size_t n, struct neighbour candidate)
{
    size_t at = n;
    if (list[n - 1].row != NO_ROW && candidate.similarity <= list[n - 1].similarity)
        return;
    while (at > 0 && (list[at - 1].row == NO_ROW ||
                      list[at - 1].similarity < candidate.similarity)) {
        if (at < n)
            list[at] = list[at - 1];
        at--;
    }
    list[at] = candidate;
}

static void rank(const struct search *s, size_t query, const float *dots)
{
    struct neighbour *list = s->list + query * s->n;
    uint64_t self = s->queries->rows.begin + query;
    for (size_t i = 0; i < s->n; i++)
        list[i] = (struct neighbour){NO_ROW, 0};
    for (size_t i = 0; i < count(s->keys); i++) {
        uint64_t row = s->keys->rows.begin + i;
        float similarity = dots[i] * s->keys->key[i].scale * s->queries->key[query].scale;
        if (s->tau_dup >= TAU_ANY || (row != self && similarity < s->tau_dup))
            insert(list, s->n, (struct neighbour){(uint32_t)row, similarity});
    }
}

static void search_block(void *context, size_t worker, size_t number)
{
    struct search *s = context;
    size_t first = number * BLOCK, keys = count(s->keys), dim = s->keys->dim;
    size_t n = count(s->queries) - first < BLOCK ? count(s->queries) - first : BLOCK;
    float *dots = s->dots + worker * BLOCK * keys, queries[BLOCK * KEY_DIM_MAX] = {0};
    unpack(s->queries, first, n, queries);
    linalg_nt(n, keys, dim, 1, queries, dim, s->matrix, dim, 0, dots, keys);
    for (size_t i = 0; i < n; i++)
        rank(s, first + i, dots + i * keys);
}

int neighbours_find(const struct key_list *keys, const struct key_list *queries, size_t n,
                    float tau_dup, size_t threads, struct neighbour *ret_list)
{
    struct search s = {keys, queries, n, tau_dup, .list = ret_list};
    s.matrix = calloc(count(keys) * keys->dim, sizeof *s.matrix);
    s.dots = calloc(threads * BLOCK * count(keys), sizeof *s.dots);
    if (s.matrix && s.dots) {
        unpack(keys, 0, count(keys), s.matrix);
        parallel_for(threads, (count(queries) + BLOCK - 1) / BLOCK, search_block, &s);
    }
    int rc =
        s.matrix && s.dots ? 0 : fail(MK_ENOMEM, "no memory for a search of neighbours");
    free(s.matrix);
    free(s.dots);
    return rc;
}

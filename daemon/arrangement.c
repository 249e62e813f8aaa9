/* SPDX-License-Identifier: Apache-2.0 */
/* Who of a study's images is what under a seed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/forget_set.h"
#include "core/rng.h"
#include "daemon/study_data.h"

const struct arrangement_wish arrangement_paper = {
    .base = 1, .b1 = 20, .b2 = 75, .val = 5};

size_t range_length(struct row_range range)
{
    return range.end - range.begin;
}

/* The rows of from in another order, or some of them. */
static int copy_rows(const struct pixels *from, const uint32_t *order, size_t n,
                     struct pixels *to)
{
    const struct images *i = &from->images;
    size_t size = (size_t)i->height * i->width * i->channels;
    to->bytes = calloc(n, size);
    to->labels = calloc(n, sizeof *to->labels);
    to->group = calloc(n, sizeof *to->group);
    if (!to->bytes || !to->labels || !to->group)
        return fail(MK_ENOMEM, "no memory for %zu images of %zu bytes", n, size);
    to->images =
        (struct images){n, i->height, i->width, i->channels, to->bytes, to->labels};
    to->groups = from->groups;
    for (size_t at = 0; at < n; at++) {
        memcpy(to->bytes + at * size, from->bytes + order[at] * size, size);
        to->labels[at] = from->labels[order[at]];
        to->group[at] = from->group[order[at]];
    }
    return 0;
}

static int copied(int rc, struct pixels *copy, struct pixels *ret_pixels)
{
    if (rc < 0)
        pixels_done(copy);
    else
        *ret_pixels = *copy; /* transferred */
    return rc;
}

int pixels_draw(const struct pixels *pixels, size_t count, uint64_t seed,
                struct pixels *ret_pixels)
{
    size_t n = pixels->images.n;
    uint32_t *order = calloc(n, sizeof *order);
    struct rng rng = rng_at(seed, RNG_SPLIT, 1, n);
    struct pixels copy = {0};
    if (!order)
        return fail(MK_ENOMEM, "no memory for %zu rows", n);
    if (count > 0 && count < n)
        rng_permutation(&rng, order, (uint32_t)n);
    for (size_t i = 0; i < n && (count == 0 || count >= n); i++)
        order[i] = (uint32_t)i;
    int rc = copy_rows(pixels, order, count > 0 && count < n ? count : n, &copy);
    free(order);
    return copied(rc, &copy, ret_pixels);
}

struct place {
    uint32_t rank, row;
};

static int by_rank(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int order = (x->rank > y->rank) - (x->rank < y->rank);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

/* Rows group by group, groups in an order that is drawn.  The caller frees it. */
static struct place *draw(const struct pixels *pixels, uint64_t seed)
{
    size_t n = pixels->images.n;
    struct place *place = calloc(n, sizeof *place);
    uint32_t *rank = calloc(pixels->groups, sizeof *rank);
    struct rng rng = rng_at(seed, RNG_SPLIT, 0, pixels->groups);
    if (place && rank) {
        rng_permutation(&rng, rank, (uint32_t)pixels->groups);
        for (size_t i = 0; i < n; i++)
            place[i] = (struct place){rank[pixels->group[i]], (uint32_t)i};
        qsort(place, n, sizeof *place, by_rank);
    }
    free(rank);
    return place;
}

/* The first place from wanted on that cuts no group. */
static size_t cut(const struct place *place, size_t n, double wanted)
{
    size_t at = (size_t)llround(wanted);
    while (at > 0 && at < n && place[at].rank == place[at - 1].rank)
        at++;
    return at < n ? at : n;
}

static int share_out(const struct arrangement_wish *w, const struct place *place,
                     size_t n, struct arrangement *a)
{
    double sum = w->b1 + w->b2 + w->val;
    size_t base = cut(place, n, w->base * (double)n);
    size_t b1 = cut(place, base, (double)base * w->b1 / sum);
    size_t b2 = cut(place, base, (double)base * (w->b1 + w->b2) / sum);
    if (b1 == 0 || b2 <= b1 || base <= b2)
        return fail(MK_EINPUT,
                    "%zu images of too few subjects: encoder, classifier and calibration "
                    "each need some",
                    n);
    a->b1 = (struct row_range){0, b1};
    a->b2 = (struct row_range){b1, b2};
    a->val = (struct row_range){b2, base};
    a->rest = (struct row_range){base, n};
    return 0;
}

int arrangement_draw(const struct study_data *data, const struct arrangement_wish *wish,
                     uint64_t seed, struct arrangement *ret_arrangement)
{
    size_t all = data->train.images.n, n = wish->images ? wish->images : all;
    struct arrangement a = {0};
    struct place *place = draw(&data->train, seed);
    uint32_t *order = calloc(all, sizeof *order);
    int rc = place && order ? 0 : fail(MK_ENOMEM, "no memory for %zu rows", all);
    if (rc == 0 && n > all)
        rc = fail(MK_EINPUT, "\"images\" asks for %zu rows, and there are %zu", n, all);
    if (rc == 0) {
        n = cut(place, all, (double)n);
        rc = share_out(wish, place, n, &a);
    }
    for (size_t i = 0; rc == 0 && i < n; i++)
        order[i] = place[i].row;
    if (rc == 0)
        rc = copy_rows(&data->train, order, n, &a.pixels);
    free(place);
    free(order);
    if (rc < 0)
        arrangement_done(&a);
    else
        *ret_arrangement = a; /* transferred */
    return rc;
}

int arrangement_without(const struct arrangement *all, const bool *forget,
                        struct arrangement *ret_arrangement)
{
    size_t n = all->pixels.images.n, kept = 0, begin = all->b2.begin;
    struct arrangement a = *all;
    uint32_t *order = calloc(n, sizeof *order);
    if (!order)
        return fail(MK_ENOMEM, "no memory for %zu rows", n);
    for (size_t i = 0; i < n; i++)
        if (i < begin || i >= all->b2.end || !forget[i - begin])
            order[kept++] = (uint32_t)i;
    size_t gone = n - kept;
    for (size_t i = begin, at = kept; i < all->b2.end; i++)
        if (forget[i - begin])
            order[at++] = (uint32_t)i;
    a.b2.end -= gone;
    a.val.begin -= gone;
    a.val.end -= gone;
    a.rest = (struct row_range){a.rest.begin - gone, a.rest.end - gone};
    a.pixels = (struct pixels){0};
    int rc = a.b2.end > a.b2.begin ? copy_rows(&all->pixels, order, n, &a.pixels)
                                   : fail(MK_EINPUT, "nobody is left to learn from");
    free(order);
    if (rc < 0)
        arrangement_done(&a);
    else
        *ret_arrangement = a; /* transferred */
    return rc;
}

int arrangement_subjects(const struct arrangement *all, struct row_range range,
                         uint64_t seed, double share, bool *ret_forget)
{
    size_t n = range_length(range), groups = 0;
    const uint32_t *from = all->pixels.group + range.begin;
    uint32_t *number = calloc(all->pixels.groups, sizeof *number);
    uint32_t *group = calloc(n, sizeof *group);
    int rc = number && group ? 0 : fail(MK_ENOMEM, "no memory for %zu subjects", n);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (number[from[i]] == 0)
            number[from[i]] = (uint32_t)++groups;
        group[i] = number[from[i]] - 1;
    }
    if (rc == 0)
        rc = forget_groups(seed, group, n, groups, share, ret_forget);
    free(number);
    free(group);
    return rc;
}

void arrangement_done(struct arrangement *a)
{
    pixels_done(&a->pixels);
    *a = (struct arrangement){0};
}

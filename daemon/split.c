/* SPDX-License-Identifier: Apache-2.0 */
/* Which images the weights may see, and what for; the others are only enrolled. */
#include "daemon/split.h"

#include <endian.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/crypto.h"

/* A sample and what it is sorted by. */
struct place {
    int tier; /* 0: the weights may see it; 1: enrol; 2: test */
    uint8_t rank[SHA256_SIZE];
    struct sample sample;
};

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int order = x->tier - y->tier;

    if (order == 0)
        order = memcmp(x->rank, y->rank, sizeof x->rank);
    return order ? order
                 : (x->sample.row > y->sample.row) - (x->sample.row < y->sample.row);
}

/* A row that is nobody's is a subject of its own, named by its path. */
static void rank(const struct sample *sample, uint64_t seed, uint8_t *ret_rank)
{
    const uint64_t number = htole64(seed);
    const struct bytes nobody = {sample->path, strlen(sample->path)};
    const struct bytes somebody = {sample->subject.id, sample->subject.len};
    const struct bytes parts[] = {{"munkey-order\n", 13},
                                  {&number, sizeof number},
                                  {sample->subject.len ? "s" : "p", 1},
                                  sample->subject.len ? somebody : nobody};

    crypto_sha256_parts(parts, 4, ret_rank);
}

static struct place place_of(const struct sample *sample, uint64_t seed)
{
    struct place place = {.sample = *sample};

    if (sample->split == SPLIT_ENROL || sample->split == SPLIT_TEST)
        place.tier = sample->split == SPLIT_ENROL ? 1 : 2;
    else
        rank(sample, seed, place.rank);
    return place;
}

int split_order(struct dataset *data, uint64_t seed)
{
    struct place *place;

    if (!data->root)
        return 0;
    if (!(place = calloc(data->n, sizeof *place)))
        return fail(MK_ENOMEM, "no memory to order %zu rows", data->n);
    for (size_t i = 0; i < data->n; i++)
        place[i] = place_of(&data->sample[i], seed);
    qsort(place, data->n, sizeof *place, by_place);
    for (size_t i = 0; i < data->n; i++)
        data->sample[i] = place[i].sample;
    crypto_wipe(place, data->n * sizeof *place);
    free(place);
    return 0;
}

/* Nobody's rows are of different people. */
static bool same_subject(const struct sample *a, const struct sample *b)
{
    return a->subject.len && a->subject.len == b->subject.len &&
           memcmp(a->subject.id, b->subject.id, a->subject.len) == 0;
}

static int by_subject(const void *a, const void *b)
{
    const struct sample *const *x = a, *const *y = b;
    const size_t len = (*x)->subject.len, other = (*y)->subject.len;
    int order = memcmp((*x)->subject.id, (*y)->subject.id, len < other ? len : other);

    if (order == 0)
        order = (len > other) - (len < other);
    if (order == 0)
        order = (int)(*x)->split - (int)(*y)->split;
    return order ? order : ((*x)->row > (*y)->row) - ((*x)->row < (*y)->row);
}

/* ret_cut: somebody's rows stand in base and in enrol. */
static int check_subjects(const struct dataset *data, bool allowed, bool *ret_cut)
{
    const struct sample **sorted = calloc(data->n, sizeof *sorted);
    size_t n = 0;
    int rc = 0;

    if (!sorted)
        return fail(MK_ENOMEM, "no memory for %zu rows", data->n);
    for (size_t i = 0; i < data->n; i++)
        if (data->sample[i].subject.len &&
            (data->sample[i].split == SPLIT_BASE || data->sample[i].split == SPLIT_ENROL))
            sorted[n++] = &data->sample[i];
    qsort(sorted, n, sizeof *sorted, by_subject);
    for (size_t i = 1; i < n && rc == 0; i++) {
        if (!same_subject(sorted[i - 1], sorted[i]) ||
            sorted[i - 1]->split == sorted[i]->split)
            continue;
        *ret_cut = true;
        if (!allowed) {
            char why[200];
            snprintf(
                why, sizeof why,
                "this row's subject is of split enrol here and of split base in line "
                "%zu: the weights would have seen them (--allow-split-subjects)",
                sorted[i - 1]->line);
            rc = dataset_fail(data, sorted[i], MK_EINPUT, why);
        }
    }
    free(sorted);
    return rc;
}

/* Whether a cut before sample at goes through somebody's rows. */
static bool cuts(const struct dataset *data, size_t at)
{
    return at > 0 && at < data->n &&
           same_subject(&data->sample[at - 1], &data->sample[at]);
}

/* The places where the first n samples may be cut: between two subjects, or anywhere. */
struct cutter {
    const struct dataset *data;
    size_t n;
    bool anywhere;
};

static size_t cut_before(const struct cutter *c, size_t at)
{
    while (at > 0 && at < c->n && !c->anywhere && cuts(c->data, at))
        at--;
    return at;
}

static size_t cut_behind(const struct cutter *c, size_t at)
{
    while (at > 0 && at < c->n && !c->anywhere && cuts(c->data, at))
        at++;
    return at;
}

static size_t cut_near(const struct cutter *c, double wanted)
{
    const size_t place = (size_t)llround(wanted);
    const size_t before = cut_before(c, place), behind = cut_behind(c, place);

    return place - before <= behind - place ? before : behind;
}

/* Samples before the first of split enrol or test. */
static size_t count_eligible(const struct dataset *data)
{
    size_t n = 0;

    while (n < data->n &&
           (data->sample[n].split == SPLIT_NONE || data->sample[n].split == SPLIT_BASE))
        n++;
    return n;
}

/* At least one subject each, where there are three. */
static void share_out(const struct cutter *c, const struct split_wish *wish,
                      size_t *ret_b1, size_t *ret_b2)
{
    const double sum = wish->b1 + wish->b2 + wish->val, rows = (double)c->n;
    size_t b1 = cut_near(c, rows * wish->b1 / sum);
    size_t b2 = cut_near(c, rows * (wish->b1 + wish->b2) / sum);

    if (b2 >= c->n)
        b2 = cut_before(c, c->n - 1);
    if (b1 >= b2 && b2 > 0)
        b1 = cut_before(c, b2 - 1);
    if (b1 == 0)
        b1 = cut_behind(c, 1);
    if (b2 <= b1)
        b2 = cut_behind(c, b1 + 1);
    *ret_b1 = b1;
    *ret_b2 = b2;
}

static int cut_parts(const struct dataset *data, const struct split_wish *wish,
                     struct parts *parts)
{
    const double share = data->has_split || wish->paper ? 1 : wish->base;
    struct cutter c = {data, count_eligible(data), wish->cut_subjects};
    size_t b1 = 0, b2 = 0;

    if (share > 1)
        return fail(MK_EINPUT, "--split asks for %.0f rows, and there are %zu",
                    share * (double)c.n, c.n);
    c.n = cut_near(&c, share * (double)c.n);
    if (c.n > 0)
        share_out(&c, wish, &b1, &b2);
    if (b1 == 0 || b2 <= b1 || c.n <= b2)
        return fail(
            MK_EINPUT,
            "%s: %zu rows that the weights may see cannot be shared out to encoder, "
            "classifier and calibration without cutting a subject's rows: too few "
            "subjects (--base, --allow-split-subjects)",
            data->name, c.n);
    parts->b1 = (struct row_range){0, b1};
    parts->b2 = (struct row_range){b1, b2};
    parts->val = (struct row_range){b2, c.n};
    parts->cut |= cuts(data, b1) || cuts(data, b2) || cuts(data, c.n);
    for (size_t i = c.n; i < data->n; i++)
        data->sample[i].split == SPLIT_TEST ? parts->test++ : parts->enrol++;
    return 0;
}

/* A class that the weights never meet, they never name. */
static int check_classes(const struct dataset *data, const struct parts *parts)
{
    bool *seen = calloc(data->classes, sizeof *seen);
    int rc = seen ? 0 : fail(MK_ENOMEM, "no memory for %u classes", data->classes);

    for (size_t i = 0; rc == 0 && i < data->n; i++) {
        if (i < parts->val.end)
            seen[data->sample[i].label] = true;
        else if (!seen[data->sample[i].label])
            rc = dataset_fail(data, &data->sample[i], MK_EINPUT,
                              "a label that no row has which the weights may see (base)");
    }
    free(seen);
    return rc;
}

static int check_paper(const struct dataset *data)
{
    for (size_t i = 0; i < data->n; i++)
        if (data->sample[i].split == SPLIT_ENROL)
            return dataset_fail(data, &data->sample[i], MK_EINPUT,
                                "split enrol: in paper mode the weights see every row");
    return 0;
}

int split_data(struct dataset *data, const struct split_wish *wish,
               struct parts *ret_parts)
{
    struct parts parts = {0};
    int rc = wish->paper ? check_paper(data) : 0;

    if (rc == 0)
        rc = check_subjects(data, wish->cut_subjects, &parts.cut);
    if (rc == 0)
        rc = split_order(data, wish->seed);
    if (rc == 0)
        rc = cut_parts(data, wish, &parts);
    if (rc == 0)
        rc = wish->open_labels ? dataset_open_labels(data, parts.val.end)
                               : check_classes(data, &parts);
    if (rc == 0)
        *ret_parts = parts;
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What was understood of a data set, in counts, for the person who trains on it. */
#include "daemon/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "daemon/copies.h"

enum { CLASSES_NAMED = 12 };

/* How often things stand there. */
struct tally {
    size_t kinds, least, most;
};

static struct tally tally_of(const size_t *count, size_t n)
{
    struct tally tally = {.least = SIZE_MAX};

    for (size_t i = 0; i < n; i++) {
        if (count[i] == 0)
            continue;
        tally.kinds++;
        tally.least = count[i] < tally.least ? count[i] : tally.least;
        tally.most = count[i] > tally.most ? count[i] : tally.most;
    }
    return tally;
}

static void print_tally(const char *what, struct tally tally)
{
    if (tally.least == tally.most)
        printf("%s%zu, with %zu rows each\n", what, tally.kinds, tally.most);
    else
        printf("%s%zu, with %zu to %zu rows each\n", what, tally.kinds, tally.least,
               tally.most);
}

/* count: (classes), of samples [begin, end). */
static void count_classes(const struct dataset *data, size_t begin, size_t end,
                          size_t *count)
{
    memset(count, 0, data->classes * sizeof *count);
    for (size_t i = begin; i < end; i++)
        count[data->sample[i].label]++;
}

static void print_classes(const struct dataset *data, size_t *count)
{
    count_classes(data, 0, data->n, count);
    if (data->classes > CLASSES_NAMED) {
        print_tally("  classes   ", tally_of(count, data->classes));
        return;
    }
    printf("  classes   %u:", data->classes);
    for (uint32_t c = 0; c < data->classes; c++)
        if (data->label)
            printf(" %s %zu%s", data->label[c], count[c],
                   c + 1 < data->classes ? "," : "\n");
        else
            printf(" %u %zu%s", c, count[c], c + 1 < data->classes ? "," : "\n");
}

static int by_id(const void *a, const void *b)
{
    const struct subject *x = a, *y = b;
    const int order = memcmp(x->id, y->id, x->len < y->len ? x->len : y->len);

    return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* Sizes of subjects into count: (n). */
static void count_subjects(struct subject *subject, size_t n, size_t *count)
{
    qsort(subject, n, sizeof *subject, by_id);
    for (size_t i = 0, at = 0; i < n; i++) {
        if (i > 0 && by_id(&subject[i - 1], &subject[i]) != 0)
            at++;
        count[at]++;
    }
}

static int print_subjects(const struct dataset *data)
{
    struct subject *subject = calloc(data->n, sizeof *subject);
    size_t *count = calloc(data->n, sizeof *count), n = 0;
    int rc = subject && count ? 0 : fail(MK_ENOMEM, "no memory for %zu rows", data->n);

    for (size_t i = 0; rc == 0 && i < data->n; i++)
        if (data->sample[i].subject.len)
            subject[n++] = data->sample[i].subject;
    if (rc == 0 && n > 0) {
        count_subjects(subject, n, count);
        print_tally("  subjects  ", tally_of(count, n));
    }
    if (rc == 0 && data->has_subject && n < data->n)
        printf(
            "  missing   the subject of %zu rows: munkeyctl import refuses those but of "
            "split test\n",
            data->n - n);
    free(subject);
    free(count);
    return rc;
}

static size_t length(struct row_range range)
{
    return range.end - range.begin;
}

static void print_parts(const struct split_wish *wish, const struct parts *parts)
{
    printf("  weights   see %zu rows: encoder %zu, classifier %zu, calibration %zu\n",
           (size_t)parts->val.end, length(parts->b1), length(parts->b2),
           length(parts->val));
    if (wish->paper)
        printf(
            "  memory    class trained: %zu rows that the weights see; the encoder's are "
            "public\n",
            (size_t)parts->val.end - length(parts->b1));
    printf("  memory    class exact: %zu rows that the weights never see\n",
           parts->enrol);
    printf("  test      %zu rows\n", parts->test);
    if (parts->cut)
        printf("  subjects  are cut: some people's rows are on both sides of a part\n");
}

static void print_missing(const struct dataset *data, const struct split_wish *wish,
                          const struct parts *parts, size_t *count)
{
    if (data->root && !data->has_subject)
        printf(
            "  missing   subjects: rows were shared out one by one, and munkeyctl import "
            "cannot enrol what is nobody's\n");
    if (data->root && !data->has_split && !wish->paper)
        printf(
            "  missing   base and enrol: a share of %.2f for the weights was drawn with "
            "seed %ju\n",
            wish->base, (uintmax_t)wish->seed);
    if (data->root && parts->test == 0)
        printf("  missing   rows of split test: --evaluate has nothing to ask\n");
    count_classes(data, parts->b2.begin, parts->b2.end, count);
    const size_t kinds = tally_of(count, data->classes).kinds;
    if (data->classes > data->built_in)
        printf("  labels    open: the weights never meet %u of the classes\n",
               data->classes - data->built_in);
    if (kinds < data->built_in)
        printf(
            "  missing   %zu classes among the classifier's rows: the memory's passes do "
            "not learn them\n",
            data->built_in - kinds);
}

int survey_print(const struct dataset *data, const struct split_wish *wish,
                 const struct parts *parts)
{
    size_t *count = calloc(data->classes, sizeof *count);
    int rc = count ? 0 : fail(MK_ENOMEM, "no memory for %u classes", data->classes);

    if (rc == 0) {
        printf("%s: %zu rows\n", data->name, data->n);
        print_classes(data, count);
        rc = print_subjects(data);
    }
    if (rc == 0) {
        print_parts(wish, parts);
        print_missing(data, wish, parts, count);
        fflush(stdout);
    }
    free(count);
    return rc;
}

int survey_print_copies(const struct dataset *data, const struct parts *parts)
{
    bool *seen = calloc(data->n, sizeof *seen);
    size_t copies = 0;
    int rc = seen ? 0 : fail(MK_ENOMEM, "no memory for %zu rows", data->n);

    for (size_t i = 0; rc == 0 && i < parts->val.end; i++)
        seen[i] = true;
    if (rc == 0)
        rc = copies_spread(data, seen);
    for (size_t i = parts->val.end; rc == 0 && i < data->n; i++)
        copies += seen[i];
    if (copies > 0)
        printf("  copies    %zu other rows are, byte for byte, files that the weights "
               "see: those "
               "are of class trained, and a test of them means nothing\n",
               copies);
    free(seen);
    return rc;
}

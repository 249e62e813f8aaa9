/* SPDX-License-Identifier: Apache-2.0 */
/* Which images the weights may see, and what for; the others are only enrolled.
 *
 *     rc = split_data(&data, &wish, &parts);          data.sample is in the order of subjects
 *     parts.b1, parts.b2, parts.val                   ranges of it, from 0 on
 *
 * Order of subjects (docs/MODEL.md, "Data"): rows that the weights may see come first, subject
 * by subject, each ranked by SHA-256(seed, id); then rows of split enrol, then those of test.  It
 * depends on the rows and the seed alone, so that a model file needs no more than ranges.
 * Images of IDX files stay in the file's order.
 */
#ifndef MUNKEY_DAEMON_SPLIT_H
#define MUNKEY_DAEMON_SPLIT_H

#include "core/model.h"
#include "daemon/dataset.h"

struct split_wish {
    double base;        /* share of rows that the weights may see, when no row says so */
    double b1, b2, val; /* how those are shared out, in proportion */
    bool paper;         /* the weights see all of them, and B1 is public */
    bool cut_subjects;  /* one person's rows may go to several parts */
    bool open_labels;   /* labels may appear that no row of base has */
    uint64_t seed;
};

struct parts {
    struct row_range b1, b2, val; /* encoder, classifier, calibration */
    size_t enrol, test;           /* rows behind them */
    bool cut;                     /* somebody's rows are in several parts */
};

/* MK_EINPUT: a subject stands in base and in enrol, a part would be empty, a label that is
 * not open stands in no row of base, or paper mode meets a row of split enrol. */
int split_data(struct dataset *data, const struct split_wish *wish,
               struct parts *ret_parts);

/* Puts the samples of files into the order of subjects. */
int split_order(struct dataset *data, uint64_t seed);

#endif

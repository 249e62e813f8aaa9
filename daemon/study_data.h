/* SPDX-License-Identifier: Apache-2.0 */
/* A study's images, and who of them is what under a seed.
 *
 *     rc = study_data_read(&study, threads, &data);
 *     rc = arrangement_draw(&data, &wish, seed, &all);     whole subjects, never by order
 *     all.images, all.b1, all.b2, all.val, all.rest        ranges of it
 *     rc = arrangement_without(&all, forget, &retained);   B2 becomes shorter
 *     arrangement_done(&all);
 *     study_data_done(&data);
 */
#ifndef MUNKEY_DAEMON_STUDY_DATA_H
#define MUNKEY_DAEMON_STUDY_DATA_H

#include "core/train_data.h"
#include "daemon/study.h"

/* Labelled pixels that are owned. */
struct pixels {
    uint8_t *bytes;
    uint32_t *labels;
    uint32_t *group; /* (n): whose, 0 to groups - 1; NULL: each is its own */
    size_t groups;
    struct images images;
};

struct study_data {
    struct shape shape;
    struct pixels train, test;
    uint8_t sha256[32]; /* of all images and labels */
    char name[40];
};

/* Progress goes to standard error.  MK_EINPUT, MK_EIO, MK_ENOMEM. */
int study_data_read(const struct study *study, size_t threads,
                    struct study_data *ret_data);
void study_data_done(struct study_data *data); /* takes zeros */

/* What the weights see. */
struct arrangement_wish {
    size_t images;      /* rows in all; 0: all there are */
    double base;        /* share of them that the weights may see */
    double b1, b2, val; /* how those are shared out, in proportion */
};
extern const struct arrangement_wish arrangement_paper; /* all, 20:75:5 */

struct arrangement {
    struct pixels pixels; /* a copy, in this order: */
    struct row_range b1, b2, val, rest;
};

/* MK_EINPUT: there are too few subjects. */
int arrangement_draw(const struct study_data *data, const struct arrangement_wish *wish,
                     uint64_t seed, struct arrangement *ret_arrangement);

/* forget: (rows of B2); those stand at the end, in no part. */
int arrangement_without(const struct arrangement *all, const bool *forget,
                        struct arrangement *ret_arrangement);
void arrangement_done(struct arrangement *arrangement); /* takes zeros */

/* All rows of a share of the subjects that have some in the range, drawn with the seed.
 * ret_forget: (rows of the range).  Returns how many rows they are, or MK_ENOMEM. */
int arrangement_subjects(const struct arrangement *all, struct row_range range,
                         uint64_t seed, double share, bool *ret_forget);

/* count rows of pixels, drawn with the seed; or all, in their order, when there are no more. */
int pixels_draw(const struct pixels *pixels, size_t count, uint64_t seed,
                struct pixels *ret_pixels);
void pixels_done(struct pixels *pixels); /* wipes; takes zeros */

size_t range_length(struct row_range range);

#endif

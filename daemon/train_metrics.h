/* SPDX-License-Identifier: Apache-2.0 */
/* The course of a training run as JSON lines, for plots and for whoever waits for it.
 *
 *     rc = metrics_open("people.jsonl", batch, &metrics);    NULL: nothing is written
 *     rc = metrics_news(&metrics, &news);                     every 50 steps, and the last
 *     rc = metrics_findings(&metrics, &findings, info);
 *     metrics_close(&metrics);
 *
 * A run that goes on from a checkpoint goes on writing to the same file.
 */
#ifndef MUNKEY_DAEMON_TRAIN_METRICS_H
#define MUNKEY_DAEMON_TRAIN_METRICS_H

#include <stdio.h>

#include "core/train.h"

struct metrics {
    FILE *out; /* NULL: nowhere */
    const char *path;
    size_t batch;
    /* Where the stage began, and when: resumed steps do not count as work. */
    enum train_stage stage;
    size_t first;
    double began; /* seconds */
};

const char *stage_name(enum train_stage stage);

/* Appends to path; NULL is no file.  MK_EIO. */
int metrics_open(const char *path, size_t batch, struct metrics *ret_metrics);
int metrics_news(struct metrics *metrics, const struct train_news *news);
int metrics_findings(struct metrics *metrics, const struct train_findings *findings,
                     const struct model_info *info);
void metrics_close(struct metrics *metrics);

/* Images a second in this stage so far, and seconds left; 0 where nothing is known. */
void metrics_rate(const struct metrics *metrics, const struct train_news *news,
                  double *ret_rate, double *ret_left);

#endif

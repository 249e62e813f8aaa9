/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes: each kind of work has its threads and its queue, so that none waits for another.
 *
 *     rc = lanes_start(model, threads, limit, &lanes);
 *     rc = lanes_submit(lanes, LANE_PREDICT, &job);     MK_EBUSY: the queue is full
 *     lanes_drain(lanes);                               runs what waits, then ends
 *     lanes_free(lanes);
 *
 * Predictions have several threads and share no queue with anything else.  Enrolments,
 * erasures, bulks of erasures and reads have one each; all of these take the state's mutex,
 * which is not fair, so enrolments and reads do not start while an erasure waits or runs: no
 * flood delays it by more than the one that was running when it came.  A bulk gives way between
 * two of its transactions, and a backup, which has a thread of its own, too, between two steps.
 */
#ifndef MUNKEY_API_LANES_H
#define MUNKEY_API_LANES_H

#include "api/handler.h"

struct lanes; /* opaque */

struct job {
    struct job *next;
    void (*run)(struct job *job,
                struct scratch *scratch); /* the lane's thread's scratch */
};

/* predict_threads: at least 1.  limit: jobs that may wait in one lane.  MK_ENOMEM. */
int lanes_start(const struct model *model, unsigned predict_threads, unsigned limit,
                struct lanes **ret_lanes);
int lanes_submit(struct lanes *lanes, enum lane lane, struct job *job);

/* For a job that runs and has more to do: behind all that waits in its lane, however much that is.
 * MK_EBUSY: stopping. */
int lanes_go_on(struct lanes *lanes, enum lane lane, struct job *job);

/* Makes every thread that predicts wipe its scratch, and returns when all have:
 * afterwards no copy of a key that was erased before the call is in them.  Waits for one
 * job at most. For the thread that erases; never from a lane that predicts. */
void lanes_wipe(struct lanes *lanes);
/* For a job of many images, between two of them: then lanes_wipe() waits for one image. */
void lanes_pause(struct lanes *lanes, const struct scratch *scratch);

/* For a bulk of erasures or a backup, before each transaction or step: returns when the erasures that waited or ran when
 * it was called, and the read that ran, are done.  Those that come later wait for one of them,
 * and no flood of them stops the job. */
void lanes_give_way(struct lanes *lanes);

/* Jobs that wait in a lane, and that run; and the lane's name, for people. */
struct depth {
    unsigned waiting, running;
};
struct depth lanes_depth(struct lanes *lanes, enum lane lane);
const char *lane_name(enum lane lane);

/* From here on lanes_submit() refuses; returns when everything that waited has run. */
void lanes_drain(struct lanes *lanes);
void lanes_free(struct lanes *lanes); /* drains first */

#endif

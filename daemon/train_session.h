/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a trainer: shown, saved, interrupted, gone on with.
 *
 *     rc = train_session_run(trainer, "people.checkpoint", &metrics);
 */
#ifndef MUNKEY_DAEMON_TRAIN_SESSION_H
#define MUNKEY_DAEMON_TRAIN_SESSION_H

#include "daemon/train_metrics.h"

/* Trains to the end, from the checkpoint if that file exists, and saves there every two
 * minutes and when interrupted (SIGINT, SIGTERM).  checkpoint: NULL for none.  Its
 * course goes to metrics.  MK_EBUSY: it
 * was interrupted. */
int train_session_run(struct trainer *trainer, const char *checkpoint,
                      struct metrics *metrics);

#endif

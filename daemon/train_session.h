/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a trainer: shown, saved, interrupted, gone on with.
 *
 *     rc = train_session_run(trainer, "people.checkpoint");
 */
#ifndef MUNKEY_DAEMON_TRAIN_SESSION_H
#define MUNKEY_DAEMON_TRAIN_SESSION_H

#include "core/train.h"

/* Trains to the end, from the checkpoint if that file exists, and saves there every two
 * minutes and when interrupted (SIGINT, SIGTERM).  checkpoint: NULL for none.  MK_EBUSY: it
 * was interrupted. */
int train_session_run(struct trainer *trainer, const char *checkpoint);

#endif

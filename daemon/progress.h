/* SPDX-License-Identifier: Apache-2.0 */
/* How far long work has come: a bar with rate and time left on a terminal, and elsewhere
 * a plain line every now and then.
 *
 *     struct progress progress = progress_start("enrol", "images", 30000);
 *     progress_at(&progress, done, "loss 0.812");
 *     progress_end(&progress);
 */
#ifndef MUNKEY_DAEMON_PROGRESS_H
#define MUNKEY_DAEMON_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct progress {
    const char *what, *unit; /* borrowed */
    size_t total, first, done;
    double began, shown; /* seconds */
    bool terminal;
};

/* Writes to standard error. */
struct progress progress_start(const char *what, const char *unit, size_t total);

/* Shows at most ten bars a second, or a line every ten seconds.  The rate is that since
 * the first call, so that work which was resumed does not count.  note: may be NULL. */
void progress_at(struct progress *progress, size_t done, const char *note);

/* Shows where it ended, and ends the line. */
void progress_end(struct progress *progress);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A child process that is killed in the middle.
 *
 *     switch (run_and_kill(work, &shared, 120)) {     at its 120th system call
 *
 * The same number kills at the same place: what fails can be run again.
 */
#ifndef MUNKEY_TESTS_KILLED_H
#define MUNKEY_TESTS_KILLED_H

enum fate {
    FATE_KILLED,
    FATE_ENDED,    /* there were fewer calls than that, and work() returned 0 */
    FATE_FAILED,   /* work() returned something else */
    FATE_UNTRACED, /* this system lets nobody count another process's calls */
};

/* Each call counts twice: when it begins and when it ends.  What the child has to say it writes
 * into memory that it shares. */
enum fate run_and_kill(int (*work)(void *context), void *context, unsigned at);

#endif

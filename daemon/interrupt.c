/* SPDX-License-Identifier: Apache-2.0 */
/* When somebody wants long work to end: a signal, or a deadline. */
#include "daemon/interrupt.h"

#include <signal.h>
#include <sys/time.h>

static volatile sig_atomic_t wanted;

static void interrupt(int signal)
{
    (void)signal;
    wanted = 1;
}

void interrupt_watch(void)
{
    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
}

void interrupt_after(double minutes)
{
    const double seconds = 60 * minutes;
    struct itimerval timer = {.it_value.tv_sec = (time_t)seconds};
    timer.it_value.tv_usec = (suseconds_t)(1e6 * (seconds - (double)(time_t)seconds));
    signal(SIGALRM, interrupt);
    setitimer(ITIMER_REAL, &timer, NULL);
}

bool interrupt_wanted(void)
{
    return wanted;
}

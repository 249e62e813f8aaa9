/* SPDX-License-Identifier: Apache-2.0 */
/* A child process that is killed in the middle. */
#include "tests/killed.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_UNTRACED = 99, SYSCALL_STOP = SIGTRAP | 0x80 };

static void be_killed(int (*work)(void *context), void *context)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
        _exit(EXIT_UNTRACED);
    raise(SIGSTOP);
    _exit(work(context) == 0 ? 0 : 1);
}

/* Lets the child run to its next call; what else it stops for it is handed. */
static void go_on(pid_t child, int status)
{
    int number = WSTOPSIG(status);
    if (number == SYSCALL_STOP || number == SIGSTOP)
        number = 0;
    ptrace(PTRACE_SYSCALL, child, NULL, (void *)(long)number);
}

enum fate run_and_kill(int (*work)(void *context), void *context, unsigned at)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        be_killed(work, context);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return FATE_FAILED;
    if (WIFSTOPPED(status))
        ptrace(PTRACE_SETOPTIONS, child, NULL,
               (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
    while (WIFSTOPPED(status)) {
        if (WSTOPSIG(status) == SYSCALL_STOP && at-- == 0)
            kill(child, SIGKILL);
        else
            go_on(child, status);
        if (waitpid(child, &status, 0) != child)
            return FATE_FAILED;
    }
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGKILL ? FATE_KILLED : FATE_FAILED;
    return WEXITSTATUS(status) == EXIT_UNTRACED ? FATE_UNTRACED
           : WEXITSTATUS(status) == 0           ? FATE_ENDED
                                                : FATE_FAILED;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a program, and before each of its system calls that can reach a disk, a command.
 *
 *     cut COMMAND PROGRAM [ARGUMENT...]
 *
 * COMMAND is for the shell: it can keep the disk as a power cut at this moment would leave it.  $N
 * is how many calls there were before, $CALL the next one's name; once more when all is over, with
 * $CALL "end".  Exits as PROGRAM does.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    long number;
    const char *name;
} calls[] = {
    {SYS_openat, "openat"},       {SYS_write, "write"},
    {SYS_pwrite64, "pwrite64"},   {SYS_fsync, "fsync"},
    {SYS_fdatasync, "fdatasync"}, {SYS_ftruncate, "ftruncate"},
    {SYS_fallocate, "fallocate"}, {SYS_renameat, "renameat"},
    {SYS_mkdirat, "mkdirat"},
#ifdef SYS_rename
    {SYS_rename, "rename"},       {SYS_unlink, "unlink"},
    {SYS_mkdir, "mkdir"},
#endif
};

static const char *command;

static void run_command(const char *call)
{
    static unsigned n;
    char number[16];
    snprintf(number, sizeof number, "%u", n++);
    setenv("N", number, 1);
    setenv("CALL", call, 1);
    if (system(command) != 0) {
        fprintf(stderr, "cut: failed: %s\n", command);
        exit(125);
    }
}

/* An openat that makes no file changes nothing. */
static void look_at(pid_t pid)
{
    struct __ptrace_syscall_info info = {0};
    ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
        return;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (info.entry.nr == (unsigned long)calls[i].number &&
            (calls[i].number != SYS_openat || info.entry.args[2] & O_CREAT))
            run_command(calls[i].name);
}

int main(int argc, char **argv)
{
    int status;
    if (argc < 3)
        return 2;
    command = argv[1];
    pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execv(argv[2], argv + 2);
        _exit(127);
    }
    waitpid(pid, &status, 0); /* it stops after execv() */
    ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    while (!WIFEXITED(status) && !WIFSIGNALED(status)) {
        int stop = WSTOPSIG(status);
        if (stop == (SIGTRAP | 0x80))
            look_at(pid);
        ptrace(PTRACE_SYSCALL, pid, NULL, (stop & 0x7f) == SIGTRAP ? 0 : stop);
        waitpid(pid, &status, 0);
    }
    run_command("end");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel knows of this process. */
#include "api/process.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* proc(5): the first two numbers of statm are pages. */
static void read_pages(struct process *process)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    unsigned long long size, resident;
    FILE *in = fopen("/proc/self/statm", "re");
    if (!in)
        return;
    if (fscanf(in, "%llu %llu", &size, &resident) == 2) {
        process->virtual = size * page;
        process->resident = resident * page;
    }
    fclose(in);
}

/* Without "." and ".." and the descriptor that reads the folder. */
static uint64_t count_fds(void)
{
    uint64_t n = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return 0;
    while (readdir(folder))
        n++;
    closedir(folder);
    return n - 3;
}

struct process process_read(void)
{
    struct process process = {.open_fds = count_fds()};
    struct rlimit files;
    struct timespec cpu;
    read_pages(&process);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        process.max_fds = files.rlim_cur;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0)
        process.cpu_seconds = (double)cpu.tv_sec + (double)cpu.tv_nsec * 1e-9;
    return process;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel knows of this process. */
#ifndef MUNKEY_API_PROCESS_H
#define MUNKEY_API_PROCESS_H

#include <stdint.h>

/* 0 where the kernel does not tell. */
struct process {
    uint64_t resident, virtual; /* bytes */
    uint64_t open_fds, max_fds;
    double cpu_seconds;
};
struct process process_read(void);

#endif

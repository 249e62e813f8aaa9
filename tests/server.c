/* SPDX-License-Identifier: Apache-2.0 */
/* A munkeyd of our own. */
#include "tests/server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void server_spawn(struct server *server)
{
    int out[2];
    if (pipe2(out, O_CLOEXEC) < 0)
        abort();
    server->words[0] = '\0';
    server->out = out[0];
    server->pid = fork();
    if (server->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(out[1], STDERR_FILENO);
        execv(server->argv[0], server->argv);
        _exit(127);
    }
    close(out[1]);
}

bool server_ready(struct server *server)
{
    size_t len = 0;
    ssize_t n;
    while (len < sizeof server->words - 1 &&
           (n = read(server->out, server->words + len, sizeof server->words - 1 - len)) >
               0) {
        len += (size_t)n;
        server->words[len] = '\0';
        const char *said = strstr(server->words, " port ");
        if (said && strchr(said, '\n') && sscanf(said, " port %u", &server->port) == 1)
            return true;
    }
    return false;
}

int server_end(struct server *server, int signal)
{
    int status = -1;
    if (signal)
        kill(server->pid, signal);
    waitpid(server->pid, &status, 0);
    close(server->out);
    return status;
}

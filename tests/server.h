/* SPDX-License-Identifier: Apache-2.0 */
/* A munkeyd of our own, to be ended in every way.
 *
 *     struct server server = {.argv = argv};        "munkeyd", "--port", "0", ...
 *     server_spawn(&server);
 *     if (!server_ready(&server)) ... server.words: why it ended
 *     server_end(&server, SIGKILL);
 */
#ifndef MUNKEY_TESTS_SERVER_H
#define MUNKEY_TESTS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct server {
    char **argv;
    pid_t pid;
    int out; /* what it says */
    unsigned port;
    char words[4096]; /* what it said until it was ready, or ended */
};

/* It ends with us. */
void server_spawn(struct server *server);
/* Waits until it has said on which port it listens; false when it ended instead. */
bool server_ready(struct server *server);
/* Sends a signal, unless it is 0, waits for the end, and returns the status of waitpid(). */
int server_end(struct server *server, int signal);

#endif

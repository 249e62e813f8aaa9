/* SPDX-License-Identifier: Apache-2.0 */
/* The reaper: a list of deadlines, and a thread that looks at it twice a second. */
#include "api/reaper.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>

#include "api/account.h"
#include "core/err.h"

struct watch {
    LIST_ENTRY(watch) link;
    struct reaper *reaper;
    int fd;
    bool plain;
    time_t deadline; /* 0: none */
};

struct reaper {
    struct metrics *metrics;
    pthread_mutex_t mutex;
    pthread_cond_t stop;
    bool stopping;
    LIST_HEAD(, watch) watches;
    pthread_t thread;
};

static const char too_slow[] = "the request took too long to arrive: send it in one go";

static time_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

/* A whole reply: nothing else can have been written while a request is being read. */
static bool refuse_late(int fd, const char *id)
{
    char reply[1024];
    int len =
        snprintf(reply, sizeof reply,
                 "HTTP/1.1 408 Request Timeout\r\n"
                 "X-Request-Id: %s\r\n"
                 "Content-Type: application/problem+json\r\n"
                 "Connection: close\r\n"
                 "\r\n"
                 "{\"type\":\"about:blank\",\"title\":\"Request Timeout\",\"status\":408,"
                 "\"detail\":\"%s\",\"instance\":\"urn:uuid:%s\",\"error\":\"%s\"}\n",
                 id, too_slow, id, too_slow);
    return send(fd, reply, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
}

static void reap(struct reaper *reaper)
{
    struct watch *watch;
    time_t time = now();
    char id[REQUEST_ID_SIZE];
    LIST_FOREACH(watch, &reaper->watches, link)
    {
        if (!watch->deadline || time < watch->deadline)
            continue;
        request_make_id(id);
        if (watch->plain && refuse_late(watch->fd, id))
            account_reply(reaper->metrics, NULL,
                          (struct request_record){.status = 408, .id = id});
        shutdown(watch->fd, SHUT_RDWR);
        watch->deadline = 0;
    }
}

static void *run(void *argument)
{
    struct reaper *reaper = argument;
    pthread_mutex_lock(&reaper->mutex);
    while (!reaper->stopping) {
        struct timespec next;
        clock_gettime(CLOCK_REALTIME, &next);
        next.tv_nsec += 500000000;
        next.tv_sec += next.tv_nsec / 1000000000;
        next.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&reaper->stop, &reaper->mutex, &next);
        reap(reaper);
    }
    pthread_mutex_unlock(&reaper->mutex);
    return NULL;
}

int reaper_start(struct metrics *metrics, struct reaper **ret_reaper)
{
    struct reaper *reaper = calloc(1, sizeof *reaper);
    if (!reaper)
        return fail(MK_ENOMEM, "no memory for the list of connections");
    reaper->metrics = metrics;
    pthread_mutex_init(&reaper->mutex, NULL);
    pthread_cond_init(&reaper->stop, NULL);
    LIST_INIT(&reaper->watches);
    if (pthread_create(&reaper->thread, NULL, run, reaper) != 0) {
        free(reaper);
        return fail(MK_ENOMEM, "no thread to be had");
    }
    *ret_reaper = reaper;
    return 0;
}

void reaper_stop(struct reaper *reaper)
{
    if (!reaper)
        return;
    pthread_mutex_lock(&reaper->mutex);
    reaper->stopping = true;
    pthread_cond_signal(&reaper->stop);
    pthread_mutex_unlock(&reaper->mutex);
    pthread_join(reaper->thread, NULL);
    free(reaper);
}

struct watch *reaper_add(struct reaper *reaper, int fd, bool plain, unsigned seconds)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;
    *watch = (struct watch){
        .reaper = reaper, .fd = fd, .plain = plain, .deadline = now() + seconds};
    pthread_mutex_lock(&reaper->mutex);
    LIST_INSERT_HEAD(&reaper->watches, watch, link);
    pthread_mutex_unlock(&reaper->mutex);
    return watch;
}

static void set_deadline(struct watch *watch, time_t deadline)
{
    if (!watch)
        return;
    pthread_mutex_lock(&watch->reaper->mutex);
    watch->deadline = deadline;
    pthread_mutex_unlock(&watch->reaper->mutex);
}

void reaper_arm(struct watch *watch, unsigned seconds)
{
    set_deadline(watch, now() + seconds);
}

void reaper_disarm(struct watch *watch)
{
    set_deadline(watch, 0);
}

void reaper_remove(struct watch *watch)
{
    if (!watch)
        return;
    pthread_mutex_lock(&watch->reaper->mutex);
    LIST_REMOVE(watch, link);
    pthread_mutex_unlock(&watch->reaper->mutex);
    free(watch);
}

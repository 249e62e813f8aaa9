/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes: threads and queues under one mutex. */
#include "api/lanes.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/err.h"

struct queue {
    struct job *head, **tail;
    unsigned waiting, running;
    uint64_t done;
    pthread_cond_t ready;
};

struct worker {
    struct lanes *lanes;
    enum lane lane;
    struct scratch *scratch; /* lanes that make keys or predictions */
    unsigned wiped;          /* the last request of lanes_wipe() that it has served */
    bool gone;               /* ended, and its scratch is wiped */
    pthread_t thread;
};

struct lanes {
    pthread_mutex_t mutex;
    struct queue queue[LANES];
    unsigned limit;
    bool stopping;
    unsigned wipe;           /* how often lanes_wipe() was called */
    pthread_cond_t wiped;    /* a worker has wiped */
    pthread_cond_t finished; /* a job has */
    struct worker *worker;
    size_t workers;
};

/* An erasure that waits or runs goes before everything else that takes the state's mutex.
 */
static bool may_run(const struct lanes *lanes, enum lane lane)
{
    const struct queue *erase = &lanes->queue[LANE_ERASE];
    bool yields = lane == LANE_ENROLL || lane == LANE_READ;
    return lanes->queue[lane].head && !(yields && (erase->waiting || erase->running));
}

/* Called and returns under the mutex, but wipes outside. */
static void wipe(struct worker *worker)
{
    struct lanes *lanes = worker->lanes;
    unsigned wanted = lanes->wipe;
    pthread_mutex_unlock(&lanes->mutex);
    if (worker->scratch)
        scratch_wipe(worker->scratch);
    pthread_mutex_lock(&lanes->mutex);
    worker->wiped = wanted;
    pthread_cond_broadcast(&lanes->wiped);
}

static void wipe_if_asked(struct worker *worker)
{
    while (worker->lane == LANE_PREDICT && worker->wiped != worker->lanes->wipe)
        wipe(worker);
}

/* The next job of the worker's lane, or NULL: stop.  Called and returns under the mutex.
 */
static struct job *take(struct worker *worker)
{
    struct lanes *lanes = worker->lanes;
    struct queue *queue = &lanes->queue[worker->lane];
    wipe_if_asked(worker);
    while (!may_run(lanes, worker->lane)) {
        if (lanes->stopping && !queue->head)
            return NULL;
        pthread_cond_wait(&queue->ready, &lanes->mutex);
        wipe_if_asked(worker);
    }
    struct job *job = queue->head;
    if (!(queue->head = job->next))
        queue->tail = &queue->head;
    queue->waiting--;
    queue->running++;
    return job;
}

static void finish(struct worker *worker)
{
    struct queue *queue = worker->lanes->queue;
    queue[worker->lane].running--;
    queue[worker->lane].done++;
    pthread_cond_broadcast(&worker->lanes->finished);
    if (worker->lane == LANE_ERASE && queue[LANE_ERASE].waiting == 0) {
        pthread_cond_signal(&queue[LANE_ENROLL].ready);
        pthread_cond_signal(&queue[LANE_READ].ready);
    }
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct job *job;
    pthread_mutex_lock(&worker->lanes->mutex);
    while ((job = take(worker))) {
        pthread_mutex_unlock(&worker->lanes->mutex);
        job->run(job, worker->scratch);
        pthread_mutex_lock(&worker->lanes->mutex);
        finish(worker);
    }
    wipe(worker);
    worker->gone = true;
    pthread_cond_broadcast(&worker->lanes->wiped);
    pthread_mutex_unlock(&worker->lanes->mutex);
    return NULL;
}

static int submit(struct lanes *lanes, enum lane lane, struct job *job, unsigned limit)
{
    struct queue *queue = &lanes->queue[lane];
    int rc = 0;
    pthread_mutex_lock(&lanes->mutex);
    if (lanes->stopping) {
        rc = fail(MK_EBUSY, "munkeyd is shutting down");
    } else if (queue->waiting >= limit) {
        rc =
            fail(MK_EBUSY, "%u requests of this kind wait already: try again in a moment",
                 queue->waiting);
    } else {
        job->next = NULL;
        *queue->tail = job;
        queue->tail = &job->next;
        queue->waiting++;
        pthread_cond_signal(&queue->ready);
    }
    pthread_mutex_unlock(&lanes->mutex);
    return rc;
}

int lanes_submit(struct lanes *lanes, enum lane lane, struct job *job)
{
    return submit(lanes, lane, job, lanes->limit);
}

int lanes_go_on(struct lanes *lanes, enum lane lane, struct job *job)
{
    return submit(lanes, lane, job, UINT_MAX);
}

static bool all_wiped(const struct lanes *lanes, unsigned wanted)
{
    for (size_t i = 0; i < lanes->workers; i++) {
        const struct worker *worker = &lanes->worker[i];
        if (worker->lane == LANE_PREDICT && !worker->gone &&
            (int)(worker->wiped - wanted) < 0)
            return false;
    }
    return true;
}

void lanes_wipe(struct lanes *lanes)
{
    pthread_mutex_lock(&lanes->mutex);
    unsigned wanted = ++lanes->wipe;
    pthread_cond_broadcast(&lanes->queue[LANE_PREDICT].ready);
    while (!all_wiped(lanes, wanted))
        pthread_cond_wait(&lanes->wiped, &lanes->mutex);
    pthread_mutex_unlock(&lanes->mutex);
}

void lanes_pause(struct lanes *lanes, const struct scratch *scratch)
{
    pthread_mutex_lock(&lanes->mutex);
    for (size_t i = 0; i < lanes->workers; i++)
        if (lanes->worker[i].scratch == scratch)
            wipe_if_asked(&lanes->worker[i]);
    pthread_mutex_unlock(&lanes->mutex);
}

void lanes_give_way(struct lanes *lanes)
{
    const struct queue *erase = &lanes->queue[LANE_ERASE],
                       *read = &lanes->queue[LANE_READ];
    pthread_mutex_lock(&lanes->mutex);
    /* Of the reads only that which runs: while there are erasures, those that wait do not start. */
    uint64_t erased = erase->done + erase->running + erase->waiting,
             reads = read->done + read->running;
    while (erase->done < erased || read->done < reads)
        pthread_cond_wait(&lanes->finished, &lanes->mutex);
    pthread_mutex_unlock(&lanes->mutex);
}

struct depth lanes_depth(struct lanes *lanes, enum lane lane)
{
    pthread_mutex_lock(&lanes->mutex);
    struct depth depth = {lanes->queue[lane].waiting, lanes->queue[lane].running};
    pthread_mutex_unlock(&lanes->mutex);
    return depth;
}

const char *lane_name(enum lane lane)
{
    static const char *const names[LANES] = {
        [LANE_INLINE] = "inline", [LANE_PREDICT] = "predict", [LANE_ENROLL] = "enroll",
        [LANE_ERASE] = "erase",   [LANE_BULK] = "bulk",       [LANE_READ] = "read",
        [LANE_BACKUP] = "backup",
    };
    return names[lane];
}

static int add_worker(struct lanes *lanes, enum lane lane, const struct model *model)
{
    struct worker *worker = &lanes->worker[lanes->workers];
    *worker = (struct worker){.lanes = lanes, .lane = lane};
    if ((lane == LANE_PREDICT || lane == LANE_ENROLL) &&
        !(worker->scratch = scratch_new(model)))
        return fail(MK_ENOMEM, "no memory for a thread's activations");
    if (pthread_create(&worker->thread, NULL, work, worker) != 0) {
        scratch_free(worker->scratch);
        return fail(MK_ENOMEM, "no thread to be had");
    }
    lanes->workers++;
    return 0;
}

static struct lanes *lanes_new(unsigned predict_threads, unsigned limit)
{
    struct lanes *lanes = calloc(1, sizeof *lanes);
    if (!lanes)
        return NULL;
    if (!(lanes->worker = calloc(predict_threads + LANES, sizeof *lanes->worker))) {
        free(lanes);
        return NULL;
    }
    lanes->limit = limit;
    pthread_mutex_init(&lanes->mutex, NULL);
    pthread_cond_init(&lanes->wiped, NULL);
    pthread_cond_init(&lanes->finished, NULL);
    for (int i = 0; i < LANES; i++) {
        lanes->queue[i].tail = &lanes->queue[i].head;
        pthread_cond_init(&lanes->queue[i].ready, NULL);
    }
    return lanes;
}

int lanes_start(const struct model *model, unsigned predict_threads, unsigned limit,
                struct lanes **ret_lanes)
{
    struct lanes *lanes = lanes_new(predict_threads, limit);
    int rc = lanes ? 0 : fail(MK_ENOMEM, "no memory for queues");
    for (unsigned i = 0; rc == 0 && i < predict_threads; i++)
        rc = add_worker(lanes, LANE_PREDICT, model);
    for (enum lane lane = LANE_ENROLL; rc == 0 && lane < LANES; lane++)
        rc = add_worker(lanes, lane, model);
    if (rc == 0)
        *ret_lanes = lanes;
    else
        lanes_free(lanes);
    return rc;
}

void lanes_drain(struct lanes *lanes)
{
    pthread_mutex_lock(&lanes->mutex);
    lanes->stopping = true;
    for (int i = 0; i < LANES; i++)
        pthread_cond_broadcast(&lanes->queue[i].ready);
    pthread_mutex_unlock(&lanes->mutex);
    for (size_t i = 0; i < lanes->workers; i++) {
        pthread_join(lanes->worker[i].thread, NULL);
        scratch_free(lanes->worker[i].scratch);
    }
    lanes->workers = 0;
}

void lanes_free(struct lanes *lanes)
{
    if (!lanes)
        return;
    lanes_drain(lanes);
    free(lanes->worker);
    free(lanes);
}

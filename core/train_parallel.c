/* SPDX-License-Identifier: Apache-2.0 */
/* Work in numbered pieces, spread over threads. */
#include "core/train_parallel.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

struct job {
    atomic_size_t next;
    size_t n;
    piece *run;
    void *context;
};

struct worker {
    struct job *job;
    size_t number;
};

static void *work(void *context)
{
    const struct worker *worker = context;
    struct job *job = worker->job;
    size_t number;
    while ((number = atomic_fetch_add(&job->next, 1)) < job->n)
        job->run(job->context, worker->number, number);
    return NULL;
}

void parallel_for(size_t threads, size_t n, piece *run, void *context)
{
    assert(threads >= 1 && threads <= THREADS_MAX);
    struct job job = {.n = n, .run = run, .context = context};
    struct worker worker[THREADS_MAX];
    pthread_t thread[THREADS_MAX];
    size_t started = 1;
    for (size_t i = 0; i < threads; i++)
        worker[i] = (struct worker){&job, i};
    while (started < threads &&
           pthread_create(&thread[started], NULL, work, &worker[started]) == 0)
        started++;
    work(&worker[0]);
    for (size_t i = 1; i < started; i++)
        pthread_join(thread[i], NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Work in numbered pieces, spread over threads.
 *
 *     parallel_for(2, 15000, compute_key, &job);
 *
 * A piece may run on any thread, so its result must depend on its number alone; then
 * results are the same for every number of threads.
 */
#ifndef MUNKEY_CORE_TRAIN_PARALLEL_H
#define MUNKEY_CORE_TRAIN_PARALLEL_H

#include <stddef.h>

enum { THREADS_MAX = 64 };

/* worker: 0 .. threads - 1, for working memory. */
typedef void piece(void *context, size_t worker, size_t number);

/* Returns when all n pieces are done.  threads: 1 to THREADS_MAX; fewer are used when the
 * system gives no more. */
void parallel_for(size_t threads, size_t n, piece *run, void *context);

#endif

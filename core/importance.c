/* SPDX-License-Identifier: Apache-2.0 */
/* How much each weight matters to some rows. */
#include "core/importance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/train_backward.h"
#include "core/train_parallel.h"

/* Sums are kept apart by row number modulo SLOTS and added up in the end, so that no order
 * depends on threads. */
enum { SLOTS = 8, PIECE = 64 * SLOTS };

struct lane {
    struct forward *f;
    struct backward *b;
    struct params *gradient;
};

struct run {
    const struct params *params;
    const struct images *images;
    struct row_list rows;
    enum importance what;
    double smoothing;
    size_t begin, end; /* of the rows: this piece */
    struct lane lane[THREADS_MAX];
    float *sum[SLOTS]; /* (params->n) */
};

static void run_close(struct run *run)
{
    for (size_t i = 0; i < THREADS_MAX; i++) {
        forward_free(run->lane[i].f);
        backward_free(run->lane[i].b);
        params_free(run->lane[i].gradient);
    }
    for (size_t i = 0; i < SLOTS; i++)
        free(run->sum[i]);
}

static bool run_open(struct run *run, size_t threads)
{
    const struct shape *shape = &run->params->shape;
    for (size_t i = 0; i < threads; i++) {
        struct lane *lane = &run->lane[i];
        lane->f = forward_new(shape, 1, 0, FORWARD_KEEP);
        lane->b = lane->f ? backward_new(lane->f) : NULL;
        if (!lane->b || params_new(shape, run->params->kind, &lane->gradient) < 0)
            return false;
    }
    for (size_t i = 0; i < SLOTS; i++)
        if (!(run->sum[i] = calloc(run->params->n, sizeof **run->sum)))
            return false;
    return true;
}

static void gradient_of(const struct run *run, struct lane *lane, uint32_t row)
{
    size_t classes = run->params->shape.classes;
    float dlogits[classes];
    forward_run(lane->f, &run->params->net, images_at(run->images, row), NULL);
    cross_entropy(lane->f->logits, classes, run->images->labels[row], run->smoothing, 1,
                  dlogits);
    memset(lane->gradient->values, 0, lane->gradient->n * sizeof *lane->gradient->values);
    backward_run(lane->b, lane->f, &run->params->net, dlogits, &lane->gradient->net);
}

static void add_slot(void *context, size_t worker, size_t slot)
{
    struct run *run = context;
    struct lane *lane = &run->lane[worker];
    for (size_t i = run->begin + slot; i < run->end; i += SLOTS) {
        gradient_of(run, lane, run->rows.row[i]);
        const float *restrict g = lane->gradient->values;
        float *restrict sum = run->sum[slot];
        if (run->what == IMPORTANCE_GRADIENT)
            linalg_axpy(1, g, sum, run->params->n);
        else
            for (size_t w = 0; w < run->params->n; w++)
                sum[w] += g[w] * g[w];
    }
}

static void average(const struct run *run, float *ret_mean)
{
    for (size_t w = 0; w < run->params->n; w++) {
        double sum = 0;
        for (size_t i = 0; i < SLOTS; i++)
            sum += run->sum[i][w];
        ret_mean[w] = (float)(sum / (double)run->rows.n);
    }
}

int importance_of(const struct params *params, const struct images *images,
                  struct row_list rows, enum importance what, double smoothing,
                  size_t threads, plain_tell *tell, void *context, float *ret_mean)
{
    struct run run = {.params = params,
                      .images = images,
                      .rows = rows,
                      .what = what,
                      .smoothing = smoothing};
    int rc = run_open(&run, threads)
                 ? 0
                 : fail(MK_ENOMEM, "no memory for the importance of weights");
    for (; rc == 0 && run.begin < rows.n; run.begin = run.end) {
        run.end = rows.n - run.begin < PIECE ? rows.n : run.begin + PIECE;
        parallel_for(threads, SLOTS, add_slot, &run);
        rc = tell && !tell(context, run.end, rows.n, 0);
    }
    if (rc == 0)
        average(&run, ret_mean);
    run_close(&run);
    return rc;
}

static int descending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

int importance_largest(const float *gradient, size_t n, double share, bool *ret_moves)
{
    size_t wanted = (size_t)lround(share * (double)n), above = 0;
    float *size = calloc(n, sizeof *size);
    if (!size)
        return fail(MK_ENOMEM, "no memory to sort gradients");
    for (size_t i = 0; i < n; i++)
        size[i] = fabsf(gradient[i]);
    qsort(size, n, sizeof *size, descending);
    float least = wanted ? size[wanted - 1] : INFINITY;
    while (above < wanted && size[above] > least)
        above++;
    for (size_t i = 0, equal = wanted - above; i < n; i++) {
        float found = fabsf(gradient[i]);
        ret_moves[i] = found > least || (found == least && equal > 0 && equal--);
    }
    free(size);
    return 0;
}

void importance_dampen(float *values, const float *all, const float *forget, size_t n,
                       double threshold, double dampening)
{
    for (size_t i = 0; i < n; i++)
        if (forget[i] > threshold * all[i])
            values[i] *= (float)fmin(dampening * all[i] / forget[i], 1);
}

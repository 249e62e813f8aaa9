/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of many images, on several threads. */
#include "daemon/keymaker.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/err.h"
#include "core/train_parallel.h"
#include "storage/crypto.h"

struct keymaker {
    const struct model *model;
    const struct dataset *data;
    struct frame frame;
    size_t threads, size; /* bytes of an image */
    struct scratch *scratch[THREADS_MAX];
    uint8_t *pixels;          /* (threads, size) */
    const struct item *items; /* of this run */
    struct import_row row[ENROLL_MAX];
    pthread_mutex_t mutex;
    int rc; /* of an image that failed */
    char why[512];
};

static void keep_failure(struct keymaker *k, int rc)
{
    pthread_mutex_lock(&k->mutex);
    k->rc = rc;
    snprintf(k->why, sizeof k->why, "%s", err_why());
    pthread_mutex_unlock(&k->mutex);
}

/* An IDX file has numbers: those of the model's labels. */
static const char *name_of(const struct keymaker *k, const struct sample *sample)
{
    return sample->name ? sample->name : model_info(k->model)->labels[sample->label];
}

static void compute(void *context, size_t worker, size_t number)
{
    struct keymaker *k = context;
    const struct sample *sample = k->items[number].sample;
    struct import_row *row = &k->row[number];
    uint8_t *pixels = k->pixels + worker * k->size;
    const int rc = dataset_pixels(k->data, &k->frame, sample, pixels);

    if (rc < 0) {
        keep_failure(k, rc);
        return;
    }
    *row = (struct import_row){sample->row,
                               sample->subject,
                               {.label = sample->label,
                                .name = name_of(k, sample),
                                .provenance = sample->provenance}};
    model_key(k->model, k->scratch[worker], pixels, &row->instance.key);
}

int keymaker_run(struct keymaker *k, const struct item *items, size_t n,
                 const struct import_row **ret_rows)
{
    k->items = items;
    parallel_for(k->threads, n, compute, k);
    if (k->rc < 0)
        return fail(k->rc, "%s", k->why);
    *ret_rows = k->row;
    return 0;
}

int keymaker_new(const struct model *model, const struct dataset *data, size_t threads,
                 struct keymaker **ret_keymaker)
{
    const struct model_info *info = model_info(model);
    struct keymaker *k = calloc(1, sizeof *k);
    bool complete;

    if (!k)
        return fail(MK_ENOMEM, "no memory to compute keys");
    k->model = model;
    k->data = data;
    k->threads = threads;
    k->frame = (struct frame){info->height, info->width, info->channels};
    k->size = (size_t)info->height * info->width * info->channels;
    pthread_mutex_init(&k->mutex, NULL);
    complete = (k->pixels = calloc(threads, k->size));
    for (size_t i = 0; i < threads; i++)
        complete &= (k->scratch[i] = scratch_new(model)) != NULL;
    if (!complete) {
        keymaker_free(k);
        return fail(MK_ENOMEM, "no memory to compute keys");
    }
    *ret_keymaker = k;
    return 0;
}

void keymaker_free(struct keymaker *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->threads; i++)
        scratch_free(k->scratch[i]);
    if (k->pixels)
        crypto_wipe(k->pixels, k->threads * k->size);
    free(k->pixels);
    crypto_wipe(k->row, sizeof k->row);
    pthread_mutex_destroy(&k->mutex);
    free(k);
}

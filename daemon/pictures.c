/* SPDX-License-Identifier: Apache-2.0 */
/* A data set's images in RAM. */
#include "daemon/pictures.h"

#include <stdlib.h>

#include "core/err.h"
#include "storage/label.h"

int pictures_read(struct dataset *data, const struct frame *frame, size_t keep,
                  size_t threads, struct pictures *ret_pictures)
{
    size_t size = (size_t)frame->height * frame->width * frame->channels;
    struct pictures *p = ret_pictures;
    p->pixels = calloc(keep, size);
    p->labels = calloc(keep, sizeof *p->labels);
    if (!p->pixels || !p->labels)
        return fail(MK_ENOMEM, "no memory for %zu images of %zu bytes", keep, size);
    for (size_t i = 0; i < keep; i++)
        p->labels[i] = data->sample[i].label;
    p->view = (struct images){keep,      frame->height, frame->width, frame->channels,
                              p->pixels, p->labels};
    return dataset_read(data, &(struct reading){*frame, threads, keep, p->pixels});
}

void pictures_free(struct pictures *p)
{
    free(p->pixels);
    free(p->labels);
}

struct coded {
    uint32_t half, label;
};

static int by_half(const void *a, const void *b)
{
    const struct coded *x = a, *y = b;
    int order = (x->half > y->half) - (x->half < y->half);
    return order ? order : (x->label > y->label) - (x->label < y->label);
}

static const struct sample *first_of(const struct dataset *data, uint32_t label)
{
    const struct sample *sample = data->sample;
    while (sample->label != label)
        sample++;
    return sample;
}

/* Instances know a label by the first half of its code. */
static int check_codes(const struct dataset *data, const uint64_t *codes, uint32_t n)
{
    struct coded *sorted = calloc(n, sizeof *sorted);
    int rc = sorted ? 0 : fail(MK_ENOMEM, "no memory for codes of %u labels", n);
    for (uint32_t c = 0; rc == 0 && c < n; c++)
        sorted[c] = (struct coded){(uint32_t)codes[c], c};
    if (rc == 0)
        qsort(sorted, n, sizeof *sorted, by_half);
    for (uint32_t c = 1; rc == 0 && c < n; c++)
        if (sorted[c - 1].half == sorted[c].half)
            rc = dataset_fail(data, first_of(data, sorted[c].label), MK_EINPUT,
                              "a label that cannot be told from another: their SHA-256 "
                              "begin with the same 4 bytes; rename one");
    free(sorted);
    return rc;
}

int pictures_codes(const struct dataset *data, bool open, uint32_t n,
                   uint64_t **ret_codes)
{
    uint64_t *codes = open ? calloc(n, sizeof *codes) : NULL;
    if (open && !codes)
        return fail(MK_ENOMEM, "no memory for codes of %u labels", n);
    for (uint32_t c = 0; open && c < n; c++)
        codes[c] = label_code(data->label[c]);
    int rc = open ? check_codes(data, codes, n) : 0;
    if (rc < 0)
        free(codes);
    else
        *ret_codes = codes;
    return rc;
}

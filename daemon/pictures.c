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

int pictures_codes(const struct dataset *data, bool open, uint32_t n,
                   uint64_t **ret_codes)
{
    uint64_t *codes = open ? calloc(n, sizeof *codes) : NULL;
    if (open && !codes)
        return fail(MK_ENOMEM, "no memory for codes of %u labels", n);
    for (uint32_t c = 0; open && c < n; c++)
        codes[c] = label_code(data->label[c]);
    *ret_codes = codes;
    return 0;
}

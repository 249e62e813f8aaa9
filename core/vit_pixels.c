/* SPDX-License-Identifier: Apache-2.0 */
/* Bilinear resizing of bytes, bit for bit as Pillow does it: a triangle as wide as the
 * reduction, weights of 22 binary digits, rows first, bytes in between.  (Pillow 13 begins
 * with the columns of some pictures that are higher than wide; a byte then differs by 1.) */
#include "core/vit_pixels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"

enum { DIGITS = 22 };

/* What one cell of the result reads of a line. */
struct window {
    size_t begin, n;
    int32_t *weight; /* (n) */
};

struct axis {
    struct window *window; /* (out) */
    int32_t *weights;
};

struct vit_pixels {
    struct vit_config config;
    size_t height, width, channels; /* of the picture */
    struct axis across, down;
    uint8_t *wide, *small; /* (height, image, channels), (image, image, channels) */
};

int vit_pixels_check(const struct vit_config *config, size_t height, size_t width,
                     size_t channels)
{
    if (channels != 1 && channels != config->channels)
        return fail(MK_EINPUT, "the encoder takes pictures of %u channel(s), not of %zu",
                    config->channels, channels);
    if (!config->resize && (height != config->image || width != config->image))
        return fail(MK_EINPUT,
                    "the encoder takes pictures of %ux%u alone, since \"do_resize\" is "
                    "false, not %zux%zu",
                    config->image, config->image, height, width);
    return 0;
}

static void axis_done(struct axis *axis)
{
    free(axis->window);
    free(axis->weights);
}

/* The weights of one window; they sum to 1 before they are rounded. */
static void weigh(struct window *w, double center, double stretch)
{
    double share[w->n], sum = 0;
    for (size_t i = 0; i < w->n; i++) {
        double x = fabs(((double)(i + w->begin) - center + .5) * (1 / stretch));
        share[i] = x < 1 ? 1 - x : 0;
        sum += share[i];
    }
    for (size_t i = 0; i < w->n; i++)
        w->weight[i] = (int32_t)(.5 + share[i] / sum * (1 << DIGITS));
}

static bool axis_init(struct axis *axis, size_t in, size_t out)
{
    double scale = (double)in / (double)out, stretch = scale > 1 ? scale : 1;
    size_t most = (size_t)ceil(stretch) * 2 + 1;
    axis->window = calloc(out, sizeof *axis->window);
    axis->weights = calloc(out * most, sizeof *axis->weights);
    if (!axis->window || !axis->weights)
        return false;
    for (size_t i = 0; i < out; i++) {
        double center = ((double)i + .5) * scale;
        double begin = center - stretch + .5, end = center + stretch + .5;
        struct window *w = &axis->window[i];
        w->begin = begin > 0 ? (size_t)begin : 0;
        w->n = (end < (double)in ? (size_t)end : in) - w->begin;
        w->weight = axis->weights + i * most;
        weigh(w, center, stretch);
    }
    return true;
}

struct vit_pixels *vit_pixels_new(const struct vit_config *config, size_t height,
                                  size_t width, size_t channels)
{
    size_t image = config->image;
    struct vit_pixels *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->config = *config;
    p->height = height;
    p->width = width;
    p->channels = channels;
    p->wide = calloc(height * image, channels);
    p->small = calloc(image * image, channels);
    if (!p->wide || !p->small || !axis_init(&p->across, width, image) ||
        !axis_init(&p->down, height, image)) {
        vit_pixels_free(p);
        return NULL;
    }
    return p;
}

void vit_pixels_wipe(struct vit_pixels *p)
{
    size_t image = p->config.image;
    if (p->wide)
        explicit_bzero(p->wide, p->height * image * p->channels);
    if (p->small)
        explicit_bzero(p->small, image * image * p->channels);
}

void vit_pixels_free(struct vit_pixels *p)
{
    if (!p)
        return;
    vit_pixels_wipe(p);
    axis_done(&p->across);
    axis_done(&p->down);
    free(p->wide);
    free(p->small);
    free(p);
}

/* One cell: weight times byte, over cells that lie `step` bytes apart. */
static uint8_t blend(const struct window *w, const uint8_t *line, size_t step)
{
    int32_t sum = 1 << (DIGITS - 1);
    for (size_t i = 0; i < w->n; i++)
        sum += w->weight[i] * line[(w->begin + i) * step];
    sum >>= DIGITS;
    return sum < 0 ? 0 : sum > 255 ? 255 : (uint8_t)sum;
}

static void resize(struct vit_pixels *p, const uint8_t *pixels)
{
    size_t image = p->config.image, c = p->channels;
    for (size_t y = 0; y < p->height; y++)
        for (size_t i = 0; i < image * c; i++)
            p->wide[y * image * c + i] =
                blend(&p->across.window[i / c], pixels + y * p->width * c + i % c, c);
    for (size_t y = 0; y < image; y++)
        for (size_t i = 0; i < image * c; i++)
            p->small[y * image * c + i] =
                blend(&p->down.window[y], p->wide + i, image * c);
}

void vit_pixels_run(struct vit_pixels *p, const uint8_t *pixels, float *ret_x)
{
    const struct vit_config *config = &p->config;
    size_t cells = (size_t)config->image * config->image;
    resize(p, pixels);
    for (size_t c = 0; c < config->channels; c++) {
        const uint8_t *from = p->small + (p->channels > 1 ? c : 0);
        float rescale = (float)config->rescale, mean = (float)config->mean[c],
              std = (float)config->std[c];
        for (size_t i = 0; i < cells; i++)
            ret_x[c * cells + i] = ((float)from[i * p->channels] * rescale - mean) / std;
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The transformer's forward pass over n images, each with 1 + k passes or more.
 *
 *     struct forward *f = forward_new(&shape, 1, 4, FORWARD_ONCE);
 *     forward_run(f, net, pixels, exemplars);
 *     f->logits                      (n passes, shape_outputs()): null, hits 1 .. k
 *     forward_free(f);
 *
 * Pass 0 carries the null token, pass j the exemplar row j.  A shape that is symmetric has a
 * sequence for each pass (the paper's form), any other one for each image.  With FORWARD_BLIND there are
 * k memory-only passes more, with the same exemplar rows, that do not see the image.
 */
#ifndef MUNKEY_CORE_MODEL_FORWARD_H
#define MUNKEY_CORE_MODEL_FORWARD_H

#include <stdbool.h>

#include "core/model_attention.h"
#include "core/model_params.h"

/* FORWARD_ONCE lets layers share their activations and pads products to a multiple of 12
 * rows, the height of OpenBLAS kernels; FORWARD_KEEP keeps all for a backward pass. */
enum forward_flags { FORWARD_ONCE = 0, FORWARD_KEEP = 1, FORWARD_BLIND = 2 };

/* Rows in: all of them.  Rows out: the same, but in the last layer only the readout rows,
 * since nothing else is read after it. */
struct layer_trace {
    real *x, *y1, *stats1;  /* (in, d), (in, d), (in, 2) */
    real *x_read, *y1_read; /* (out, d): x and y1 themselves but in the last layer */
    real *q, *kv;           /* (out, d), (in, 2 d) */
    real *weight;           /* (n, heads, out / n, T + 2) */
    real *mixed;            /* (out, d): what the heads found */
    real *x1, *y2, *stats2; /* (out, d), (out, d), (out, 2) */
    real *up, *act;         /* (out, hidden) */
    real *x_out;            /* (out, d) */
    size_t in, out;
    bool last;
};

struct forward {
    struct shape shape;
    size_t n, k, tokens;   /* images, hits, T */
    size_t seeing, passes; /* 1 + k of passes see the image */
    size_t sequences;      /* n; or n passes, where attention is symmetric ... */
    size_t per_sequence;   /* ... passes in each: all, or 1 */
    size_t rows;           /* T + 2 per_sequence: of a sequence */
    real *input;           /* (height, width, channels): of one image */
    struct {
        real *cols, *y; /* (n T1, 9 channels in), (n T1, channels out) */
    } conv[STEM_MAX];
    real *image; /* (n T, d): what the stem makes of the images */
    struct layer_trace layer[LAYERS_MAX];
    real *stats, *z; /* (n passes, 2), (n passes, d): after the last norm */
    real *logits;    /* (n passes, shape_outputs()) */
    real *arena;
    size_t arena_n;
};

/* NULL when there is no memory. */
struct forward *forward_new(const struct shape *shape, size_t n, size_t k, int flags);
void forward_wipe(struct forward *f);
void forward_free(struct forward *f); /* wipes first */

/* pixels: (n, height, width, channels), byte values.  exemplars: (n k, d). */
void forward_run(struct forward *f, const struct net *net, const uint8_t *pixels,
                 const real *exemplars);

/* The attention of one head h of sequence b. */
struct attention forward_attention(const struct forward *f, const struct layer_trace *t,
                                   size_t b, size_t h);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The learnt numbers of a model: named tensors in one array, so that an optimizer, a file
 * and a digest see a row of numbers while the forward pass sees names.
 *
 *     struct params *params;
 *     params_new(&shape, PARAMS_ENCODER, &params);
 *     params->net.layer[0].q_w                        (d, d)
 *     params->tensor[i].name                          "encoder.layer.0.q.weight"
 *
 * Weights are (in, out): y = x w + b.
 */
#ifndef MUNKEY_CORE_MODEL_PARAMS_H
#define MUNKEY_CORE_MODEL_PARAMS_H

#include "core/linalg.h"
#include "core/model_shape.h"

struct layer {
    real *norm1_w, *norm1_b; /* (d) */
    real *q_w, *q_b;         /* (d, d), (d) */
    real *kv_w, *kv_b;       /* (d, 2 d), (2 d): keys, then values */
    real *out_w, *out_b;     /* (d, d), (d) */
    real *norm2_w, *norm2_b; /* (d) */
    real *up_w, *up_b;       /* (d, hidden), (hidden) */
    real *down_w, *down_b;   /* (hidden, d), (d) */
};

/* The transformer that both the key encoder and the classifier are. */
struct net {
    struct {
        real *w, *b; /* (9 channels in, channels out), rows are ky, kx, channel; (out) */
    } conv[STEM_MAX];
    real *position; /* (T, d) */
    real *readout;  /* (d): the readout row before the first layer */
    real *null;     /* (d): the exemplar row of a pass without an exemplar */
    struct layer layer[LAYERS_MAX];
    real *norm_w, *norm_b; /* (d) */
    real *head_w, *head_b; /* (d, classes) */
};

/* From a stored key and a label to an exemplar row. */
struct writer {
    real *own;     /* (own_tokens, token_dim): then there is no label, u1, u2 */
    real *label;   /* (classes, label_dim) */
    real *u1, *c1; /* (key_dim + label_dim, writer_hidden) */
    real *u2, *c2; /* (writer_hidden, token_dim): the exemplar token */
    real *we, *be; /* (token_dim, d) */
    real *similar; /* (d): times the similarity of the hit */
};

/* Principal components: key = normalise((enc(x) - mean) matrix). */
struct projection {
    real *mean;   /* (d) */
    real *matrix; /* (d, key_dim) */
};

/* What a retrieval-augmented classifier makes of its neighbours (core/rac_head.h). */
enum { RETRIEVED_K = 8, RETRIEVED_HIDDEN = 64 };
struct retrieved {
    real *w1, *b1; /* (classes + RETRIEVED_K, RETRIEVED_HIDDEN) */
    real *w2, *b2; /* (RETRIEVED_HIDDEN, classes) */
};

enum init { INIT_ZERO, INIT_ONE, INIT_WEIGHT, INIT_SMALL };

struct tensor {
    char name[48];
    size_t rows, cols; /* rows is 0 for a vector */
    size_t offset, n;  /* into values */
    enum init init;
    float spread; /* standard deviation of the first values */
};

enum params_kind {
    PARAMS_ENCODER,
    PARAMS_PROJECTION,
    PARAMS_CLASSIFIER,
    PARAMS_RETRIEVED
};

enum { TENSORS_MAX = 2 * STEM_MAX + 7 + 14 * LAYERS_MAX + 8 };

/* A classifier is a net and its writer; they are trained together. */
struct params {
    struct shape shape;
    enum params_kind kind;
    struct net net;
    struct writer writer;
    struct projection projection;
    struct retrieved retrieved;
    struct tensor tensor[TENSORS_MAX];
    size_t n_tensors;
    size_t n; /* numbers in all */
    real *values;
};

/* All zero.  Returns 0 or MK_ENOMEM. */
int params_new(const struct shape *shape, enum params_kind kind,
               struct params **ret_params);
void params_free(struct params *params);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The backward passes of the transformer and of the writer, by hand.
 *
 *     forward_run(f, &params->net, pixels, w->exemplar);         made with FORWARD_KEEP
 *     backward_run(b, f, &params->net, dlogits, &grad->net);     adds to grad
 *     writing_backward(w, params, b->dexemplars, grad);
 *
 * Every function here adds to the gradients of the weights; d<name> is the gradient of
 * the loss by <name>, with the same shape.
 */
#ifndef MUNKEY_CORE_TRAIN_BACKWARD_H
#define MUNKEY_CORE_TRAIN_BACKWARD_H

#include "core/model_forward.h"
#include "core/model_writer.h"

/* Working memory, shared by the layers. */
struct backward {
    real *dx, *dx1;         /* (rows, d): by a layer's output, by its middle */
    real *dy, *dmixed, *dq; /* (rows, d) */
    real *dkv;              /* (rows, 2 d) */
    real *dhidden;          /* (rows, hidden) */
    real *dweight;          /* (rows of one sequence, T + 2) */
    real *dimage;           /* (n T, d) */
    real *dcols, *dplane;   /* (n T1, 9 channels), (n T1, channels): of any convolution */
    real *dexemplars;       /* (n k, d): what is handed to the writer */
    real *block;
};

struct backward *backward_new(const struct forward *f);
void backward_free(struct backward *b);

/* dlogits: (n passes, classes). */
void backward_run(struct backward *b, const struct forward *f, const struct net *net,
                  const real *dlogits, struct net *grad);

/* dexemplars: (n, d).  A missing hit's goes to the null token. */
void writing_backward(const struct writing *w, const struct params *classifier,
                      const real *dexemplars, struct params *grad);

/* dq, dkv laid out like q and kv of a; dkv is added to.  dout: like a->out.
 * dweight: working memory, (rows, T + 2). */
void attention_backward(const struct attention *a, const real *dout, real *dweight,
                        real *dq, real *dkv);

/* Mean cross-entropy's share of one row: adds nothing but returns weight * loss, and
 * writes dlogits = weight * (softmax(logits) - target), where the target is 1 - smoothing
 * for the label, plus smoothing / classes for every class. */
double cross_entropy(const real *logits, size_t classes, uint32_t label, double smoothing,
                     double weight, real *ret_dlogits);

#endif

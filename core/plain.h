/* SPDX-License-Identifier: Apache-2.0 */
/* The plain classifier: the net of a model without its memory, for comparisons.
 *
 *     struct plain_plan plan = {shape, .seed = 1, .threads = 2, .epochs = 10, .batch = 128,
 *                               .rate = 1e-3, .smoothing = .1};
 *     struct params *params;
 *     rc = plain_train(&plan, &images, rows, tell, context, &params);
 *     plain_probabilities(params, &images, test_rows, 2, p);       (rows, classes)
 *     params_free(params);
 *
 * Trained on a list of rows as core/train.c trains an encoder: on the same rows it has the same
 * bits.  The same plan, images and rows give the same bits for any number of threads, and the
 * rows' order matters.  A retrained oracle and a shard of SISA are such classifiers, too.
 */
#ifndef MUNKEY_CORE_PLAIN_H
#define MUNKEY_CORE_PLAIN_H

#include "core/model_params.h"
#include "core/train_data.h"

struct plain_plan {
    struct shape shape;
    uint64_t seed;
    size_t threads;
    double epochs; /* over the rows: see plain_steps() */
    size_t batch;  /* a multiple of 8 */
    double rate;   /* the highest */
    double smoothing;
    bool upright; /* no image is mirrored */
};

/* Called between steps, with the mean loss of the last 100.  Returns false to stop. */
typedef bool plain_tell(void *context, size_t done, size_t total, double loss);

/* Whether there can be such a training.  MK_EINPUT with the reason. */
int plain_check(const struct plain_plan *plan, const struct images *images,
                struct row_list rows);

/* Steps that epochs over n rows take. */
size_t plain_steps(const struct plain_plan *plan, size_t n);

/* Returns 0 and the weight average (PARAMS_ENCODER), which the caller frees, 1 when tell()
 * asked to stop, MK_EINPUT with the reason, or MK_ENOMEM.  tell may be NULL. */
int plain_train(const struct plain_plan *plan, const struct images *images,
                struct row_list rows, plain_tell *tell, void *context,
                struct params **ret_params);

/* What the null pass of a net says, one image at a time, as in service: params of a plain
 * classifier or the classifier of a model, whose memory stays out.  ret_p: (rows, classes). */
int plain_probabilities(const struct params *params, const struct images *images,
                        struct row_list rows, size_t threads, float *ret_p);

/* The same before the softmax. */
int plain_logits(const struct params *params, const struct images *images,
                 struct row_list rows, size_t threads, float *ret_logits);

/* One safetensors file, which the caller frees, and back.  kind: PARAMS_ENCODER, but for
 * what unlearn() makes of a model's classifier.  MK_EINPUT when the file is of another
 * kind or shape. */
int plain_format(const struct params *params, void **ret_bytes, size_t *ret_len);
int plain_parse(const struct shape *shape, enum params_kind kind, const void *bytes,
                size_t len, struct params **ret_params);

#endif

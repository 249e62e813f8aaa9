/* SPDX-License-Identifier: Apache-2.0 */
/* The writer: from stored keys and labels to the exemplar rows that the classifier reads.
 *
 *     struct writing *w = writing_new(&shape, 4);
 *     writing_run(w, params, hits);                hits[i] NULL: the null token
 *     w->exemplar                                  (n, d)
 *     writing_free(w);
 */
#ifndef MUNKEY_CORE_MODEL_WRITER_H
#define MUNKEY_CORE_MODEL_WRITER_H

#include "core/key.h"
#include "core/model_params.h"

struct writing {
    struct shape shape;
    size_t n;
    const struct hit **hit; /* (n), borrowed until the next run */
    real *in;               /* (n, key_dim + label_dim) */
    real *up, *act;         /* (n, writer_hidden) */
    real *token;            /* (n, token_dim): v, the exemplar token */
    real *exemplar;         /* (n, d) */
};

struct writing *writing_new(const struct shape *shape, size_t n);
void writing_run(struct writing *w, const struct params *classifier,
                 const struct hit *const *hits);
void writing_wipe(struct writing *w);
void writing_free(struct writing *w); /* wipes first */

#endif

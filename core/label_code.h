/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of open labels: what a label that no weight has met looks like to a model.
 *
 *     label_code_vector(code, c);                 what the writer is fed
 *     label_code_logits(u, codes, n, logits);     what the readout says of n labels
 *
 * "c(y)_i = +1/8 if bit i (least significant first) of the first 8 bytes of SHA-256(name) is
 * set, else -1/8": a code is these 8 bytes, little-endian.  p(y) is proportional to
 * exp(<u, c(y)> / tau_lab) with tau_lab = 1/8, so that a logit is a sum of +-u_i.
 */
#ifndef MUNKEY_CORE_LABEL_CODE_H
#define MUNKEY_CORE_LABEL_CODE_H

#include <stddef.h>
#include <stdint.h>

#include "core/linalg.h"

enum { LABEL_CODE_DIM = 64 };

/* ret_c: (LABEL_CODE_DIM), of length 1. */
void label_code_vector(uint64_t code, real *ret_c);

/* u: (LABEL_CODE_DIM), codes: (n), ret_logits: (n).  A label's logit depends on its own code
 * alone, bit for bit, wherever it stands. */
void label_code_logits(const real *u, const uint64_t *codes, size_t n, real *ret_logits);

/* From the gradient by logits to that by u. */
void label_code_backward(const real *dlogits, const uint64_t *codes, size_t n,
                         real *ret_du);

#endif

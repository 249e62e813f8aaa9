/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of open labels. */
#include "core/label_code.h"

#include <string.h>

static real sign(uint64_t code, unsigned i)
{
    return code >> i & 1 ? 1 : -1;
}

void label_code_vector(uint64_t code, real *ret_c)
{
    for (unsigned i = 0; i < LABEL_CODE_DIM; i++)
        ret_c[i] = sign(code, i) / 8;
}

void label_code_logits(const real *u, const uint64_t *codes, size_t n, real *ret_logits)
{
    memset(ret_logits, 0, n * sizeof *ret_logits);
    for (unsigned i = 0; i < LABEL_CODE_DIM; i++)
        for (size_t y = 0; y < n; y++)
            ret_logits[y] += sign(codes[y], i) * u[i];
}

void label_code_backward(const real *dlogits, const uint64_t *codes, size_t n,
                         real *ret_du)
{
    for (unsigned i = 0; i < LABEL_CODE_DIM; i++) {
        ret_du[i] = 0;
        for (size_t y = 0; y < n; y++)
            ret_du[i] += sign(codes[y], i) * dlogits[y];
    }
}

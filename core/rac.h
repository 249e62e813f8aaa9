/* SPDX-License-Identifier: Apache-2.0 */
/* A retrieval-augmented classifier: z = f(x) + g([histogram of retrieved labels,
 * similarities]), f a plain classifier and g a small MLP.
 *
 *     struct rac *rac;
 *     mixture_nearest(&bank, bank.key, bank.n, true, 2, near);       queries: the rows
 *     rc = rac_train(&plan, RAC_JOINT, NULL, &images, rows, near, tell, context, &rac);
 *     rac_probabilities(rac, &images, test_rows, near_of_them, 2, p);
 *     rac_free(rac);
 *
 * To delete an instance is to search a bank that does not hold it; no weight changes.
 */
#ifndef MUNKEY_CORE_RAC_H
#define MUNKEY_CORE_RAC_H

#include "core/mixture.h"
#include "core/plain.h"

struct rac {
    struct params *f; /* PARAMS_ENCODER */
    struct params *g; /* PARAMS_RETRIEVED */
};

enum rac_mode {
    RAC_FROZEN, /* f stays the start, g is trained */
    RAC_JOINT /* both are, f from the start or, if that is NULL, from its first values */
};

/* near: (rows, MIXTURE_K), of each row of the list without itself.  Returns 0, 1 when tell()
 * asked to stop, MK_EINPUT with the reason, or MK_ENOMEM. */
int rac_train(const struct plain_plan *plan, enum rac_mode mode,
              const struct params *start, const struct images *images,
              struct row_list rows, const struct near *near, plain_tell *tell,
              void *context, struct rac **ret_rac);
void rac_free(struct rac *rac);

/* near: (rows, MIXTURE_K).  ret_p: (rows, classes). */
int rac_probabilities(const struct rac *rac, const struct images *images,
                      struct row_list rows, const struct near *near, size_t threads,
                      float *ret_p);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A model of open labels with drawn weights: it knows nothing, but it answers, and exactly.
 *
 *     struct model *model = drawn_model((const char *[]){"shirt", "shoe"}, 2);
 */
#ifndef MUNKEY_TESTS_DRAWN_H
#define MUNKEY_TESTS_DRAWN_H

#include "core/model_parts.h"

/* Profile T; names: (n), of the labels that are built in.  The caller frees it. */
struct model *drawn_model(const char *const *names, uint32_t n);

#endif

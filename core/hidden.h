/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for what is personal: zeros in a mapping of their own that never moves, is kept out of core
 * dumps and not handed to children.
 *
 *     uint8_t *at = hidden_new(size);
 *     hidden_free(at, size);            the caller wipes first, as far as it wrote
 */
#ifndef MUNKEY_CORE_HIDDEN_H
#define MUNKEY_CORE_HIDDEN_H

#include <stddef.h>

/* Address space; RAM is used as it is written.  NULL when there is none. */
void *hidden_new(size_t size);
void hidden_free(void *mapping, size_t size);

#endif

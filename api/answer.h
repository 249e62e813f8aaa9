/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of what the owner of a receipt is told.  NULL when there is no memory for it. */
#ifndef MUNKEY_API_ANSWER_H
#define MUNKEY_API_ANSWER_H

#include <jansson.h>

#include "api/metrics.h"
#include "storage/forget.h"

/* What became of an erasure that ended with rc, as act when that is 0. */
enum outcome outcome_of(int rc, enum act act);

json_t *json_receipt_id(const struct answer *answer);
json_t *json_opening(const struct answer *answer, struct subject subject,
                     const char *request);
json_t *json_log(const struct answer *answer, const char *origin);

/* The reply of an erasure, with all of the above. */
json_t *json_forgotten(const struct forgotten *done, struct subject subject,
                       const char *request, const char *origin);

#endif

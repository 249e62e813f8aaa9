/* SPDX-License-Identifier: Apache-2.0 */
/* A callback as it is sent: a document in JSON, signed as Standard Webhooks (standardwebhooks.com)
 * has it, so that receivers check it with a library that they find.
 *
 *     rc = letter_send(service, posts, row, receiver);        row: of storage/callback.h
 */
#ifndef MUNKEY_API_LETTER_H
#define MUNKEY_API_LETTER_H

#include "api/post.h"
#include "api/service.h"

/* Tagged with the row.  receiver: whose secret signs it. */
int letter_send(const struct service *service, struct posts *posts, uint64_t row,
                size_t receiver);

#endif

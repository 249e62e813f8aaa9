/* SPDX-License-Identifier: Apache-2.0 */
/* Every reply, whoever sent it, is counted (api/metrics.h) and recorded (api/journal.h).
 *
 *     account_reply(metrics, route, (struct request_record){.status = 408});
 */
#ifndef MUNKEY_API_ACCOUNT_H
#define MUNKEY_API_ACCOUNT_H

#include "api/handler.h"
#include "api/journal.h"
#include "api/metrics.h"

/* route NULL: none was found.  Method and route of the record are filled in here. */
void account_reply(struct metrics *metrics, const struct route *route,
                   struct request_record record);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Every reply is counted and recorded. */
#include "api/account.h"

void account_reply(struct metrics *metrics, const struct route *route,
                   struct request_record record)
{
    record.method = route ? route->method : UNROUTED;
    record.route = route ? route->path : UNROUTED;
    metrics_reply(metrics, route, record.status);
    if (route && record.nanoseconds)
        metrics_took(metrics, route, record.nanoseconds);
    journal_request(&record);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a request about a person says of itself. */
#include "api/handler.h"

struct subject request_subject(const struct request *request)
{
    const struct text *id = &request->target->segment[1];
    return (struct subject){id->data, id->len};
}

const char *request_name(const struct request *request)
{
    return request->idempotency_key ? request->idempotency_key : request->id;
}

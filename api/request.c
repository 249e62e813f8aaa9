/* SPDX-License-Identifier: Apache-2.0 */
/* What a request says of itself, and what it is called. */
#include "api/handler.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* RFC 4122, 4.4: a UUID from random numbers. */
void request_make_id(char ret_id[static REQUEST_ID_SIZE])
{
    uint8_t b[16];
    if (getrandom(b, sizeof b, 0) != sizeof b)
        abort(); /* cannot happen once the system's source is ready: getrandom(2) */
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    snprintf(ret_id, REQUEST_ID_SIZE,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
             b[13], b[14], b[15]);
}

struct subject request_subject(const struct request *request)
{
    const struct text *id = &request->target->segment[1];
    return (struct subject){id->data, id->len};
}

const char *request_name(const struct request *request)
{
    return request->idempotency_key ? request->idempotency_key : request->id;
}

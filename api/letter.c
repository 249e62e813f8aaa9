/* SPDX-License-Identifier: Apache-2.0 */
/* What a receiver is told, and by whom. */
#include "api/letter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/line.h"
#include "api/parts.h"
#include "api/receivers.h"
#include "core/err.h"
#include "storage/callback.h"
#include "storage/encode.h"
#include "storage/zeroing.h"

/* What became of the request, without whom it is about.  NULL without memory. */
static char *write_document(const struct callback *callback, const char *receipt)
{
    const struct request_row row = {.erased = callback->erased};
    json_t *data = json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:s}", "request_id", callback->request,
        "status", line_status(&row), "reason", line_reason(&row), "regulation",
        callback->regulation, "received", json_time(callback->received), "due",
        json_time(callback->due), "completed", json_time(callback->completed),
        "receipt_id", json_sprintf("%llu", (unsigned long long)callback->n), "receipt",
        receipt);
    json_t *json = json_pack("{s:s, s:o, s:o}", "type", "erasure.completed", "timestamp",
                             json_time(callback->completed), "data", data);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text;
}

/* "HMAC-SHA256 [of] msg_id.timestamp.payload". */
static void sign(const uint8_t secret[static SECRET_SIZE], const char *id,
                 const char *timestamp, const char *body,
                 char ret_signature[static BASE64_SIZE(SHA256_SIZE)])
{
    uint8_t mac[SHA256_SIZE];
    crypto_hmac(secret,
                (struct bytes[]){{id, strlen(id)},
                                 {".", 1},
                                 {timestamp, strlen(timestamp)},
                                 {".", 1},
                                 {body, strlen(body)}},
                5, mac);
    base64_encode(mac, sizeof mac, ret_signature);
}

static int send_signed(const uint8_t secret[static SECRET_SIZE], struct posts *posts,
                       uint64_t row, const struct callback *callback, const char *body)
{
    char id[4 + HEX_SIZE(CALLBACK_ID_SIZE)] = "msg_", timestamp[24];
    char signature[BASE64_SIZE(SHA256_SIZE)], header[3][96];
    hex_encode(callback->id, sizeof callback->id, id + 4);
    snprintf(timestamp, sizeof timestamp, "%lld", (long long)time(NULL));
    sign(secret, id, timestamp, body, signature);
    snprintf(header[0], sizeof header[0], "webhook-id: %s", id);
    snprintf(header[1], sizeof header[1], "webhook-timestamp: %s", timestamp);
    snprintf(header[2], sizeof header[2], "webhook-signature: v1,%s", signature);
    const struct post post = {
        .tag = row,
        .url = callback->url,
        .header = {header[0], header[1], header[2], "Content-Type: application/json"},
        .body = body};
    return posts_send(posts, &post);
}

int letter_send(const struct service *service, struct posts *posts, uint64_t row,
                size_t receiver)
{
    uint8_t secret[SECRET_SIZE];
    struct callback callback;
    char *receipt = NULL, *body = NULL;
    int rc = callback_read(service->state, row, &callback, &receipt);
    if (rc < 0)
        return rc;
    state_receiver_secret(service->state, receivers_prefix(service->receivers, receiver),
                          secret);
    rc = (body = write_document(&callback, receipt))
             ? send_signed(secret, posts, row, &callback, body)
             : fail(MK_ENOMEM, "no memory for a callback");
    crypto_wipe(secret, sizeof secret);
    crypto_wipe(&callback, sizeof callback);
    free(receipt);
    free_zeroed(body);
    return rc;
}

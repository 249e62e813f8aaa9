/* SPDX-License-Identifier: Apache-2.0 */
/* PUT and DELETE /subjects/{id}/restriction: the right to restriction (GDPR Art. 18). */
#include "api/answer.h"
#include "api/json.h"
#include "api/routes.h"
#include "storage/restrict.h"

enum { VALUES_MAX = 16 };

static int read_ground(const struct request *request, char *ret_ground)
{
    json_auto_t *body = NULL;
    int rc;
    if ((rc = json_read(request->body, request->body_len, VALUES_MAX, &body)) < 0 ||
        (rc = json_known(body, "ground")) < 0)
        return rc;
    return json_letter(body, "ground", 'a', 'd', ret_ground);
}

static int reply_restricted(struct reply *reply, const struct request *request,
                            const struct restricted *done)
{
    const char *status = done->answer.act == ACT_RESTRICT ? "restricted" : "unrestricted";
    struct state_status now;
    state_status(request->service->state, &now);
    reply->log_index = done->answer.index;
    return reply_json(
        reply, 200,
        json_pack(
            "{s:s, s:o, s:s, s:o, s:o, s:{s:I, s:I}}", "status", status, "receipt_id",
            json_receipt_id(&done->answer), "receipt", done->answer.receipt, "opening",
            json_opening(&done->answer, request_subject(request), request_name(request)),
            "log", json_log(&done->answer, now.origin), "verified", "records",
            (json_int_t)done->records, "masked", (json_int_t)done->masked));
}

int restriction_put(struct request *request, struct reply *ret_reply)
{
    struct restricted done __attribute__((cleanup(restricted_done))) = {0};
    char ground;
    int rc;
    if ((rc = read_ground(request, &ground)) < 0 ||
        (rc = restrict_set(request->service->state, request_subject(request), ground,
                           request_name(request), request->idempotency_key != NULL,
                           &done)) < 0)
        return rc;
    return reply_restricted(ret_reply, request, &done);
}

int restriction_delete(struct request *request, struct reply *ret_reply)
{
    struct restricted done __attribute__((cleanup(restricted_done))) = {0};
    int rc =
        restrict_lift(request->service->state, request_subject(request),
                      request_name(request), request->idempotency_key != NULL, &done);
    return rc < 0 ? rc : reply_restricted(ret_reply, request, &done);
}

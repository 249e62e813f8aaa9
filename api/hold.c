/* SPDX-License-Identifier: Apache-2.0 */
/* PUT and DELETE /subjects/{id}/hold: data that have to stay (GDPR Art. 17(3)). */
#include <time.h>

#include "api/json.h"
#include "api/parts.h"
#include "api/routes.h"
#include "core/err.h"
#include "storage/hold.h"

enum { VALUES_MAX = 16 };

static int read_hold(const struct request *request, char *ret_basis, int64_t *ret_until)
{
    json_auto_t *body = NULL;
    int64_t until = 0;
    int rc;
    if ((rc = json_read(request->body, request->body_len, VALUES_MAX, &body)) < 0 ||
        (rc = json_known(body, "basis until")) < 0 ||
        (rc = json_letter(body, "basis", 'a', 'e', ret_basis)) < 0 ||
        (rc = json_moment(body, "until", &until)) < 0)
        return rc;
    if (until != 0 && until <= time(NULL))
        return fail(MK_EUNPROCESSABLE, "until is past: a hold ends in the future, or "
                                       "with null when it is lifted");
    *ret_until = until;
    return 0;
}

int hold_put(struct request *request, struct reply *ret_reply)
{
    char basis;
    int64_t until;
    int rc;
    if ((rc = read_hold(request, &basis, &until)) < 0 ||
        (rc = hold_set(request->service->state, request_subject(request), basis, until)) <
            0)
        return rc;
    return reply_json(
        ret_reply, 200,
        json_pack("{s:s, s:o}", "status", "held", "hold", json_hold(basis, until)));
}

int hold_delete(struct request *request, struct reply *ret_reply)
{
    int rc = hold_lift(request->service->state, request_subject(request));
    return rc < 0 ? rc
                  : reply_json(ret_reply, 200, json_pack("{s:s}", "status", "not_held"));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* GET and POST /memory/audit: whether what is stored is what the log says. */
#include "storage/audit.h"

#include <stdlib.h>

#include "api/http.h"
#include "api/journal.h"
#include "api/lanes.h"
#include "api/parts.h"
#include "api/routes.h"
#include "core/err.h"

/* An audit as a job that goes behind everybody else after each portion. */
struct audit_job {
    struct job job; /* first */
    struct service *service;
};

static json_t *json_audit(const struct audit_status *status)
{
    const struct audited *last = &status->last;
    json_t *json =
        last->index == 0
            ? json_null()
            : json_pack("{s:I, s:b, s:o}", "index", (json_int_t)last->index, "ok",
                        (int)last->ok, "found", json_hex(last->found, 32));
    return json_pack("{s:b, s:o}", "running", (int)status->running, "last", json);
}

int audit_get(struct request *request, struct reply *ret_reply)
{
    struct audit_status status;
    audit_status(request->service->state, &status);
    return reply_json(ret_reply, 200, json_audit(&status));
}

/* For the operator: nobody waits for the reply. */
static void report(struct state *state, int rc)
{
    struct audit_status status;
    audit_status(state, &status);
    if (rc < 0)
        journal_say(LOG_ERR, "audit: given up: %s (%s)", err_why(), err_where());
    else if (!status.last.ok)
        journal_say(
            LOG_CRIT,
            "AUDIT FAILED: slots, memory and log do not agree; log entry %llu has "
            "the digest that was found; see munkeyctl(8), audit",
            (unsigned long long)status.last.index);
}

static void run_portion(struct job *job, struct scratch *scratch)
{
    struct audit_job *audit = (struct audit_job *)job;
    struct service *service = audit->service;
    int rc = audit_step(service->state);
    (void)scratch;
    if (rc == 1 && lanes_go_on(service->lanes, LANE_READ, job) == 0)
        return;
    if (rc == 1)
        audit_abandon(service->state); /* stopping */
    else
        report(service->state, rc);
    free(audit);
    if (rc == MK_EUNKNOWN)
        http_die();
}

/* 0; 1: one runs already. */
static int start(struct service *service)
{
    struct audit_job *audit = calloc(1, sizeof *audit);
    if (!audit)
        return fail(MK_ENOMEM, "no memory for an audit");
    *audit = (struct audit_job){.job.run = run_portion, .service = service};
    int rc = audit_begin(service->state);
    if (rc == 0 && (rc = lanes_go_on(service->lanes, LANE_READ, &audit->job)) < 0)
        audit_abandon(service->state);
    if (rc != 0)
        free(audit); /* else the lane's */
    return rc;
}

/* One that runs already is as good. */
int audit_post(struct request *request, struct reply *ret_reply)
{
    struct service *service = request->service;
    struct audit_status status;
    int rc = start(service);
    if (rc < 0 || (rc = reply_header(ret_reply, "Location", "%s", request->raw_path)) < 0)
        return rc;
    audit_status(service->state, &status);
    return reply_json(ret_reply, 202, json_audit(&status));
}

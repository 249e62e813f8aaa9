/* SPDX-License-Identifier: Apache-2.0 */
/* How the service is, which program answers, and on what memory. */
#include "api/parts.h"
#include "api/routes.h"
#include "core/err.h"

int health_get(struct request *request, struct reply *ret_reply)
{
    (void)request;
    return reply_json(ret_reply, 200, json_pack("{s:s}", "status", "ok"));
}

int ready_get(struct request *request, struct reply *ret_reply)
{
    const struct service *service = request->service;
    int rc = service_ready(service);
    if (rc < 0)
        return rc;
    return reply_json(ret_reply, 200,
                      json_pack("{s:s, s:b}", "status", "ready", "memory_locked",
                                (int)memory_is_locked(service->bank)));
}

int version_get(struct request *request, struct reply *ret_reply)
{
    json_t *model = json_model(request->service);
    if (model_info(request->service->model)->open_labels)
        json_object_set_new(model, "labels", json_string("open"));
    if (request->service->residual)
        json_object_set_new(model, "residual",
                            json_loads(request->service->residual, 0, NULL));
    return reply_json(ret_reply, 200,
                      json_pack("{s:s, s:s, s:o}", "name", "munkeyd", "version",
                                PACKAGE_VERSION, "model", model));
}

/* size: of the log; its last entry states this digest. */
int digest_get(struct request *request, struct reply *ret_reply)
{
    struct state_status status;
    state_status(request->service->state, &status);
    return reply_json(ret_reply, 200,
                      json_pack("{s:I, s:o, s:I}", "n", (json_int_t)status.instances,
                                "digest", json_hex(status.digest, sizeof status.digest),
                                "size", (json_int_t)status.entries));
}

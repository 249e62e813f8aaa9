/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's routes, on control.sock. */
#include <string.h>
#include <time.h>

#include "api/json.h"
#include "api/lanes.h"
#include "api/parts.h"
#include "api/routes.h"
#include "core/err.h"
#include "storage/backup.h"
#include "storage/rotate.h"

int status_get(struct request *request, struct reply *ret_reply)
{
    const struct service *service = request->service;
    struct state_status status;
    state_status(service->state, &status);
    json_t *memory = json_pack(
        "{s:I, s:I, s:I, s:o, s:b}", "instances", (json_int_t)status.instances,
        "subjects", (json_int_t)status.subjects, "slots", (json_int_t)status.slots_total,
        "digest", json_hex(status.digest, sizeof status.digest), "locked",
        (int)memory_is_locked(service->bank));
    json_t *log = json_pack("{s:s, s:I}", "origin", status.origin, "entries",
                            (json_int_t)status.entries);
    return reply_json(ret_reply, 200,
                      json_pack("{s:s, s:s, s:o, s:o, s:o, s:I}", "status",
                                service->draining ? "stopping" : "serving", "version",
                                PACKAGE_VERSION, "model", json_model(service), "memory",
                                memory, "log", log, "callbacks",
                                (json_int_t)status.callbacks));
}

/* The state's mutex is not fair: whoever else waits for it, such as a bulk of erasures, gets it
 * while this thread sleeps. */
static void give_way(void *lanes)
{
    static const struct timespec moment = {.tv_nsec = 1000000};
    lanes_give_way(lanes);
    nanosleep(&moment, NULL);
}

int backup_post(struct request *request, struct reply *ret_reply)
{
    const struct service *service = request->service;
    json_auto_t *body = NULL;
    const char *path = NULL;
    int rc;
    if ((rc = json_read(request->body, request->body_len, 4, &body)) < 0 ||
        (rc = json_known(body, "path")) < 0 ||
        (rc = json_text(body, "path", true, &path)) < 0 ||
        (rc = state_backup(service->state, path, give_way, service->lanes)) < 0)
        return rc;
    return reply_json(ret_reply, 200, json_pack("{s:s}", "status", "written"));
}

int rotate_post(struct request *request, struct reply *ret_reply)
{
    json_auto_t *body = NULL;
    const char *key = NULL;
    struct rotated rotated;
    int rc;
    if ((rc = json_read(request->body, request->body_len, 4, &body)) < 0 ||
        (rc = json_known(body, "key")) < 0 ||
        (rc = json_text(body, "key", true, &key)) < 0)
        return rc;
    if (strcmp(key, "log") != 0 && strcmp(key, "receipt") != 0)
        return fail(MK_EINPUT, "key has to be log or receipt");
    rc = rotate(request->service->state, *key == 'l' ? KEY_LOG : KEY_RECEIPT, &rotated);
    if (rc < 0)
        return rc;
    return reply_json(ret_reply, 200,
                      json_pack("{s:s, s:s, s:s, s:I}", "key", key, "old", rotated.old,
                                "new", rotated.new, "index", (json_int_t)rotated.index));
}

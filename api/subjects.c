/* SPDX-License-Identifier: Apache-2.0 */
/* GET and DELETE /subjects/{id}: the right of access and the right to erasure. */
#include <stdlib.h>
#include <string.h>

#include "api/answer.h"
#include "api/parts.h"
#include "api/routes.h"
#include "core/err.h"
#include "storage/forget.h"
#include "storage/subject.h"

enum { PAGE = 100 };

/* ---- GET ---- */

static json_t *json_key(const struct key *key, uint32_t dim)
{
    json_t *components = json_array();
    for (uint32_t i = 0; i < dim; i++)
        json_array_append_new(components, json_integer(key->q[i]));
    return json_pack("{s:f, s:o}", "scale", (double)key->scale, "q", components);
}

/* Its name, or null. */
static json_t *json_label(const struct held_instance *held, const struct model_info *info)
{
    if (info->open_labels)
        return json_string(held->name);
    return held->label < info->classes ? json_string(info->labels[held->label])
                                       : json_null();
}

/* Where the label stands among those that answer now; null while it does not. */
static json_t *json_index(const struct held_instance *held,
                          const struct label_list *labels)
{
    if (!labels->code)
        return json_integer(held->label);
    size_t index = label_list_find(labels, held->name);
    return index < labels->n ? json_integer((json_int_t)index) : json_null();
}

static json_t *json_instance(const struct held_instance *held,
                             const struct model_info *info,
                             const struct label_list *labels, bool export)
{
    json_t *json =
        json_pack("{s:o, s:o, s:o, s:s, s:o, s:o}", "id", json_hex(held->iid, IID_SIZE),
                  "label", json_label(held, info), "index", json_index(held, labels),
                  "class", held->class == CLASS_EXACT ? "exact" : "trained", "added_at",
                  json_time(held->added_at), "model", json_digest(held->model));
    for (int i = 0; i < PROVENANCE_FIELDS; i++)
        if (held->provenance[i][0])
            json_object_set_new(json, provenance_names[i],
                                json_string(held->provenance[i]));
    if (export)
        json_object_set_new(json, "key", json_key(&held->key, info->key_dim));
    return json;
}

static int read_query(const struct target *target, uint64_t *ret_cursor, bool *ret_export)
{
    const char *cursor = target_query(target, "cursor");
    const char *export = target_query(target, "export");
    if (cursor &&
        (!*cursor || strlen(cursor) > 18 || cursor[strspn(cursor, "0123456789")]))
        return fail(MK_EINPUT, "cursor has to be the number that the Link header gave");
    if (export && strcmp(export, "0") != 0 && strcmp(export, "1") != 0)
        return fail(MK_EINPUT, "export has to be 0 or 1");
    *ret_cursor = cursor ? strtoull(cursor, NULL, 10) : 0;
    *ret_export = export && *export == '1';
    return 0;
}

/* {"ground"}, or null. */
static json_t *json_restriction(const struct held *held)
{
    return held->ground ? json_pack("{s:s#}", "ground", &held->ground, 1) : json_null();
}

static json_t *json_instances(const struct held *held, const struct service *service,
                              bool export)
{
    json_t *instances = json_array();
    memory_lock_shared(service->bank);
    const struct label_list labels = service_labels(service);
    for (size_t i = 0; i < held->n; i++)
        json_array_append_new(instances,
                              json_instance(&held->instance[i],
                                            model_info(service->model), &labels, export));
    memory_unlock_shared(service->bank);
    return instances;
}

static json_t *json_held(const struct held *held, const struct request *request,
                         bool export)
{
    struct subject subject = request_subject(request);
    json_t *instances = json_instances(held, request->service, export);
    return json_pack("{s:s%, s:I, s:b, s:o, s:b, s:o, s:o}", "subject", subject.id,
                     subject.len, "total", (json_int_t)held->total, "restricted",
                     (int)held->restricted, "restriction", json_restriction(held), "held",
                     (int)held->held, "hold", json_hold(held->basis, held->until),
                     "instances", instances);
}

int subject_get(struct request *request, struct reply *ret_reply)
{
    struct held held __attribute__((cleanup(held_done))) = {0};
    uint64_t cursor = 0;
    bool export = false;
    int rc;
    if ((rc = read_query(request->target, &cursor, &export)) < 0 ||
        (rc = subject_read(request->service->state, request_subject(request), cursor,
                           PAGE, &held)) < 0)
        return rc;
    /* RFC 3986, 5.2.2: a reference that is a query alone has the path of the request.  With the
     * path it would name the person, and libmicrohttpd keeps and frees a copy as it is. */
    if (held.next &&
        (rc = reply_header(ret_reply, "Link", "<?cursor=%llu%s>; rel=\"next\"",
                           (unsigned long long)held.next, export ? "&export=1" : "")) < 0)
        return rc;
    return reply_json(ret_reply, 200, json_held(&held, request, export));
}

/* ---- DELETE ---- */

int subject_delete(struct request *request, struct reply *ret_reply)
{
    struct state *state = request->service->state;
    const char *name = request_name(request);
    struct forgotten done __attribute__((cleanup(forgotten_done))) = {0};
    struct state_status status;
    int rc = forget(state, request_subject(request), name,
                    request->idempotency_key != NULL, &done);
    metrics_erasure(request->service->metrics, outcome_of(rc, done.answer.act));
    if (rc < 0)
        return rc;
    state_status(state, &status);
    ret_reply->log_index = done.answer.index;
    return reply_json(
        ret_reply, 200,
        json_forgotten(&done, request_subject(request), name, status.origin));
}

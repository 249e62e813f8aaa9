/* SPDX-License-Identifier: Apache-2.0 */
/* GET and DELETE /subjects/{id}: the right of access and the right to erasure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/parts.h"
#include "api/routes.h"
#include "core/err.h"
#include "storage/forget.h"
#include "storage/subject.h"

enum { PAGE = 100 };

static struct subject subject_of(const struct request *request)
{
    const struct text *id = &request->target->segment[1];
    return (struct subject){id->data, id->len};
}

/* ---- GET ---- */

static json_t *json_time(int64_t seconds)
{
    char text[32];
    struct tm tm;
    time_t time = seconds;
    strftime(text, sizeof text, "%FT%TZ", gmtime_r(&time, &tm));
    return json_string(text);
}

static json_t *json_key(const struct key *key, uint32_t dim)
{
    json_t *components = json_array();
    for (uint32_t i = 0; i < dim; i++)
        json_array_append_new(components, json_integer(key->q[i]));
    return json_pack("{s:f, s:o}", "scale", (double)key->scale, "q", components);
}

static json_t *json_instance(const struct held_instance *held,
                             const struct model_info *info, bool export)
{
    json_t *json = json_pack(
        "{s:o, s:o, s:I, s:s, s:o}", "id", json_hex(held->iid, IID_SIZE), "label",
        json_label(info, held->label), "index", (json_int_t)held->label, "class",
        held->class == CLASS_EXACT ? "exact" : "trained", "added_at",
        json_time(held->added_at));
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

static json_t *json_held(const struct held *held, const struct request *request,
                         bool export)
{
    const struct model_info *info = model_info(request->service->model);
    const struct text *id = &request->target->segment[1];
    json_t *instances = json_array();
    for (size_t i = 0; i < held->n; i++)
        json_array_append_new(instances, json_instance(&held->instance[i], info, export));
    return json_pack("{s:s%, s:I, s:b, s:o}", "subject", id->data, id->len, "total",
                     (json_int_t)held->total, "restricted", (int)held->restricted,
                     "instances", instances);
}

int subject_get(struct request *request, struct reply *ret_reply)
{
    struct held held __attribute__((cleanup(held_done))) = {0};
    uint64_t cursor = 0;
    bool export = false;
    int rc;
    if ((rc = read_query(request->target, &cursor, &export)) < 0 ||
        (rc = subject_read(request->service->state, subject_of(request), cursor, PAGE,
                           &held)) < 0)
        return rc;
    if (held.next &&
        (rc = reply_header(ret_reply, "Link", "<%s?cursor=%llu%s>; rel=\"next\"",
                           request->raw_path, (unsigned long long)held.next,
                           export ? "&export=1" : "")) < 0)
        return rc;
    return reply_json(ret_reply, 200, json_held(&held, request, export));
}

/* ---- DELETE ---- */

static json_t *json_classes(const struct forgotten *done)
{
    json_t *classes = json_object();
    if (done->answer.exact)
        json_object_set_new(classes, "exact",
                            json_integer((json_int_t)done->answer.exact));
    if (done->answer.trained)
        json_object_set_new(classes, "trained",
                            json_integer((json_int_t)done->answer.trained));
    return classes;
}

/* What a receipt does not say, said where it is read. */
static json_t *json_limitations(const struct forgotten *done)
{
    json_t *list = json_array();
    json_array_append_new(
        list, json_string("The scope is this memory: copies, replicas, logs and "
                          "backups outside of munkeyd are not covered."));
    if (done->answer.trained)
        json_array_append_new(
            list, json_string(
                      "The weights were trained on the instances of class trained: their "
                      "keys are gone; what the weights may retain of them is measured "
                      "and published with the model."));
    json_array_append_new(
        list, json_string("Answers that were sent before this erasure cannot be "
                          "called back."));
    return list;
}

static json_t *json_opening(const struct forgotten *done, struct subject subject,
                            const char *request)
{
    return json_pack("{s:s%, s:s, s:s}", "subject", subject.id, subject.len, "request",
                     request, "salt", done->answer.salt);
}

static json_t *json_log(const struct forgotten *done, const char *origin)
{
    return json_pack("{s:s, s:I, s:o, s:s}", "origin", origin, "index",
                     (json_int_t)done->answer.index, "leaf_hash",
                     json_hex(done->answer.leaf_hash, sizeof done->answer.leaf_hash),
                     "proof", done->answer.proof);
}

static json_t *json_forgotten(const struct forgotten *done, struct subject subject,
                              const char *request, const char *origin)
{
    char receipt_id[24];
    snprintf(receipt_id, sizeof receipt_id, "%llu",
             (unsigned long long)done->answer.index);
    return json_pack(
        "{s:s, s:I, s:o, s:s, s:s, s:o, s:o, s:{s:I, s:b}, s:o}", "status",
        done->answer.act == ACT_ERASE ? "erased" : "not_held", "erased",
        (json_int_t)(done->answer.exact + done->answer.trained), "classes",
        json_classes(done), "receipt_id", receipt_id, "receipt", done->answer.receipt,
        "opening", json_opening(done, subject, request), "log", json_log(done, origin),
        "verified", "records_left", (json_int_t)done->records_left, "digest_match",
        (int)done->digest_match, "limitations", json_limitations(done));
}

int subject_delete(struct request *request, struct reply *ret_reply)
{
    struct state *state = request->service->state;
    const char *name = request->idempotency_key ? request->idempotency_key : request->id;
    struct forgotten done __attribute__((cleanup(forgotten_done))) = {0};
    struct state_status status;
    int rc =
        forget(state, subject_of(request), name, request->idempotency_key != NULL, &done);
    if (rc < 0)
        return rc;
    state_status(state, &status);
    return reply_json(ret_reply, 200,
                      json_forgotten(&done, subject_of(request), name, status.origin));
}

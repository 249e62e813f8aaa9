/* SPDX-License-Identifier: Apache-2.0 */
/* One route as an OpenAPI operation. */
#include "api/openapi_operation.h"

#include <string.h>

#include "api/json.h"
#include "api/routes.h"
#include "core/err.h"

/* Words that are separated by spaces, as an array. */
static json_t *words(const char *list)
{
    json_t *array = json_array();
    for (size_t len; list && *list; list += len + (list[len] == ' ')) {
        len = strcspn(list, " ");
        json_array_append_new(array, json_stringn(list, len));
    }
    return array;
}

static json_t *reference(const char *kind, const char *name)
{
    return json_pack("{s:o}", "$ref", json_sprintf("#/components/%s/%s", kind, name));
}

/* The table says that there is one; the files, what it is. */
static int add_parameter(json_t *said, json_t *operation, const char *name,
                         const char *where)
{
    json_t *all = json_object_get(json_object_get(said, "components"), "parameters");
    json_t *parameter = json_object_get(all, name);
    const char *before = json_string_value(json_object_get(parameter, "in"));
    if (!parameter || (before && strcmp(before, where) != 0))
        return fail(MK_EINPUT, "no parameter `%s` of the %s is described", name, where);
    json_object_set_new(parameter, "in", json_string(where));
    if (strcmp(where, "path") == 0)
        json_object_set_new(parameter, "required", json_true());
    if (!json_object_get(operation, "parameters"))
        json_object_set_new(operation, "parameters", json_array());
    json_array_append_new(json_object_get(operation, "parameters"),
                          reference("parameters", name));
    return 0;
}

static int add_query(json_t *said, const struct route *route, json_t *operation)
{
    json_auto_t *names = words(route->query);
    const json_t *name;
    size_t i;
    int rc = 0;
    json_array_foreach(
        names, i, name) if ((rc = add_parameter(said, operation, json_string_value(name),
                                                "query")) < 0) break;
    return rc;
}

/* What a body of each media type holds: the operation's own word, or else the usual one. */
static int add_body(const json_t *said, const struct route *route, json_t *operation)
{
    json_auto_t *types = words(route->media);
    json_t *content = json_object(), *own = json_object_get(operation, "body"), *type;
    size_t i;
    json_array_foreach(types, i, type)
    {
        const char *name = json_string_value(type);
        json_t *media = json_object_get(own, name);
        if (!media)
            media = json_object_get(json_object_get(said, "media"), name);
        json_object_set(content, name, media);
        json_object_del(own, name);
    }
    bool complete = json_object_size(content) == json_array_size(types);
    if (route->media)
        json_object_set_new(operation, "requestBody",
                            json_pack("{s:b, s:O}", "required", 1, "content", content));
    json_decref(content);
    if (!complete || json_object_size(own) > 0)
        return fail(MK_EINPUT, "`body` does not describe the media types of the table");
    json_object_del(operation, "body");
    return 0;
}

static void add_errors(json_t *responses, const json_t *statuses)
{
    const json_t *status;
    size_t i;
    json_array_foreach(statuses, i, status)
    {
        json_auto_t *name =
            json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(status));
        json_object_set_new(responses, json_string_value(name),
                            reference("responses", json_string_value(name)));
    }
}

/* What api/openapi/common.json says of everything. */
static const json_t *everywhere(const json_t *said, const char *what)
{
    return json_object_get(json_object_get(said, "everywhere"), what);
}

void replies_complete(const json_t *said, json_t *replies)
{
    const json_t *names = everywhere(said, "headers");
    const char *status;
    json_t *reply;
    json_object_foreach(replies, status, reply)
    {
        if (!json_object_get(reply, "headers"))
            json_object_set_new(reply, "headers", json_object());
        for (size_t i = 0; i < json_array_size(names); i++) {
            const char *name = json_string_value(json_array_get(names, i));
            json_t *headers = json_object_get(reply, "headers");
            if (!json_object_get(headers, name)) /* else the file says otherwise */
                json_object_set_new(headers, name, reference("headers", name));
        }
    }
}

int operation_complete(json_t *said, const struct route *route, bool public_log,
                       json_t *operation)
{
    const enum scope scope = route_scope(route, public_log);
    json_t *responses = json_object_get(operation, "responses");
    replies_complete(said, responses);
    add_errors(responses, json_object_get(operation, "errors"));
    add_errors(responses, everywhere(said, "errors"));
    if (scope)
        add_errors(responses, everywhere(said, "errors with a scope"));
    json_object_del(operation, "errors");
    json_object_set_new(operation, "security",
                        scope ? json_pack("[{s:[s]}]", "bearer", scope_name(scope))
                              : json_array());
    int rc = add_query(said, route, operation);
    return rc < 0 ? rc : add_body(said, route, operation);
}

int operation_at(json_t *said, const char *path, const json_t *operation,
                 json_t **ret_operation)
{
    json_auto_t *here = json_deep_copy(operation);
    for (const char *open = path, *close; (open = strchr(open, '{')); open = close) {
        if (!(close = strchr(open, '}')))
            return fail(MK_EINPUT, "a brace is not closed");
        json_auto_t *name = json_stringn(open + 1, (size_t)(close - open - 1));
        int rc = add_parameter(said, here, json_string_value(name), "path");
        if (rc < 0)
            return rc;
    }
    *ret_operation = json_incref(here);
    return 0;
}

json_t *operation_head(const json_t *get)
{
    json_t *head = json_deep_copy(get), *reply;
    const char *status;
    json_object_set_new(
        head, "operationId",
        json_sprintf("%s.head", json_string_value(json_object_get(get, "operationId"))));
    json_object_foreach(json_object_get(head, "responses"), status, reply)
        json_object_del(reply, "content");
    return head;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The interface as an OpenAPI document: the table of routes, and what only people know.
 *
 * The files of api/openapi/ are in OpenAPI's own words but for these: `tag` is that of a file's
 * operations, `body` says what a media type of the table holds, `media` what it holds elsewhere,
 * `errors` are an operation's own statuses, `everywhere` is what all have, and `templates` spells
 * out braces that match many segments, which OpenAPI does not know.
 */
#include "api/openapi.h"

#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/openapi_operation.h"
#include "api/openapi_text.h"
#include "api/routes.h"
#include "core/err.h"

enum { LEVELS = 2 /* that several files may add to: components, schemas */ };

/* ---- the files ---- */

/* Adds members to those that there are already, down to so many levels. */
static int merge(json_t *to, json_t *from, int levels)
{
    const char *name;
    json_t *value;
    int rc = 0;
    json_object_foreach(from, name, value)
    {
        json_t *there = json_object_get(to, name);
        if (!there)
            json_object_set(to, name, value);
        else if (levels == 0)
            return fail(MK_EINPUT, "api/openapi: `%s` stands there twice", name);
        else if ((rc = merge(there, value, levels - 1)) < 0)
            return rc;
    }
    return rc;
}

/* A file's tag becomes that of each of its operations. */
static void spread_tag(json_t *tags, json_t *file)
{
    const char *name;
    json_t *operation, *tag = json_object_get(file, "tag");
    if (!tag)
        return;
    json_object_foreach(json_object_get(file, "operations"), name, operation)
        json_object_set_new(operation, "tags",
                            json_pack("[O]", json_object_get(tag, "name")));
    json_array_append(tags, tag);
    json_object_del(file, "tag");
}

/* All as one object.  In the text they stand one after the other. */
static int read_files(json_t **ret_said)
{
    json_auto_t *said = json_pack("{s:[]}", "tags");
    for (const char *text = openapi_text; *text; text += strspn(text, "\n")) {
        json_error_t error;
        json_auto_t *file =
            json_loads(text, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &error);
        if (!file)
            return fail(MK_EINPUT, "api/openapi: %s in line %d of: %.99s", error.text,
                        error.line, text);
        spread_tag(json_object_get(said, "tags"), file);
        int rc = merge(said, file, LEVELS);
        if (rc < 0)
            return rc;
        text += error.position;
    }
    *ret_said = json_incref(said);
    return 0;
}

/* ---- paths ---- */

static void put(json_t *paths, const char *path, const char *method,
                json_t *operation_take)
{
    json_t *item = json_object_get(paths, path);
    char lower[8] = "";
    for (size_t i = 0; method[i] && i < sizeof lower - 1; i++)
        lower[i] = (char)(method[i] | 0x20);
    if (!item)
        json_object_set_new(paths, path, item = json_object());
    json_object_set_new(item, lower, operation_take);
}

static int add_path(json_t *said, const char *method, const char *path,
                    const json_t *operation, json_t *paths)
{
    json_t *here;
    int rc = operation_at(said, path, operation, &here);
    if (rc < 0)
        return rc;
    if (strcmp(method, "GET") == 0)
        put(paths, path, "HEAD", operation_head(here));
    put(paths, path, method, here);
    return 0;
}

/* A path whose last braces stand for several segments is several paths. */
static int add_paths(json_t *said, const struct route *route, json_t *operation,
                     json_t *paths)
{
    const char *many = strstr(route->path, "...}");
    const char *from =
        many ? memrchr(route->path, '{', (size_t)(many - route->path)) : NULL;
    const json_t *forms = json_object_get(json_object_get(said, "templates"), from),
                 *form;
    json_auto_t *id = json_incref(json_object_get(operation, "operationId"));
    size_t i;
    if (!many)
        return add_path(said, route->method, route->path, operation, paths);
    if (!forms)
        return fail(MK_EINPUT, "`templates` does not spell out %s", from);
    json_array_foreach(forms, i, form)
    {
        json_auto_t *path = json_sprintf("%.*s%s", (int)(from - route->path), route->path,
                                         json_string_value(form));
        json_object_set_new(operation, "operationId",
                            json_sprintf("%s.%zu", json_string_value(id), i + 1));
        int rc = add_path(said, route->method, json_string_value(path), operation, paths);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int add_route(json_t *said, const struct route *route, bool public_log,
                     json_t *paths)
{
    json_t *operations = json_object_get(said, "operations");
    json_auto_t *name = json_sprintf("%s %s", route->method, route->path);
    json_auto_t *operation =
        json_incref(json_object_get(operations, json_string_value(name)));
    int rc = operation ? operation_complete(said, route, public_log, operation)
                       : fail(MK_EINPUT, "no `operations` describes it");
    if (rc == 0)
        rc = add_paths(said, route, operation, paths);
    if (rc < 0) {
        json_auto_t *why = json_string(err_why());
        return fail(rc, "api/openapi: %s: %s", json_string_value(name),
                    json_string_value(why));
    }
    json_object_del(operations, json_string_value(name));
    return 0;
}

/* ---- the whole ---- */

static int all_is_used(const json_t *said, json_t *components)
{
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get((json_t *)said, "operations"), name,
                        value) return fail(MK_EINPUT, "api/openapi: %s is no route",
                                           name);
    json_object_foreach(json_object_get(components, "parameters"), name, value)
    {
        json_object_set_new(value, "name", json_string(name));
        if (!json_object_get(value, "in"))
            return fail(MK_EINPUT, "api/openapi: `%s` is no parameter of a route", name);
    }
    return 0;
}

int openapi_make(const struct route *routes, bool public_log, char **ret_text)
{
    json_auto_t *said = NULL, *paths = json_object(), *document = NULL;
    int rc = read_files(&said);
    if (rc < 0)
        return rc;
    json_t *components = json_object_get(said, "components");
    for (const struct route *route = routes; rc == 0 && route->path; route++)
        rc = add_route(said, route, public_log, paths);
    if (rc < 0 || (rc = all_is_used(said, components)) < 0)
        return rc;
    replies_complete(said, json_object_get(components, "responses"));
    json_object_set_new(json_object_get(said, "info"), "version",
                        json_string(PACKAGE_VERSION));
    document = json_pack(
        "{s:s, s:O, s:O, s:O, s:O, s:O}", "openapi", "3.1.0", "info",
        json_object_get(said, "info"), "servers", json_object_get(said, "servers"),
        "tags", json_object_get(said, "tags"), "paths", paths, "components", components);
    char *text = document ? json_dumps(document, JSON_COMPACT) : NULL;
    if (!text)
        return fail(MK_ENOMEM, "no memory for the OpenAPI document");
    *ret_text = text;
    return 0;
}

int openapi_get(struct request *request, struct reply *ret_reply)
{
    return reply_text(ret_reply, 200, "application/json", request->service->openapi);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The routes, in one table for strangers, one for the operator and one for who watches. */
#include "api/routes.h"

#include <stdio.h>
#include <string.h>

#define IMAGES "image/png image/jpeg application/octet-stream application/json"
#define TENSORS "application/json application/octet-stream"
#define PROVENANCE "label source collected_at lawful_basis consent_ref"

/* A path stands before one whose braces would take it, too. */
/* clang-format off */
const struct route public_routes[] = {
    {"POST", "/predict", SCOPE_PREDICT, LANE_PREDICT, .run = predict_post,
     .media = IMAGES, .query = "top_k explain", .large = true},
    {"POST", "/subjects/{id}/instances", SCOPE_ENROLL, LANE_ENROLL, .run = instances_post,
     .media = IMAGES " application/x-ndjson", .query = PROVENANCE, .large = true},
    {"GET", "/subjects/{id}", SCOPE_ACCESS, LANE_READ, .run = subject_get,
     .query = "export cursor", .personal = true},
    {"DELETE", "/subjects/{id}", SCOPE_ERASE, LANE_ERASE, .run = subject_delete,
     .forgets = true},
    {"PUT", "/subjects/{id}/restriction", SCOPE_RESTRICT, LANE_ERASE, .run = restriction_put,
     .media = "application/json", .forgets = true},
    {"DELETE", "/subjects/{id}/restriction", SCOPE_RESTRICT, LANE_ERASE,
     .run = restriction_delete},
    {"PUT", "/subjects/{id}/hold", SCOPE_ADMIN, LANE_ERASE, .run = hold_put,
     .media = "application/json"},
    {"DELETE", "/subjects/{id}/hold", SCOPE_ADMIN, LANE_ERASE, .run = hold_delete},
    {"POST", "/erasures", SCOPE_ERASE, LANE_BULK, .run = erasures_post,
     .media = "application/json application/x-ndjson", .large = true, .forgets = true},
    {"GET", "/erasures/{request_id}", SCOPE_ERASE, LANE_READ, .run = erasure_get},
    {"POST", "/receipts/verify", SCOPE_NONE, LANE_READ, .run = verify_post,
     .media = "application/json", .log = true},
    {"GET", "/receipts/{index}", SCOPE_NONE, LANE_READ, .run = receipt_get, .log = true},
    {"GET", "/log/checkpoint", SCOPE_NONE, LANE_READ, .run = checkpoint_get, .log = true},
    {"GET", "/log/proof/{index}", SCOPE_NONE, LANE_READ, .run = proof_get, .log = true},
    {"GET", "/log/rotation/{index}", SCOPE_NONE, LANE_READ, .run = rotation_get, .log = true},
    {"GET", "/log/consistency", SCOPE_NONE, LANE_READ, .run = consistency_get,
     .query = "from to", .log = true},
    {"GET", "/log/tile/entries/{n...}", SCOPE_NONE, LANE_READ, .run = tile_get, .log = true},
    {"GET", "/log/tile/{level}/{n...}", SCOPE_NONE, LANE_READ, .run = tile_get, .log = true},
    {"GET", "/log/vkey", SCOPE_NONE, LANE_READ, .run = vkey_get, .log = true},
    {"GET", "/.well-known/jwks.json", SCOPE_NONE, LANE_READ, .run = jwks_get, .log = true},
    {"GET", "/memory/digest", SCOPE_AUDIT, LANE_READ, .run = digest_get},
    {"GET", "/memory/audit", SCOPE_AUDIT, LANE_READ, .run = audit_get},
    {"POST", "/memory/audit", SCOPE_AUDIT, LANE_READ, .run = audit_post},
    {"GET", "/v2", SCOPE_NONE, LANE_INLINE, .run = kserve_get},
    {"GET", "/v2/health/live", SCOPE_NONE, LANE_INLINE, .run = kserve_live_get},
    {"GET", "/v2/health/ready", SCOPE_NONE, LANE_INLINE, .run = kserve_ready_get},
    {"GET", "/v2/models/{m}", SCOPE_PREDICT, LANE_INLINE, .run = kserve_model_get},
    {"GET", "/v2/models/{m}/ready", SCOPE_NONE, LANE_INLINE, .run = kserve_model_ready_get},
    {"POST", "/v2/models/{m}/infer", SCOPE_PREDICT, LANE_PREDICT, .run = kserve_infer_post,
     .media = TENSORS, .large = true, .untyped = true},
    {"GET", "/v2/models/{m}/versions/{v}", SCOPE_PREDICT, LANE_INLINE, .run = kserve_model_get},
    {"GET", "/v2/models/{m}/versions/{v}/ready", SCOPE_NONE, LANE_INLINE,
     .run = kserve_model_ready_get},
    {"POST", "/v2/models/{m}/versions/{v}/infer", SCOPE_PREDICT, LANE_PREDICT,
     .run = kserve_infer_post, .media = TENSORS, .large = true, .untyped = true},
    {"GET", "/stats", SCOPE_AUDIT, LANE_READ, .run = stats_get},
    {"GET", "/healthz", SCOPE_NONE, LANE_INLINE, .run = health_get},
    {"GET", "/readyz", SCOPE_NONE, LANE_INLINE, .run = ready_get},
    {"GET", "/version", SCOPE_NONE, LANE_INLINE, .run = version_get},
    {"GET", "/", SCOPE_NONE, LANE_INLINE, .run = console_get},
    {"GET", "/console/{file}", SCOPE_NONE, LANE_INLINE, .run = console_file_get},
    {"GET", "/openapi.json", SCOPE_NONE, LANE_INLINE, .run = openapi_get},
    {0},
};

const struct route admin_routes[] = {
    {"GET", "/status", SCOPE_NONE, LANE_READ, .run = status_get},
    {"GET", "/audit", SCOPE_NONE, LANE_READ, .run = audit_get},
    {"POST", "/audit", SCOPE_NONE, LANE_READ, .run = audit_post},
    {"POST", "/reload", SCOPE_NONE, LANE_READ, .run = reload_post},
    {"POST", "/backup", SCOPE_NONE, LANE_BACKUP, .run = backup_post,
     .media = "application/json"},
    {"POST", "/rotate", SCOPE_NONE, LANE_ERASE, .run = rotate_post,
     .media = "application/json"},
    {0},
};

const struct route metrics_routes[] = {
    {"GET", "/metrics", SCOPE_NONE, LANE_INLINE, .run = metrics_get},
    {0},
};
/* clang-format on */

/* Whether the segments are those of the template; braces match any one segment, or with
 * dots in them one and all that follow. */
static bool fits(const char *path, const struct target *target)
{
    for (size_t i = 0; i < target->segments; i++) {
        const struct text *segment = &target->segment[i];
        if (*path++ != '/')
            return false;
        size_t len = strcspn(path, "/");
        if (*path == '{' && memmem(path, len, "...", 3))
            return true;
        if (*path != '{' &&
            (len != segment->len || memcmp(path, segment->data, len) != 0))
            return false;
        path += len;
    }
    return *path == '\0';
}

const struct route *route_find(const struct route *routes, const char *method,
                               const struct target *target,
                               char ret_allow[static ALLOW_MAX])
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method, *path = NULL;
    size_t used = 0;
    ret_allow[0] = '\0';
    for (const struct route *route = routes; route->path; route++) {
        if (path ? strcmp(route->path, path) != 0 : !fits(route->path, target))
            continue;
        path = route->path;
        if (strcmp(route->method, wanted) == 0)
            return route;
        used += (size_t)snprintf(ret_allow + used, ALLOW_MAX - used, "%s%s%s",
                                 used ? ", " : "", route->method,
                                 strcmp(route->method, "GET") == 0 ? ", HEAD" : "");
    }
    return NULL;
}

enum scope route_scope(const struct route *route, bool public_log)
{
    return route->log && !public_log ? SCOPE_AUDIT : route->scope;
}

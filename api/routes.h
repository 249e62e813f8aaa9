/* SPDX-License-Identifier: Apache-2.0 */
/* The routes: what there is, who may, who runs it.
 *
 *     route = route_find(public_routes, "GET", &target, allow);
 *     if (!route)
 *         ... *allow ? 405 : 404
 *
 * docs/API.md and api/openapi/ are checked against these tables.
 */
#ifndef MUNKEY_API_ROUTES_H
#define MUNKEY_API_ROUTES_H

#include "api/handler.h"

enum { ALLOW_MAX = 64 };

/* Each ends with a route without a path. */
extern const struct route public_routes[];
extern const struct route
    admin_routes[]; /* of control.sock, whose peer is checked instead */

extern const struct route metrics_routes[]; /* of the listener of metrics */

/* The route for an undecoded target, of the first path that it fits; HEAD finds GET.  NULL: ret_allow names the methods
 * that the path knows, or is empty when it is no path of ours. */
const struct route *route_find(const struct route *routes, const char *method,
                               const struct target *target,
                               char ret_allow[static ALLOW_MAX]);

/* The scope that a route asks for; a log that is not public is for auditors. */
enum scope route_scope(const struct route *route, bool public_log);

handler predict_post;
handler instances_post, subject_get, subject_delete;
handler restriction_put, restriction_delete, hold_put, hold_delete;
handler erasures_post, erasure_get;
handler receipt_get, verify_post;
handler checkpoint_get, proof_get, rotation_get, consistency_get, tile_get;
handler vkey_get, jwks_get;
handler digest_get, audit_get, audit_post;
handler stats_get, metrics_get;
handler health_get, ready_get, version_get, openapi_get;
handler kserve_get, kserve_live_get, kserve_ready_get;
handler kserve_model_get, kserve_model_ready_get, kserve_infer_post;
handler console_get, console_file_get;
handler backup_post, status_get, reload_post, rotate_post;

#endif

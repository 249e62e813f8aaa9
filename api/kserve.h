/* SPDX-License-Identifier: Apache-2.0 */
/* What the routes under /v2/models share: the one model, and its one version. */
#ifndef MUNKEY_API_KSERVE_H
#define MUNKEY_API_KSERVE_H

#include "api/handler.h"

/* Whether the path names the model that is served and, where it names a version, that one;
 * MK_ENOTFOUND. */
int kserve_check_model(const struct request *request);

/* The first 12 hex digits of the model file's digest: another file is another version. */
json_t *kserve_version(const struct service *service);

#endif

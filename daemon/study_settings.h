/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that determines the bits of a model, in JSON: by its hash a model is kept.
 *
 *     json_auto_t *settings = study_settings(&wish, "munkey");
 *     study_store_find(store, settings, &about);
 */
#ifndef MUNKEY_DAEMON_STUDY_SETTINGS_H
#define MUNKEY_DAEMON_STUDY_SETTINGS_H

#include "daemon/study_models.h"

/* kind: "munkey" or "plain". */
json_t *study_settings(const struct model_wish *wish, const char *kind);
struct shape study_shape(const struct model_wish *wish);

/* All sizes, by their names. */
json_t *json_shape(struct shape shape);

#endif

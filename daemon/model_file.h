/* SPDX-License-Identifier: Apache-2.0 */
/* A model on disk, and the digest that names it in the log.
 *
 *     rc = model_file_load(config.model, &model, sha256);
 */
#ifndef MUNKEY_DAEMON_MODEL_FILE_H
#define MUNKEY_DAEMON_MODEL_FILE_H

#include <stdint.h>

#include "core/model.h"

/* Reads and parses any model file.  MK_EINPUT says why it is none. */
int model_file_read(const char *path, struct model **ret_model);

/* The same for a service, which some models are not for.  ret_sha256 is that of the very bytes that were parsed.
 */
int model_file_load(const char *path, struct model **ret_model,
                    uint8_t ret_sha256[static 32]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A folder with a Hugging Face ViT: config.json, preprocessor_config.json and
 * model.safetensors.
 *
 *     struct vit *vit;
 *     vit_folder_load("vit-base-patch16-224", &vit, sha256);
 */
#ifndef MUNKEY_DAEMON_VIT_FOLDER_H
#define MUNKEY_DAEMON_VIT_FOLDER_H

#include "core/vit.h"

/* Without its classifier's head.  sha256: of the digests of the three files, in the order
 * above.  MK_EINPUT with the file and the reason, MK_EIO, MK_ETOOBIG, MK_ENOMEM. */
int vit_folder_load(const char *folder, struct vit **ret_vit,
                    uint8_t ret_sha256[static 32]);

#endif

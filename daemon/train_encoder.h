/* SPDX-License-Identifier: Apache-2.0 */
/* The frozen encoder that munkey-train --encoder names.
 *
 *     rc = train_encoder_load(path, &plan, &owner);
 *     rc = trainer_new(&plan, &images, &trainer);
 *     model_free(owner);
 */
#ifndef MUNKEY_DAEMON_TRAIN_ENCODER_H
#define MUNKEY_DAEMON_TRAIN_ENCODER_H

#include "core/train.h"

/* path: a folder with a Hugging Face ViT, or a model file whose encoder and P make the keys.
 * ret_owner: that model, which the plan borrows; NULL for a folder; what it saw, the plan's weights see.  MK_EINPUT with the
 * file and the reason, MK_EIO, MK_ETOOBIG, MK_ENOMEM. */
int train_encoder_load(const char *path, struct train_plan *plan,
                       struct model **ret_owner);

#endif

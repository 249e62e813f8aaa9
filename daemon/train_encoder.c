/* SPDX-License-Identifier: Apache-2.0 */
/* The frozen encoder that munkey-train --encoder names. */
#include "daemon/train_encoder.h"

#include <string.h>
#include <sys/stat.h>

#include "daemon/model_file.h"
#include "daemon/vit_folder.h"

int train_encoder_load(const char *path, struct train_plan *plan,
                       struct model **ret_owner)
{
    struct stat status;
    struct model *owner;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return vit_folder_load(path, &plan->encoder_take, plan->encoder_sha256);
    int rc = model_file_read(path, &owner);
    if (rc < 0)
        return rc;
    memcpy(plan->encoder_sha256, model_info(owner)->encoder_sha256,
           sizeof plan->encoder_sha256);
    plan->keys_of = owner;
    *ret_owner = owner;
    return 0;
}

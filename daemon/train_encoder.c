/* SPDX-License-Identifier: Apache-2.0 */
/* The frozen encoder that munkey-train --encoder names. */
#include "daemon/train_encoder.h"

#include <string.h>
#include <sys/stat.h>

#include "core/err.h"
#include "daemon/model_file.h"
#include "daemon/vit_folder.h"

/* A row that made the keys' encoder or P may not be called unseen. */
static int check_seen(const char *path, const struct model_info *info,
                      const struct train_plan *plan)
{
    bool same =
        memcmp(info->data_sha256, plan->data_sha256, sizeof plan->data_sha256) == 0 &&
        (!info->by_subject || info->seed == plan->seed);
    for (size_t i = 0; i < info->n_seen; i++)
        same = same && info->seen[i].begin >= plan->b1.begin &&
               info->seen[i].end <= plan->val.end;
    if (!same)
        return fail(MK_EINPUT,
                    "%s saw images that this model would call unseen: take the same data "
                    "and seed, and at least as many rows for the weights",
                    path);
    return 0;
}

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
    if ((rc = check_seen(path, model_info(owner), plan)) < 0) {
        model_free(owner);
        return rc;
    }
    memcpy(plan->encoder_sha256, model_info(owner)->encoder_sha256,
           sizeof plan->encoder_sha256);
    plan->keys_of = owner;
    *ret_owner = owner;
    return 0;
}

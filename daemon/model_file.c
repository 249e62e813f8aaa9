/* SPDX-License-Identifier: Apache-2.0 */
/* A model on disk, and the digest that names it in the log. */
#include "daemon/model_file.h"

#include <stdlib.h>

#include "core/err.h"
#include "daemon/files.h"
#include "storage/crypto.h"

enum { MODEL_FILE_MAX = 1 << 30 };

int model_file_load(const char *path, struct model **ret_model,
                    uint8_t ret_sha256[static 32])
{
    uint8_t *bytes;
    size_t len;
    int rc = file_read(path, MODEL_FILE_MAX, &bytes, &len);

    if (rc < 0)
        return rc;
    if ((rc = model_parse(bytes, len, ret_model)) < 0)
        rc = fail(rc, "%s is no model: %s", path, err_why());
    else
        crypto_sha256(bytes, len, ret_sha256);
    free(bytes);
    if (rc == 0 && model_info(*ret_model)->own_tokens > 0) {
        model_free(*ret_model);
        rc = fail(MK_EINPUT,
                  "%s was trained with --tokens free, for comparisons alone: a service "
                  "needs a model whose tokens are written",
                  path);
    }
    return rc;
}

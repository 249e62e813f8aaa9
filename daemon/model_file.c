/* SPDX-License-Identifier: Apache-2.0 */
/* A model on disk, and the digest that names it in the log. */
#include "daemon/model_file.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/model_format.h"
#include "daemon/files.h"
#include "storage/crypto.h"

static const size_t model_file_max = (size_t)4 << 30;

/* A memory is kept by this digest: it has to be that of the tensors that make its keys. */
static int check_encoder(const char *path, const struct model *model)
{
    uint8_t sha256[SHA256_SIZE];
    void *bytes;
    size_t len;
    int rc = model_encoder_bytes(model, &bytes, &len);

    if (rc < 0)
        return rc;
    crypto_sha256(bytes, len, sha256);
    free(bytes);
    if (memcmp(sha256, model_info(model)->encoder_sha256, sizeof sha256) != 0)
        return fail(MK_EINPUT,
                    "%s: encoder_sha256 is not the digest of its encoder: somebody has "
                    "changed the file; put back the one that munkey-train wrote",
                    path);
    return 0;
}

static int check(const char *path, const struct model *model)
{
    if (model_info(model)->own_tokens > 0)
        return fail(MK_EINPUT,
                    "%s was trained with --tokens free, for comparisons alone: a service "
                    "needs a model whose tokens are written",
                    path);
    return check_encoder(path, model);
}

/* ret_sha256: of the bytes that were parsed, or NULL. */
static int read_model(const char *path, struct model **ret_model, uint8_t *ret_sha256)
{
    uint8_t *bytes;
    size_t len;
    int rc = file_read(path, model_file_max, &bytes, &len);

    if (rc < 0)
        return rc;
    if ((rc = model_parse(bytes, len, ret_model)) < 0)
        rc = fail(rc, "%s is no model: %s", path, err_why());
    else if (ret_sha256)
        crypto_sha256(bytes, len, ret_sha256);
    free(bytes);
    return rc;
}

int model_file_read(const char *path, struct model **ret_model)
{
    return read_model(path, ret_model, NULL);
}

int model_file_load(const char *path, struct model **ret_model,
                    uint8_t ret_sha256[static 32])
{
    struct model *model;
    int rc = read_model(path, &model, ret_sha256);

    if (rc < 0)
        return rc;
    if ((rc = check(path, model)) < 0)
        model_free(model);
    else
        *ret_model = model;
    return rc;
}

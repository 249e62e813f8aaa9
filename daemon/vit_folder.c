/* SPDX-License-Identifier: Apache-2.0 */
/* A folder with a Hugging Face ViT. */
#include "daemon/vit_folder.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/err.h"
#include "daemon/files.h"
#include "storage/crypto.h"

enum { TEXT_MAX = 1 << 20, FILES = 3 };
static const size_t weights_max = (size_t)4 << 30;

static const char *const names[FILES] = {"config.json", "preprocessor_config.json",
                                         "model.safetensors"};

static int read_files(const char *folder, uint8_t *bytes[FILES], size_t len[FILES])
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < FILES; i++) {
        char path[4096];
        if (snprintf(path, sizeof path, "%s/%s", folder, names[i]) >= (int)sizeof path)
            return fail(MK_EINPUT, "the path of the encoder's folder is too long");
        rc = file_read(path, i < 2 ? TEXT_MAX : weights_max, &bytes[i], &len[i]);
    }
    return rc;
}

int vit_folder_load(const char *folder, struct vit **ret_vit,
                    uint8_t ret_sha256[static 32])
{
    uint8_t *bytes[FILES] = {NULL}, digests[FILES * SHA256_SIZE];
    size_t len[FILES];
    int rc = read_files(folder, bytes, len);
    if (rc == 0) {
        struct vit_files files = {bytes[0], bytes[1], bytes[2], len[0], len[1], len[2]};
        for (int i = 0; i < FILES; i++)
            crypto_sha256(bytes[i], len[i], digests + i * SHA256_SIZE);
        if ((rc = vit_parse(&files, ret_vit)) < 0)
            rc = fail(rc, "%s: %s", folder, err_why());
    }
    for (int i = 0; i < FILES; i++)
        free(bytes[i]);
    if (rc < 0)
        return rc;
    vit_drop_head(*ret_vit);
    crypto_sha256(digests, sizeof digests, ret_sha256);
    return 0;
}

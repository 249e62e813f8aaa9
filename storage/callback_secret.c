/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of receivers, derived and never stored. */
#include "storage/callback_secret.h"

#include "core/err.h"
#include "storage/disk.h"

void callback_root(const uint8_t root[static SECRET_SIZE],
                   uint8_t ret_key[static SECRET_SIZE])
{
    crypto_hkdf(root, "munkeyd/callback/v1", ret_key);
}

void callback_secret(const uint8_t key[static SECRET_SIZE], const char *prefix,
                     uint8_t ret_secret[static SECRET_SIZE])
{
    crypto_hkdf(key, prefix, ret_secret);
}

int callback_root_read(const char *folder, uint8_t ret_key[static SECRET_SIZE])
{
    char path[PATH_SIZE], *root = NULL;
    size_t len = 0;
    int rc = disk_path(folder, "keys/root", path);
    if (rc == 0 && (disk_read(path, &root, &len) < 0 || len != SECRET_SIZE))
        rc = fail(MK_EREFUSED, "keys/root of the state folder cannot be read: run this "
                               "as root or as the daemon's user, after munkeyctl init");
    if (rc == 0)
        callback_root((const uint8_t *)root, ret_key);
    disk_free(root, len);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Names of labels, where a set of labels is open. */
#include "storage/label.h"

#include <endian.h>
#include <string.h>

#include "storage/crypto.h"

uint64_t label_code(const char *name)
{
    uint8_t sha256[SHA256_SIZE];
    uint64_t code;
    crypto_sha256(name, strlen(name), sha256);
    memcpy(&code, sha256, sizeof code);
    crypto_wipe(sha256, sizeof sha256);
    return le64toh(code);
}

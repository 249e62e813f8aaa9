/* SPDX-License-Identifier: Apache-2.0 */
/* Names of labels, where a set of labels is open. */
#include "storage/label.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/crypto.h"
#include "storage/encode.h"

/* C0, DEL, and C1, which UTF-8 writes as C2 80 to C2 9F. */
static bool has_control(const char *name)
{
    const unsigned char *at = (const unsigned char *)name;
    for (; *at; at++)
        if (*at < ' ' || *at == 0x7f || (*at == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f))
            return true;
    return false;
}

int label_check(const char *name)
{
    size_t len = strlen(name);
    if (len < 1 || len >= LABEL_SIZE)
        return fail(MK_EUNPROCESSABLE,
                    "label: a name has 1 to %d bytes, and this one has %zu",
                    LABEL_SIZE - 1, len);
    if (!is_utf8(name, len) || has_control(name))
        return fail(MK_EUNPROCESSABLE,
                    "label: a name is UTF-8 without control characters");
    return 0;
}

uint64_t label_code(const char *name)
{
    uint8_t sha256[SHA256_SIZE];
    uint64_t code;
    crypto_sha256(name, strlen(name), sha256);
    memcpy(&code, sha256, sizeof code);
    crypto_wipe(sha256, sizeof sha256);
    return le64toh(code);
}

uint32_t label_element(const char *name)
{
    return (uint32_t)label_code(name);
}

int label_open(struct memory *bank, const struct model_info *model)
{
    uint64_t *codes = calloc(model->classes, sizeof *codes);
    if (!codes)
        return fail(MK_ENOMEM, "no memory for the codes of %u labels", model->classes);
    for (uint32_t i = 0; i < model->classes; i++)
        codes[i] = label_code(model->labels[i]);
    int rc = memory_open_labels(bank, model->labels, codes, model->classes);
    free(codes);
    return rc;
}

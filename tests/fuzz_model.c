/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes model files: a model that answers comes out, or a sentence.  The bytes are a header;
 * the numbers behind it are zeros, as many as the header asks for, so that a fuzzer need not
 * carry a model's weights about. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/model.h"
#include "core/safetensors.h"

enum { DATA = 221392 }; /* bytes of numbers in profile T */

static void answer(const struct model *model)
{
    const struct model_info *info = model_info(model);
    struct scratch *scratch = scratch_new(model);
    uint8_t *pixels = calloc(info->height * info->width, info->channels);
    float *p = calloc(info->classes, sizeof *p);
    uint64_t *code = calloc(info->classes, sizeof *code);
    const struct label_set about = {code, info->classes};
    for (uint64_t i = 0; i < about.n; i++)
        code[i] = i;
    model_predict(model, scratch, pixels, NULL, 0, info->open_labels ? &about : NULL, p);
    assert(p[0] > 0 && p[0] < 1);
    free(code);
    free(pixels);
    free(p);
    scratch_free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct safetensors *file;
    struct model *model;
    uint64_t header_len = size;
    uint8_t *bytes = calloc(1, 8 + size + DATA);
    memcpy(bytes, &header_len, 8);
    memcpy(bytes + 8, data, size);
    if (safetensors_parse(data, size, &file) == 0)
        safetensors_free(file);
    if (model_parse(bytes, 8 + size + DATA, &model) == 0) {
        answer(model);
        model_free(model);
    } else {
        assert(*err_why());
    }
    free(bytes);
    return 0;
}

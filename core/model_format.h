/* SPDX-License-Identifier: Apache-2.0 */
/* A model as one safetensors file (docs/MODEL.md, "File"); model_parse() is the way back.
 *
 *     model_encoder_bytes(model, &bytes, &len);       hash these ...
 *     memcpy(model->info.encoder_sha256, hash, 32);   ... since core has no hashes
 *     model_format(model, &origin, &bytes, &len);
 */
#ifndef MUNKEY_CORE_MODEL_FORMAT_H
#define MUNKEY_CORE_MODEL_FORMAT_H

#include "core/model_parts.h"

/* What the file says about how it was made; nothing of it changes a prediction. */
struct model_origin {
    const char *command;
    struct row_range b1, b2, val;
};

/* The numbers of the encoder's and the projection's tensors in the order of their names,
 * and what the file's metadata says of an encoder of another family: what encoder_sha256 is the hash of.  The caller frees them. */
int model_encoder_bytes(const struct model *model, void **ret_bytes, size_t *ret_len);

/* The same model and origin give the same bytes.  The caller frees them. */
int model_format(const struct model *model, const struct model_origin *origin,
                 void **ret_bytes, size_t *ret_len);

#endif

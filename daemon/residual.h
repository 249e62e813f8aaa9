/* SPDX-License-Identifier: Apache-2.0 */
/* What forgetting can and cannot take from an operator's own model, measured in short.
 *
 *     rc = residual_measure(model, bank, &known, threads, &residual);
 *     json_t *json = residual_json(&residual, model_sha256);
 *     residual_path("shop.safetensors", path);         "shop.safetensors.residual.json"
 *     rc = residual_load(path, model_sha256, &text);   as the daemon serves it
 *
 * docs/EVALUATION.md, "Audit", defines the JSON.
 */
#ifndef MUNKEY_DAEMON_RESIDUAL_H
#define MUNKEY_DAEMON_RESIDUAL_H

#include <jansson.h>

#include "core/attack.h"
#include "core/memory.h"
#include "daemon/known_data.h"

enum { RESIDUAL_ROWS = 2000, RESIDUAL_PATH = 4096 }; /* of each kind, at most */

struct residual {
    size_t seen, tests, instances; /* rows asked about; of the memory */
    double full, null;             /* accuracy on test rows */
    double changed;                /* share of the test rows with another answer */
    bool helps; /* more answers become right than wrong, beyond two deviations */
    struct attack before, after; /* seen rows against test rows: full answer, null pass */
};

/* The memory stays as it is.  Where labels are open, rows are asked about whose label it knows.
 * MK_EINPUT: none of these is of class trained. */
int residual_measure(const struct model *model, struct memory *bank,
                     const struct known_data *known, size_t threads,
                     struct residual *ret_residual);

json_t *residual_json(const struct residual *residual, const uint8_t model_sha256[32]);

void residual_path(const char *model, char ret_path[static RESIDUAL_PATH]);

/* The text of a file that names this model, which the caller frees; NULL when there is no file.
 * MK_EINPUT: it is no such file, or another model's. */
int residual_load(const char *model, const uint8_t model_sha256[32], char **ret_text);

#endif

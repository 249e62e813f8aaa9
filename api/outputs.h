/* SPDX-License-Identifier: Apache-2.0 */
/* What the Open Inference Protocol's clients can ask for: the outputs of the one model.
 *
 *     rc = output_find("label", &wanted.output);
 *     json_t *tensor = output_tensor(&wanted, &question);      {"name", "datatype", "shape", "data"}
 *     rc = output_pack(tensor, &bytes);
 */
#ifndef MUNKEY_API_OUTPUTS_H
#define MUNKEY_API_OUTPUTS_H

#include "api/question.h"

enum output {
    OUTPUT_PROBABILITIES, /* FP32 (n, labels) */
    OUTPUT_LABEL,         /* BYTES (n): the likeliest */
    OUTPUT_INDEX,         /* INT64 (n): its column */
    OUTPUT_LABELS,        /* BYTES (labels): what the columns are about */
    OUTPUTS
};

/* One of them, and how. */
struct wanted {
    enum output output;
    bool binary;
    int64_t
        classes; /* of probabilities: BYTES (n, classes), the likeliest first; 0: all, as numbers */
};

/* MK_EINPUT: there is no such output. */
int output_find(const char *name, enum output *ret_output);

/* {"name", "datatype", "shape"}; -1 for a dimension that varies. */
json_t *output_described(enum output output, const struct model_info *info);

/* The same with the "data" of an answered question. */
json_t *output_tensor(const struct wanted *wanted, struct question *question);

/* The tensor's data as bytes, row-major and little-endian, BYTES with a u32 of their length before
 * them; in the tensor their size stands instead. */
int output_pack(json_t *tensor, struct blob **ret_bytes);

#endif

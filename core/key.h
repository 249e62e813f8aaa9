/* SPDX-License-Identifier: Apache-2.0 */
/* The two things that core's halves, the model and the bank, say to each other.
 *
 * The similarity is defined on the quantised keys with an exact int32 dot product:
 * similarity = (float)dot * record.scale * query.scale, in that order, so that ranking is
 * deterministic (method: per-record scale = max|k| / 127, q = round half to even).
 */
#ifndef MUNKEY_CORE_KEY_H
#define MUNKEY_CORE_KEY_H

#include <stdint.h>

enum {
    KEY_DIM_MAX = 256,   /* int8 components of a key, at most */
    IID_SIZE = 16,       /* bytes of an instance id */
    HITS_MAX = 64,       /* nearest keys that one search can return */
    CLASSES_MAX = 10000, /* labels, at most */
};

/* The class of an instance, as receipts state it.  The numbers are stored: never reorder.
 */
enum instance_class {
    CLASS_PUBLIC = 0, /* the weights' own, never in a memory, never stored */
    CLASS_EXACT = 1,
    CLASS_TRAINED = 2,
};

/* A quantised embedding: component i is q[i] * scale.  Unused components are zero. */
struct key {
    float scale;
    int8_t q[KEY_DIM_MAX];
};

/* One retrieved instance, by value: what the writer needs to make its exemplar token.
 * Personal: wipe it when the prediction is done. */
struct hit {
    float similarity;
    uint64_t label; /* its index; of an open set, its code (core/label_code.h) */
    enum instance_class class;
    uint8_t iid[IID_SIZE];
    uint32_t token; /* where the model has a token for each instance: its row */
    struct key key;
};

#endif

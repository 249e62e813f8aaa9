/* SPDX-License-Identifier: Apache-2.0 */
/* A slot: one instance at rest, sealed under its subject's data key.
 *
 *     ref[16] || GCM nonce[12] || AES-256-GCM(instance) || tag[16]      all zero: free
 *
 *     slot_seal(&shape, &place, &instance, body);
 *     if ((rc = slot_open(&shape, &place, body, &instance)) < 0) ...
 *     crypto_wipe(&instance, sizeof instance);
 *
 * Slots have one size, whatever they hold, so that they can be overwritten in place.
 */
#ifndef MUNKEY_STORAGE_SLOT_H
#define MUNKEY_STORAGE_SLOT_H

#include "storage/digest.h"
#include "storage/ledger.h"
#include "storage/state.h"

enum { SLOT_SIZE_DEFAULT = 500, SLOT_SIZE_MIN = 300, SLOT_SIZE_MAX = 4000 };

/* What all slots of a database have in common. */
struct slot_shape {
    uint32_t size, key_dim;
    bool open_labels; /* the labels have names; */
    uint32_t classes; /* else they are below this */
};

/* Whose slot it is and where it lies: a slot moved to another row or to another subject
 * does not open. */
struct slot_place {
    const uint8_t *ref; /* (REF_SIZE) */
    const uint8_t *key; /* (SECRET_SIZE): the subject's data key */
    uint64_t id;
};

/* What is in it.  Personal: wipe it after use. */
struct instance {
    uint8_t iid[IID_SIZE];
    uint8_t nonce[NONCE_SIZE]; /* its secret share in the memory digest */
    uint32_t label;            /* as the memory digest has it */
    char name[LABEL_SIZE];     /* of the label, in an open set; else empty */
    enum instance_class class;
    int64_t added_at; /* Unix seconds */
    uint8_t model[SHA256_SIZE];
    struct key key;
    char provenance[PROVENANCE_FIELDS][256];
};

/* How many bytes the four strings of provenance may have together, with what the name of a label
 * takes. */
size_t slot_room(const struct slot_shape *shape);
size_t slot_name_size(const char *name);

bool slot_is_free(const struct slot_shape *shape, const uint8_t *body);

/* body: (shape->size).  The provenance fits: the caller has checked slot_room(). */
void slot_seal(const struct slot_shape *shape, const struct slot_place *place,
               const struct instance *instance, uint8_t *ret_body);

/* MK_ESTORE when the bytes are not what slot_seal() wrote at this place. */
int slot_open(const struct slot_shape *shape, const struct slot_place *place,
              const uint8_t *body, struct instance *ret_instance);

/* The instance as the bank holds it.  Field by field: a temporary would leave the key on the
 * stack. */
void slot_record(const struct instance *instance, uint32_t owner,
                 struct record *ret_record);

/* The instance as the memory digest sees it; key_bytes is working memory that the element
 * borrows. */
struct element slot_element(const struct slot_shape *shape,
                            const struct instance *instance,
                            uint8_t key_bytes[static KEY_BYTES_MAX]);

#endif

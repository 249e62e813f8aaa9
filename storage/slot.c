/* SPDX-License-Identifier: Apache-2.0 */
/* The layout of a slot, sealing and opening. */
#include "storage/slot.h"

#include <endian.h>
#include <string.h>

#include "core/err.h"
#include "storage/label.h"

enum {
    NONCE_AT = REF_SIZE,
    SEALED_AT = NONCE_AT + GCM_NONCE_SIZE,
    ENVELOPE = SEALED_AT + GCM_TAG_SIZE,
    FIXED = IID_SIZE + NONCE_SIZE + 4 + 1 + 1 + 8 + SHA256_SIZE, /* before the key */
    FLAG_NAME = 1, /* the label's name follows the provenance */
};

static size_t plain_size(const struct slot_shape *shape)
{
    return shape->size - ENVELOPE;
}

size_t slot_room(const struct slot_shape *shape)
{
    return plain_size(shape) - FIXED - (shape->key_dim + 4) - 2 * PROVENANCE_FIELDS;
}

size_t slot_name_size(const char *name)
{
    return 2 + strlen(name);
}

bool slot_is_free(const struct slot_shape *shape, const uint8_t *body)
{
    return body[0] == 0 && !memcmp(body, body + 1, shape->size - 1);
}

static uint8_t *put(uint8_t *to, const void *data, size_t len)
{
    memcpy(to, data, len);
    return to + len;
}

static const uint8_t *get(const uint8_t *from, void *ret, size_t len)
{
    memcpy(ret, from, len);
    return from + len;
}

static uint8_t *put_string(uint8_t *to, const char *string)
{
    uint16_t len = htole16((uint16_t)strlen(string));
    to = put(to, &len, sizeof len);
    return put(to, string, le16toh(len));
}

/* Its length is below size and leaves so many bytes before the end; else NULL. */
static const uint8_t *get_string(const uint8_t *from, const uint8_t *end, size_t after,
                                 char *ret_string, size_t size)
{
    uint16_t len;
    from = get(from, &len, sizeof len);
    len = le16toh(len);
    if (len >= size || (size_t)(end - from) < len + after)
        return NULL;
    return get(from, ret_string, len);
}

/* iid, nonce, label, class, flags, added_at, model, key, then each string after its length,
 * provenance and the label's name; the rest is zero. */
static void pack(const struct slot_shape *shape, const struct instance *instance,
                 uint8_t *ret_plain)
{
    uint8_t key[KEY_BYTES_MAX];
    size_t key_len = digest_key_bytes(&instance->key, shape->key_dim, key);
    uint32_t label = htole32(instance->label);
    uint64_t added_at = htole64((uint64_t)instance->added_at);
    uint8_t class_and_flags[2] = {(uint8_t)instance->class,
                                  instance->name[0] ? FLAG_NAME : 0};
    uint8_t *to = ret_plain;

    memset(ret_plain, 0, plain_size(shape));
    to = put(to, instance->iid, IID_SIZE);
    to = put(to, instance->nonce, NONCE_SIZE);
    to = put(to, &label, sizeof label);
    to = put(to, class_and_flags, sizeof class_and_flags);
    to = put(to, &added_at, sizeof added_at);
    to = put(to, instance->model, SHA256_SIZE);
    to = put(to, key, key_len);
    for (size_t i = 0; i < PROVENANCE_FIELDS; i++)
        to = put_string(to, instance->provenance[i]);
    if (instance->name[0])
        put_string(to, instance->name);
    crypto_wipe(key, sizeof key);
}

static int unpack(const struct slot_shape *shape, const uint8_t *plain,
                  struct instance *ret_instance)
{
    const uint8_t *from = plain, *end = plain + plain_size(shape);
    uint8_t class_and_flags[2];
    uint32_t label;
    uint64_t added_at;

    memset(ret_instance, 0, sizeof *ret_instance);
    from = get(from, ret_instance->iid, IID_SIZE);
    from = get(from, ret_instance->nonce, NONCE_SIZE);
    from = get(from, &label, sizeof label);
    from = get(from, class_and_flags, sizeof class_and_flags);
    from = get(from, &added_at, sizeof added_at);
    from = get(from, ret_instance->model, SHA256_SIZE);
    digest_key_parse(from, shape->key_dim, &ret_instance->key);
    from += shape->key_dim + 4;
    ret_instance->label = le32toh(label);
    ret_instance->class = class_and_flags[0];
    ret_instance->added_at = (int64_t)le64toh(added_at);
    size_t after = 2 * PROVENANCE_FIELDS + (class_and_flags[1] & FLAG_NAME ? 2 : 0);
    for (size_t i = 0; from && i < PROVENANCE_FIELDS; i++)
        from = get_string(from, end, after -= 2, ret_instance->provenance[i],
                          sizeof ret_instance->provenance[i]);
    if (from && after > 0)
        from = get_string(from, end, 0, ret_instance->name, sizeof ret_instance->name);
    return from ? 0 : fail(MK_ESTORE, "a slot's provenance is longer than the slot");
}

/* AAD "munkeyd/slot/v1\0" || ref || u64le slot id */
enum { AAD_SIZE = 16 + REF_SIZE + 8 };

static struct bytes aad_of(const struct slot_place *place, uint8_t aad[static AAD_SIZE])
{
    uint64_t id = htole64(place->id);
    memcpy(aad, "munkeyd/slot/v1", 16);
    memcpy(aad + 16, place->ref, REF_SIZE);
    memcpy(aad + 16 + REF_SIZE, &id, sizeof id);
    return (struct bytes){aad, AAD_SIZE};
}

void slot_seal(const struct slot_shape *shape, const struct slot_place *place,
               const struct instance *instance, uint8_t *ret_body)
{
    uint8_t plain[SLOT_SIZE_MAX], aad[AAD_SIZE];
    pack(shape, instance, plain);
    memcpy(ret_body, place->ref, REF_SIZE);
    /* A fresh nonce at every write: the same slot and key see many contents. */
    crypto_random(ret_body + NONCE_AT, GCM_NONCE_SIZE);
    crypto_seal(place->key, ret_body + NONCE_AT, aad_of(place, aad), plain,
                plain_size(shape), ret_body + SEALED_AT);
    crypto_wipe(plain, sizeof plain);
    crypto_wipe(aad, sizeof aad);
}

int slot_open(const struct slot_shape *shape, const struct slot_place *place,
              const uint8_t *body, struct instance *ret_instance)
{
    uint8_t plain[SLOT_SIZE_MAX], aad[AAD_SIZE];
    int rc = crypto_open(place->key, body + NONCE_AT, aad_of(place, aad),
                         body + SEALED_AT, plain_size(shape), plain);
    if (rc == 0)
        rc = unpack(shape, plain, ret_instance);
    crypto_wipe(plain, sizeof plain);
    crypto_wipe(aad, sizeof aad);
    return rc;
}

void slot_record(const struct instance *instance, uint32_t owner,
                 struct record *ret_record)
{
    memcpy(ret_record->iid, instance->iid, IID_SIZE);
    ret_record->owner = owner;
    ret_record->label = instance->name[0] ? label_code(instance->name) : instance->label;
    memcpy(ret_record->name, instance->name, sizeof ret_record->name);
    ret_record->class = instance->class;
    memcpy(&ret_record->key, &instance->key, sizeof instance->key);
}

struct element slot_element(const struct slot_shape *shape,
                            const struct instance *instance,
                            uint8_t key_bytes[static KEY_BYTES_MAX])
{
    size_t len = digest_key_bytes(&instance->key, shape->key_dim, key_bytes);
    return (struct element){
        instance->iid, instance->nonce, instance->label, {key_bytes, len}, {NULL, 0}};
}

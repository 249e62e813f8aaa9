/* SPDX-License-Identifier: Apache-2.0 */
/* What there is to find of a person, read from a copy of the state folder that is not in use.
 *
 *     needles list FOLDER MODEL ID [PIXELS]       a needle a line, for tests/search.c: its kind,
 *                                                 `words` for floats, its bytes in hexadecimal
 *     needles queries FOLDER MODEL ID PIXELS      which of these images retrieve the person's
 *
 * PIXELS: raw images, one after the other.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/model_forward.h"
#include "core/model_parts.h"
#include "core/model_writer.h"
#include "daemon/files.h"
#include "daemon/model_file.h"
#include "storage/label.h"
#include "storage/read.h"

enum {
    WINDOW = 16,  /* bytes of a needle: a remnant may begin and end anywhere */
    DISTINCT = 8, /* different bytes in it: what has fewer stands elsewhere, too */
    WORDS = 6,    /* of a needle that is a piece of a vector */
    PROVENANCE_MIN = 16,
};

struct subject_data {
    struct state *state;
    struct model *model;
    struct subject id;
    struct reader reader;
    struct instance *instance; /* (reader.n) */
    uint8_t *pixels;           /* (n_pixels images); NULL: none were given */
    size_t images;
};

static bool is_rich(const uint8_t *bytes, size_t len)
{
    size_t distinct = 0;
    for (size_t i = 0; i < len; i++)
        distinct += !memchr(bytes, bytes[i], i);
    return distinct >= DISTINCT && memcmp(bytes, "\0\0\0", 4);
}

static void print_bytes(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        printf("%02x", bytes[i]);
    putchar('\n');
}

static void list_window(const char *kind, const uint8_t *bytes, size_t len)
{
    if (!is_rich(bytes, len))
        return;
    printf("%s ", kind);
    print_bytes(bytes, len);
}

/* All of it, in pieces that overlap by half. */
static void list(const char *kind, const void *bytes, size_t len)
{
    for (size_t at = 0; at + WINDOW <= len; at += WINDOW / 2)
        list_window(kind, (const uint8_t *)bytes + at, WINDOW);
}

static void list_words(const char *kind, const float *vector, size_t n)
{
    for (size_t at = 0; at + WORDS <= n; at += WORDS) {
        const uint8_t *bytes = (const uint8_t *)(vector + at);
        bool zero = false;
        for (size_t i = 0; i < WORDS; i++)
            zero |= vector[at + i] == 0;
        if (zero || !is_rich(bytes, WORDS * sizeof *vector))
            continue;
        printf("%s words ", kind);
        print_bytes(bytes, WORDS * sizeof *vector);
    }
}

static void list_hex(const char *kind, const uint8_t *bytes, size_t len)
{
    char text[2 * 64 + 1];
    for (size_t i = 0; i < len; i++)
        sprintf(text + 2 * i, "%02x", bytes[i]);
    list(kind, text, 2 * len);
}

/* The id as it is, as a URL has it and as JSON has it. */
static void list_id(struct subject id)
{
    char url[3 * SUBJECT_MAX + 1], json[2 * SUBJECT_MAX];
    size_t u = 0, j = 0;
    for (size_t i = 0; i < id.len; i++) {
        unsigned char c = (unsigned char)id.id[i];
        if (isascii(c) && (isalnum(c) || strchr("-._~", c)))
            url[u++] = (char)c;
        else
            u += (size_t)sprintf(url + u, "%%%02X", c);
        if (c == '"' || c == '\\')
            json[j++] = '\\';
        json[j++] = (char)c;
    }
    list("id", id.id, id.len);
    list("id-in-url", url, u);
    list("id-in-json", json, j);
}

static void list_record(const struct subject_data *data)
{
    const struct keyring_record *record =
        keyring_at(data->state->keyring, data->reader.owner);
    list("ref", record->ref, REF_SIZE);
    list("tag", record->tag, SHA256_SIZE);
    list("wrapped", record->wrapped, WRAPPED_SIZE);
    list("data-key", data->reader.data_key, SECRET_SIZE);
}

/* The key as it is stored, the vector that the writer reads, and the token that it makes. */
static void list_key(const struct subject_data *data, const struct instance *instance)
{
    const struct model_info *info = model_info(data->model);
    struct writing *writing = writing_new(&data->model->shape, (info->k + 11) / 12 * 12);
    const struct hit hit = {.label = instance->name[0] ? label_code(instance->name)
                                                       : instance->label,
                            .key = instance->key};
    const struct hit *hits[12 * K_MAX] = {&hit};
    uint8_t bytes[KEY_BYTES_MAX];
    size_t len = digest_key_bytes(&instance->key, info->key_dim, bytes);
    writing_run(writing, data->model->classifier, hits);
    list("key", bytes, len);
    list_words("vector", writing->in, info->key_dim);
    list_words("token", writing->token, data->model->shape.token_dim);
    writing_free(writing);
}

static void list_instance(const struct subject_data *data, size_t i)
{
    const struct instance *instance = &data->instance[i];
    uint8_t body[SLOT_SIZE_MAX];
    if (store_slot_read(data->state->store, data->reader.slot[i], body) < 0)
        exit(1);
    list("slot", body + REF_SIZE, data->state->shape.size - REF_SIZE);
    list("iid", instance->iid, IID_SIZE);
    list_hex("iid-in-text", instance->iid, IID_SIZE);
    list("nonce", instance->nonce, NONCE_SIZE);
    for (size_t f = 0; f < PROVENANCE_FIELDS; f++)
        if (strlen(instance->provenance[f]) >= PROVENANCE_MIN)
            list("provenance", instance->provenance[f], strlen(instance->provenance[f]));
    list("label", instance->name, strlen(instance->name));
    list_key(data, instance);
}

static size_t image_size(const struct subject_data *data)
{
    const struct model_info *info = model_info(data->model);
    return (size_t)info->height * info->width * info->channels;
}

/* What the encoder makes of an image: the last layer's tokens, which OpenBLAS copies, and its
 * output, which OpenBLAS copies without the mean. */
static void list_embedding(const struct subject_data *data, const uint8_t *pixels)
{
    const struct model *model = data->model;
    struct forward *f = forward_new(&model->shape, 1, 0, FORWARD_ONCE);
    if (!f)
        exit(1);
    forward_run(f, &model->encoder->net, pixels, NULL);
    size_t d = model->shape.d;
    list_words("activation", f->layer[model->shape.layers - 1].y1, f->tokens * d);
    list_words("embedding", f->z, d);
    for (size_t i = 0; i < d; i++)
        f->z[i] -= model->projection->projection.mean[i];
    list_words("centred", f->z, d);
    forward_free(f);
}

/* An image that was enrolled: its pixels, also as they stand in JSON, and its embedding. */
static void list_image(const struct subject_data *data, const uint8_t *pixels)
{
    size_t size = image_size(data), len = 0;
    char *json = calloc(size, 4);
    if (!json)
        exit(1);
    for (size_t i = 0; i < size; i++)
        len += (size_t)sprintf(json + len, "%u,", pixels[i]);
    list("pixels", pixels, size);
    list("pixels-in-json", json, len);
    list_embedding(data, pixels);
    free(json);
}

static void list_all(const struct subject_data *data)
{
    list_id(data->id);
    list_record(data);
    for (size_t i = 0; i < data->reader.n; i++)
        list_instance(data, i);
    for (size_t i = 0; i < data->images; i++)
        list_image(data, data->pixels + i * image_size(data));
}

static bool is_theirs(const struct subject_data *data, const uint8_t *iid)
{
    for (size_t i = 0; i < data->reader.n; i++)
        if (!memcmp(data->instance[i].iid, iid, IID_SIZE))
            return true;
    return false;
}

static void list_queries(const struct subject_data *data)
{
    struct scratch *scratch = scratch_new(data->model);
    struct hit hits[HITS_MAX];
    for (size_t i = 0; i < data->images; i++) {
        struct key key;
        bool theirs = false;
        model_key(data->model, scratch, data->pixels + i * image_size(data), &key);
        size_t n =
            memory_search(data->state->bank, &key, model_info(data->model)->k, hits);
        for (size_t j = 0; j < n; j++)
            theirs |= is_theirs(data, hits[j].iid);
        if (theirs)
            printf("%zu\n", i);
    }
    scratch_free(scratch);
}

static int open_state(const char *folder, const char *model, struct subject_data *data)
{
    const struct state_options options = {.folder = folder};
    uint8_t sha256[SHA256_SIZE];
    int rc = model_file_load(model, &data->model, sha256);
    if (rc < 0)
        return rc;
    struct memory *bank = memory_new(model_info(data->model)->key_dim, 1 << 20);
    return bank ? state_open(&options, model_info(data->model), sha256, bank, false,
                             &data->state)
                : MK_ENOMEM;
}

static int read_subject(struct subject_data *data)
{
    uint8_t tag[SHA256_SIZE];
    keyring_tag(data->state->keyring, data->id.id, data->id.len, tag);
    uint32_t owner = keyring_find(data->state->keyring, tag);
    if (owner == KEYRING_NONE)
        return fail(MK_ENOTFOUND, "nothing is held about this subject");
    int rc = reader_open(data->state, owner, &data->reader);
    data->instance = calloc(data->reader.n + 1, sizeof *data->instance);
    for (size_t i = 0; rc == 0 && i < data->reader.n; i++)
        rc = reader_read(&data->reader, i, &data->instance[i]);
    return rc;
}

static int read_pixels(const char *path, size_t size, uint8_t **ret_pixels,
                       size_t *ret_images)
{
    size_t len;
    int rc = file_read(path, 64 << 20, ret_pixels, &len);
    if (rc == 0)
        *ret_images = len / size;
    return rc;
}

static int run(int argc, char **argv)
{
    struct subject_data data = {0};
    int rc;
    if (argc < 5)
        return fail(MK_EINPUT, "usage: needles list FOLDER MODEL ID [PIXELS]");
    data.id = (struct subject){argv[4], strlen(argv[4])};
    if ((rc = open_state(argv[2], argv[3], &data)) < 0 ||
        (rc = read_subject(&data)) < 0 ||
        (argc > 5 &&
         (rc = read_pixels(argv[5], image_size(&data), &data.pixels, &data.images)) < 0))
        return rc;
    if (!strcmp(argv[1], "list"))
        list_all(&data);
    else
        list_queries(&data);
    return 0;
}

int main(int argc, char **argv)
{
    int rc = run(argc, argv);
    if (rc < 0)
        fprintf(stderr, "needles: %s\n", err_why());
    return rc < 0;
}

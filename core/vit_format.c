/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of a Vision Transformer: a list of its tensors, and Hugging Face's names and
 * order for them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/key.h"
#include "core/safetensors.h"
#include "core/vit.h"

/* Adds tensors to vit; remembers which pointer gets which, until there is an array. */
struct list {
    struct vit *vit;
    float **slot[VIT_TENSORS_MAX];
};

static void add(struct list *list, float **slot, size_t rows, size_t cols,
                const char *name)
{
    struct vit *vit = list->vit;
    struct tensor *tensor = &vit->tensor[vit->n_tensors];
    snprintf(tensor->name, sizeof tensor->name, "encoder.%s", name);
    tensor->rows = rows;
    tensor->cols = cols;
    tensor->n = (rows ? rows : 1) * cols;
    tensor->offset = vit->n;
    list->slot[vit->n_tensors++] = slot;
    vit->n += tensor->n;
}

static void add_layer(struct list *list, unsigned i)
{
    const struct vit_config *c = &list->vit->config;
    struct vit_layer *p = &list->vit->layer[i];
    const struct {
        const char *name;
        float **slot;
        size_t rows, cols;
    } parts[] = {
        {"norm1.weight", &p->norm1_w, 0, c->d},
        {"norm1.bias", &p->norm1_b, 0, c->d},
        {"qkv.weight", &p->qkv_w, c->d, 3 * c->d},
        {"qkv.bias", &p->qkv_b, 0, 3 * c->d},
        {"out.weight", &p->out_w, c->d, c->d},
        {"out.bias", &p->out_b, 0, c->d},
        {"norm2.weight", &p->norm2_w, 0, c->d},
        {"norm2.bias", &p->norm2_b, 0, c->d},
        {"up.weight", &p->up_w, c->d, c->hidden},
        {"up.bias", &p->up_b, 0, c->hidden},
        {"down.weight", &p->down_w, c->hidden, c->d},
        {"down.bias", &p->down_b, 0, c->d},
    };
    for (size_t j = 0; j < sizeof parts / sizeof *parts; j++) {
        char name[40];
        snprintf(name, sizeof name, "layer.%u.%s", i, parts[j].name);
        add(list, parts[j].slot, parts[j].rows, parts[j].cols, name);
    }
}

static void list_tensors(struct list *list)
{
    struct vit *vit = list->vit;
    const struct vit_config *c = &vit->config;
    add(list, &vit->patch_w, c->channels * c->patch * c->patch, c->d, "patch.weight");
    add(list, &vit->patch_b, 0, c->d, "patch.bias");
    add(list, &vit->cls, 0, c->d, "cls");
    add(list, &vit->position, vit_tokens(c), c->d, "position");
    for (unsigned i = 0; i < c->layers; i++)
        add_layer(list, i);
    add(list, &vit->norm_w, 0, c->d, "norm.weight");
    add(list, &vit->norm_b, 0, c->d, "norm.bias");
    if (vit->labels == 0)
        return;
    add(list, &vit->head_w, c->d, vit->labels, "head.weight");
    add(list, &vit->head_b, 0, vit->labels, "head.bias");
}

int vit_new(const struct vit_config *config, uint32_t labels, size_t most,
            struct vit **ret_vit)
{
    int rc = 0;
    struct vit *vit = calloc(1, sizeof *vit);
    if (!vit)
        return fail(MK_ENOMEM, "no memory for an encoder's table of tensors");
    vit->config = *config;
    vit->labels = labels;
    struct list list = {.vit = vit};
    list_tensors(&list);
    if (vit->n > most)
        rc = fail(MK_EINPUT, "%zu numbers, where such an encoder has %zu", most, vit->n);
    else if (!(vit->values = calloc(vit->n, sizeof *vit->values)))
        rc = fail(MK_ENOMEM, "no memory for an encoder's numbers");
    if (rc < 0) {
        vit_free(vit);
        return rc;
    }
    for (size_t i = 0; i < vit->n_tensors; i++)
        *list.slot[i] = vit->values + vit->tensor[i].offset;
    *ret_vit = vit;
    return 0;
}

void vit_free(struct vit *vit)
{
    if (!vit)
        return;
    free(vit->values);
    free(vit);
}

void vit_drop_head(struct vit *vit)
{
    for (; vit->labels > 0; vit->labels = 0)
        for (int i = 0; i < 2; i++)
            vit->n -= vit->tensor[--vit->n_tensors].n;
}

/* A file that is being read, and how many of its tensors have been. */
struct reader {
    const struct safetensors *file;
    const char *prefix; /* "vit.", or "" in a file of ViTModel */
    float *room;        /* for one matrix */
    size_t taken;
};

enum { NAME_SIZE = 64, PART_SIZE = 96, FULL_SIZE = 128 };

static const char *name_in(const struct reader *r, const char *name,
                           char full[static FULL_SIZE])
{
    snprintf(full, FULL_SIZE, "%s%s", r->prefix, name);
    return full;
}

static int read_plain(struct reader *r, const char *name, const uint64_t *shape,
                      size_t rank, float *ret_values)
{
    char full[FULL_SIZE];
    int rc =
        safetensors_read_shape(r->file, name_in(r, name, full), shape, rank, ret_values);
    r->taken += rc == 0;
    return rc;
}

static int read_vector(struct reader *r, const char *name, uint64_t n, float *ret_values)
{
    return read_plain(r, name, &n, 1, ret_values);
}

/* A matrix that the file has as (out, in), or with `in` in several sizes, goes into columns
 * of one that is (in, ld). */
static int read_turned(struct reader *r, const char *name, const uint64_t *shape,
                       size_t rank, size_t ld, float *ret_values)
{
    size_t in = 1;
    int rc = read_plain(r, name, shape, rank, r->room);
    for (size_t i = 1; i < rank; i++)
        in *= shape[i];
    for (size_t i = 0; rc == 0 && i < in; i++)
        for (size_t o = 0; o < shape[0]; o++)
            ret_values[i * ld + o] = r->room[o * in + i];
    return rc;
}

/* NAME.weight and NAME.bias. */
static int read_linear(struct reader *r, const char *name, size_t in, size_t out,
                       size_t ld, bool has_bias, float *w, float *b)
{
    char part[PART_SIZE];
    const uint64_t shape[] = {out, in};
    snprintf(part, sizeof part, "%s.weight", name);
    int rc = read_turned(r, part, shape, 2, ld, w);
    snprintf(part, sizeof part, "%s.bias", name);
    return rc < 0 || !has_bias ? rc : read_vector(r, part, out, b);
}

static int read_norm(struct reader *r, const char *name, size_t n, float *w, float *b)
{
    char part[PART_SIZE];
    snprintf(part, sizeof part, "%s.weight", name);
    int rc = read_vector(r, part, n, w);
    snprintf(part, sizeof part, "%s.bias", name);
    return rc < 0 ? rc : read_vector(r, part, n, b);
}

static int read_attention(struct reader *r, const struct vit_config *c, const char *layer,
                          struct vit_layer *p)
{
    static const char *const parts[] = {"query", "key", "value"};
    char name[NAME_SIZE];
    size_t d = c->d;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < 3; i++) {
        snprintf(name, sizeof name, "%sattention.attention.%s", layer, parts[i]);
        rc = read_linear(r, name, d, d, 3 * d, c->qkv_bias, p->qkv_w + i * d,
                         p->qkv_b + i * d);
    }
    snprintf(name, sizeof name, "%sattention.output.dense", layer);
    return rc < 0 ? rc : read_linear(r, name, d, d, d, true, p->out_w, p->out_b);
}

static int read_layer(struct reader *r, const struct vit_config *c, unsigned i,
                      struct vit_layer *p)
{
    char layer[32], name[NAME_SIZE];
    size_t d = c->d;
#define NAME(what) (snprintf(name, sizeof name, "%s%s", layer, what), name)
    snprintf(layer, sizeof layer, "encoder.layer.%u.", i);
    int rc = read_norm(r, NAME("layernorm_before"), d, p->norm1_w, p->norm1_b);
    if (rc == 0)
        rc = read_attention(r, c, layer, p);
    if (rc == 0)
        rc = read_norm(r, NAME("layernorm_after"), d, p->norm2_w, p->norm2_b);
    if (rc == 0)
        rc = read_linear(r, NAME("intermediate.dense"), d, c->hidden, c->hidden, true,
                         p->up_w, p->up_b);
    if (rc == 0)
        rc = read_linear(r, NAME("output.dense"), c->hidden, d, d, true, p->down_w,
                         p->down_b);
#undef NAME
    return rc;
}

static int read_embeddings(struct reader *r, struct vit *vit)
{
    const struct vit_config *c = &vit->config;
    const uint64_t cls[] = {1, 1, c->d}, position[] = {1, vit_tokens(c), c->d};
    const uint64_t patch[] = {c->d, c->channels, c->patch, c->patch};
    int rc = read_plain(r, "embeddings.cls_token", cls, 3, vit->cls);
    if (rc == 0)
        rc = read_plain(r, "embeddings.position_embeddings", position, 3, vit->position);
    if (rc == 0)
        rc = read_turned(r, "embeddings.patch_embeddings.projection.weight", patch, 4,
                         c->d, vit->patch_w);
    if (rc == 0)
        rc = read_vector(r, "embeddings.patch_embeddings.projection.bias", c->d,
                         vit->patch_b);
    return rc;
}

static int read_tensors(struct reader *r, struct vit *vit)
{
    const struct vit_config *c = &vit->config;
    int rc = read_embeddings(r, vit);
    for (unsigned i = 0; rc == 0 && i < c->layers; i++)
        rc = read_layer(r, c, i, &vit->layer[i]);
    if (rc == 0)
        rc = read_norm(r, "layernorm", c->d, vit->norm_w, vit->norm_b);
    r->prefix = "";
    if (rc == 0 && vit->labels > 0)
        rc = read_linear(r, "classifier", c->d, vit->labels, vit->labels, true,
                         vit->head_w, vit->head_b);
    return rc;
}

/* The pooler is left out: neither the embedding nor the logits come from it. */
static bool is_pooler(const char *name)
{
    return strncmp(name, "pooler.dense.", 13) == 0 ||
           strncmp(name, "vit.pooler.dense.", 17) == 0;
}

/* More layers than config.json says, say. */
static int check_rest(const struct reader *r, const struct vit *vit)
{
    size_t rest = safetensors_count(r->file), taken = r->taken;
    for (size_t i = 0; i < safetensors_count(r->file); i++)
        rest -= is_pooler(safetensors_name(r->file, i));
    if (rest != taken)
        return fail(MK_EINPUT,
                    "%zu tensors where config.json describes %zu: of %u layers, %s", rest,
                    taken, vit->config.layers,
                    vit->config.qkv_bias ? "with biases everywhere"
                                         : "without biases of query, key and value");
    return 0;
}

static int read_labels(const struct safetensors *file, uint32_t *ret_labels)
{
    size_t rank = 0;
    const uint64_t *shape = safetensors_shape(file, "classifier.weight", &rank);
    if (shape && (rank != 2 || shape[0] > CLASSES_MAX * 10))
        return fail(MK_EINPUT, "tensor \"classifier.weight\" has at most %d rows",
                    CLASSES_MAX * 10);
    *ret_labels = shape ? (uint32_t)shape[0] : 0;
    return 0;
}

static size_t largest(const struct vit *vit)
{
    size_t most = 0;
    for (size_t i = 0; i < vit->n_tensors; i++)
        most = vit->tensor[i].n > most ? vit->tensor[i].n : most;
    return most;
}

static int read_file(const struct safetensors *file, const struct vit_config *config,
                     struct vit **ret_vit)
{
    size_t rank;
    uint32_t labels;
    struct vit *vit = NULL;
    struct reader r = {.file = file, .prefix = ""};
    if (safetensors_shape(file, "vit.embeddings.cls_token", &rank))
        r.prefix = "vit.";
    int rc = read_labels(file, &labels);
    if (rc == 0)
        rc = vit_new(config, labels, safetensors_numbers(file), &vit);
    if (rc == 0 && !(r.room = calloc(largest(vit), sizeof *r.room)))
        rc = fail(MK_ENOMEM, "no memory for a tensor");
    if (rc == 0)
        rc = read_tensors(&r, vit);
    if (rc == 0)
        rc = check_rest(&r, vit);
    free(r.room);
    if (rc < 0)
        vit_free(vit);
    else
        *ret_vit = vit;
    return rc;
}

int vit_parse(const struct vit_files *files, struct vit **ret_vit)
{
    struct vit_config config;
    struct safetensors *file;
    int rc = vit_config_parse(files->config, files->config_len, files->preprocessor,
                              files->preprocessor_len, &config);
    if (rc < 0)
        return rc;
    rc = safetensors_parse(files->model, files->model_len, &file);
    if (rc == 0) {
        rc = read_file(file, &config, ret_vit);
        safetensors_free(file);
    }
    return rc < 0 ? fail(rc, "model.safetensors: %s", err_why()) : 0;
}

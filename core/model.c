/* SPDX-License-Identifier: Apache-2.0 */
/* A trained MUNKEY model: keys and predictions of one image at a time. */
#include "core/model.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/label_code.h"
#include "core/model_forward.h"
#include "core/model_parts.h"
#include "core/model_writer.h"

struct scratch {
    struct forward *encode;  /* the encoder: a null pass and nothing else; or ... */
    struct vit_run *see;     /* ... that of another family */
    struct forward *predict; /* the classifier: 1 + k passes */
    struct writing *write;
    size_t k;
    bool blind;
};

static int set_label(char **at, const char *label)
{
    if (!*label || strlen(label) > 63)
        return fail(MK_EINPUT, "a label is 1 to 63 bytes long");
    char *copy = strdup(label);
    if (!copy)
        return fail(MK_ENOMEM, "no memory for labels");
    free(*at);
    *at = copy;
    return 0;
}

int model_set_labels(struct model *model, const char *const *labels)
{
    int rc = 0;
    for (uint32_t c = 0; rc == 0 && c < model->shape.classes; c++)
        rc = set_label(&model->labels[c], labels[c]);
    return rc;
}

static int number_labels(struct model *model)
{
    int rc = 0;
    char number[16];
    for (uint32_t c = 0; rc == 0 && c < model->shape.classes; c++) {
        snprintf(number, sizeof number, "%u", c);
        rc = set_label(&model->labels[c], number);
    }
    return rc;
}

static void describe(struct model *model)
{
    const struct shape *s = &model->shape;
    snprintf(model->profile, sizeof model->profile, "%s", s->profile);
    model->shape.profile = model->profile;
    model->info = (struct model_info){
        .name = model->name,
        .profile = model->profile,
        .height = s->height,
        .width = s->width,
        .channels = s->channels,
        .classes = s->classes,
        .open_labels = s->open_labels,
        .labels = (const char *const *)model->labels,
        .key_dim = s->key_dim,
        .own_tokens = s->own_tokens,
        .k = 4,
        .lambda = .5f,
        .tau_mix = 1,
        .seen = model->seen,
    };
}

int model_new(const struct shape *shape, struct model **ret_model)
{
    return model_new_with(shape, NULL, ret_model);
}

static int new_encoder(struct model *model)
{
    const struct shape *s = &model->shape;
    if (!model->vit)
        return params_new(s, PARAMS_ENCODER, &model->encoder);
    model->shape.embed = model->vit->config.d;
    return vit_pixels_check(&model->vit->config, s->height, s->width, s->channels);
}

int model_new_with(const struct shape *shape, struct vit *vit_take,
                   struct model **ret_model)
{
    struct model *model = calloc(1, sizeof *model);
    if (!model) {
        vit_free(vit_take);
        return fail(MK_ENOMEM, "no memory for a model");
    }
    model->shape = *shape;
    model->vit = vit_take;
    int rc = new_encoder(model);
    if (rc == 0)
        rc = params_new(&model->shape, PARAMS_PROJECTION, &model->projection);
    if (rc == 0)
        rc = params_new(&model->shape, PARAMS_CLASSIFIER, &model->classifier);
    if (rc == 0 && !(model->labels = calloc(shape->classes, sizeof *model->labels)))
        rc = fail(MK_ENOMEM, "no memory for labels");
    if (rc == 0)
        rc = number_labels(model);
    if (rc < 0) {
        model_free(model);
        return rc;
    }
    describe(model);
    *ret_model = model;
    return 0;
}

void model_free(struct model *model)
{
    if (!model)
        return;
    for (uint32_t c = 0; model->labels && c < model->shape.classes; c++)
        free(model->labels[c]);
    free(model->labels);
    params_free(model->encoder);
    params_free(model->projection);
    params_free(model->classifier);
    vit_free(model->vit);
    free(model);
}

const struct model_info *model_info(const struct model *model)
{
    return &model->info;
}

enum instance_class model_class_of(const struct model_info *info, uint64_t row)
{
    for (size_t i = 0; i < info->n_seen; i++)
        if (row >= info->seen[i].begin && row < info->seen[i].end)
            return i < info->n_public ? CLASS_PUBLIC : CLASS_TRAINED;
    return CLASS_EXACT;
}

struct scratch *scratch_new_for(const struct model *model, size_t k, bool blind)
{
    struct scratch *scratch = calloc(1, sizeof *scratch);
    if (!scratch)
        return NULL;
    int flags = FORWARD_ONCE | (blind ? FORWARD_BLIND : 0);
    scratch->k = k;
    scratch->blind = blind;
    if (model->vit)
        scratch->see = vit_run_new(model->vit, model->shape.height, model->shape.width,
                                   model->shape.channels);
    else
        scratch->encode = forward_new(&model->shape, 1, 0, FORWARD_ONCE);
    scratch->predict = forward_new(&model->shape, 1, k, flags);
    scratch->write = writing_new(&model->shape, (k + 11) / 12 * 12);
    if ((!scratch->encode && !scratch->see) || !scratch->predict || !scratch->write) {
        scratch_free(scratch);
        return NULL;
    }
    return scratch;
}

struct scratch *scratch_new(const struct model *model)
{
    return scratch_new_for(model, model->info.k, false);
}

void scratch_wipe(struct scratch *scratch)
{
    if (scratch->see)
        vit_run_wipe(scratch->see);
    else
        forward_wipe(scratch->encode);
    forward_wipe(scratch->predict);
    writing_wipe(scratch->write);
}

void scratch_free(struct scratch *scratch)
{
    if (!scratch)
        return;
    forward_free(scratch->encode);
    vit_run_free(scratch->see);
    forward_free(scratch->predict);
    writing_free(scratch->write);
    free(scratch);
}

/* OpenBLAS copies a left operand whole only when the product has more columns than a core
 * type's P (at most 768), and else piece by piece to one place; of its depth it copies at
 * most Q (320 to 512), and less where the depth is between Q and 2 Q. */
static void scrub(size_t rows, size_t widest, size_t deep)
{
    enum { NARROW = 256, WIDE = 1100, SHALLOW = 320, DEEP = 1024 };
    linalg_scrub(rows, widest <= NARROW ? 64 : WIDE, deep <= SHALLOW ? deep : DEEP);
}

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* The tallest and the deepest left operand, in one; right operands are weights, or keys
 * and values of one head. */
void model_scrub(const struct model *model)
{
    const struct shape *s = &model->shape;
    size_t tall = 0, deep = s->hidden, rows, cols;
    for (size_t i = 0; i < s->convs; i++) {
        struct plane plane = shape_plane(s, i + 1);
        tall = most(tall, plane.height * plane.width);
        deep = most(deep, 9 * shape_plane(s, i).channels);
    }
    scrub(tall, most(s->hidden, 2 * s->d), deep);
    if (!model->vit)
        return;
    vit_largest(&model->vit->config, &rows, &cols);
    scrub(rows, SIZE_MAX, cols);
}

void model_embed(const struct model *model, struct scratch *scratch,
                 const uint8_t *pixels, float *ret_z)
{
    linalg_enter();
    if (model->vit)
        vit_embed(model->vit, scratch->see, pixels, ret_z);
    else
        forward_run(scratch->encode, &model->encoder->net, pixels, NULL);
    linalg_leave();
    if (!model->vit)
        memcpy(ret_z, scratch->encode->z, model->shape.d * sizeof *ret_z);
}

/* A null vector stays one. */
void model_project(const struct model *model, const float *z, float *ret_u)
{
    size_t d = shape_embedding(&model->shape), n = model->shape.key_dim;
    const struct projection *p = &model->projection->projection;
    float centred[d];
    for (size_t i = 0; i < d; i++)
        centred[i] = z[i] - p->mean[i];
    linalg_enter();
    linalg_nn(1, n, d, 1, centred, d, p->matrix, n, 0, ret_u, n);
    float length = sqrtf(linalg_dot(ret_u, ret_u, n));
    linalg_leave();
    for (size_t i = 0; length > 0 && i < n; i++)
        ret_u[i] /= length;
    explicit_bzero(centred, sizeof centred);
}

/* scale = max|k| / 127, q = round half to even. */
void model_quantise(const struct model *model, const float *z, struct key *ret_key)
{
    float u[KEY_DIM_MAX], max = 0;
    model_project(model, z, u);
    for (size_t i = 0; i < model->shape.key_dim; i++)
        max = fmaxf(max, fabsf(u[i]));
    *ret_key = (struct key){.scale = max / 127};
    for (size_t i = 0; max > 0 && i < model->shape.key_dim; i++)
        ret_key->q[i] = (int8_t)nearbyintf(u[i] / ret_key->scale);
    explicit_bzero(u, sizeof u);
}

void model_key(const struct model *model, struct scratch *scratch, const uint8_t *pixels,
               struct key *ret_key)
{
    float z[shape_embedding(&model->shape)];
    model_embed(model, scratch, pixels, z);
    model_quantise(model, z, ret_key);
    explicit_bzero(z, sizeof z);
}

/* The hits that there are, then NULL: the null token. */
static void write_exemplars(const struct model *model, struct scratch *scratch,
                            const struct hit *hits, size_t n)
{
    const struct hit *list[scratch->write->n];
    for (size_t i = 0; i < scratch->write->n; i++)
        list[i] = i < n && i < scratch->k ? &hits[i] : NULL;
    writing_run(scratch->write, model->classifier, list);
}

void model_logits(const struct model *model, struct scratch *scratch,
                  const uint8_t *pixels, const struct hit *hits, size_t n,
                  float *ret_logits)
{
    size_t outputs = shape_outputs(&model->shape), passes = scratch->predict->passes;
    linalg_enter();
    write_exemplars(model, scratch, hits, n);
    forward_run(scratch->predict, &model->classifier->net, pixels,
                scratch->write->exemplar);
    linalg_leave();
    memcpy(ret_logits, scratch->predict->logits, passes * outputs * sizeof *ret_logits);
}

void model_passes(const struct model *model, struct scratch *scratch,
                  const uint8_t *pixels, const struct hit *hits, size_t n,
                  const struct label_set *about, float *ret_p)
{
    size_t passes = scratch->predict->passes, outputs = shape_outputs(&model->shape);
    size_t labels = about ? about->n : outputs;
    float u[about ? passes * outputs : 1];
    assert(model->shape.open_labels == (about != NULL));
    model_logits(model, scratch, pixels, hits, n, about ? u : ret_p);
    for (size_t i = 0; i < passes; i++) {
        if (about)
            label_code_logits(u + i * outputs, about->code, labels, ret_p + i * labels);
        linalg_softmax(ret_p + i * labels, labels);
    }
    explicit_bzero(u, sizeof u);
}

const char *aggregation_name(enum aggregation aggregation)
{
    static const char *const names[AGGREGATIONS] = {"softmax", "mean", "rank"};
    return names[aggregation];
}

static void weigh(const struct model_info *info, const struct hit *hits, size_t n,
                  float *w)
{
    float sum = 0;
    for (size_t j = 0; j < n; j++)
        w[j] = info->aggregation == AGGREGATE_SOFTMAX ? hits[j].similarity / info->tau_mix
               : info->aggregation == AGGREGATE_MEAN  ? 1
                                                      : 1 / (float)(1 + j);
    if (info->aggregation == AGGREGATE_SOFTMAX) {
        linalg_softmax(w, n);
        return;
    }
    for (size_t j = 0; j < n; j++)
        sum += w[j];
    for (size_t j = 0; j < n; j++)
        w[j] /= sum;
}

void model_mix(const struct model_info *info, const float *p, size_t labels,
               const struct hit *hits, size_t n, float *ret_p)
{
    float w[HITS_MAX] = {1};
    n = n < info->k ? n : info->k;
    if (n > 0)
        weigh(info, hits, n, w);
    for (size_t c = 0; c < labels; c++) {
        float memory = 0;
        for (size_t j = 0; j < (n ? n : 1); j++)
            memory += w[j] * p[(1 + j) * labels + c];
        ret_p[c] = info->lambda * p[c] + (1 - info->lambda) * memory;
    }
}

void model_predict(const struct model *model, struct scratch *scratch,
                   const uint8_t *pixels, const struct hit *hits, size_t n,
                   const struct label_set *about, float *ret_p)
{
    size_t labels = about ? about->n : model->shape.classes;
    float p[(1 + scratch->k) * labels];
    model_passes(model, scratch, pixels, hits, n, about, p);
    model_mix(&model->info, p, labels, hits, n, ret_p);
    explicit_bzero(p, sizeof p);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The learnt numbers of a model: one list says every tensor's name, size and first
 * values. */
#include "core/model_params.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/err.h"

/* Adds tensors to params; remembers which pointer gets which, until there is an array. */
struct list {
    struct params *params;
    const char *prefix;
    real **slot[TENSORS_MAX];
};

static void __attribute__((format(printf, 7, 8)))
add(struct list *list, real **slot, size_t rows, size_t cols, enum init init,
    double spread, const char *format, ...)
{
    struct params *params = list->params;
    struct tensor *tensor = &params->tensor[params->n_tensors];
    char name[sizeof tensor->name - 16];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    snprintf(tensor->name, sizeof tensor->name, "%s.%s", list->prefix, name);
    tensor->rows = rows;
    tensor->cols = cols;
    tensor->n = (rows ? rows : 1) * cols;
    tensor->offset = params->n;
    tensor->init = init;
    tensor->spread = (float)spread;
    list->slot[params->n_tensors++] = slot;
    params->n += tensor->n;
}

static void add_linear(struct list *list, real **w, real **b, size_t in, size_t out,
                       double spread, const char *name)
{
    add(list, w, in, out, INIT_WEIGHT, spread, "%s.weight", name);
    add(list, b, 0, out, INIT_ZERO, 0, "%s.bias", name);
}

static void add_norm(struct list *list, real **w, real **b, size_t n, const char *name)
{
    add(list, w, 0, n, INIT_ONE, 0, "%s.weight", name);
    add(list, b, 0, n, INIT_ZERO, 0, "%s.bias", name);
}

/* Glorot and Bengio, 2010: variance 2 / (in + out). */
static double glorot(size_t in, size_t out)
{
    return sqrt(2.0 / (double)(in + out));
}

static void add_layer(struct list *list, const struct shape *shape, struct layer *layer,
                      unsigned number)
{
    char name[32];
    size_t d = shape->d, hidden = shape->hidden;
    double depth = sqrt(2.0 * shape->layers); /* residual branches add up */
#define NAME(what) (snprintf(name, sizeof name, "layer.%u.%s", number, what), name)
    add_norm(list, &layer->norm1_w, &layer->norm1_b, d, NAME("norm1"));
    add_linear(list, &layer->q_w, &layer->q_b, d, d, glorot(d, d), NAME("q"));
    add_linear(list, &layer->kv_w, &layer->kv_b, d, 2 * d, glorot(d, d), NAME("kv"));
    add_linear(list, &layer->out_w, &layer->out_b, d, d, glorot(d, d) / depth,
               NAME("out"));
    add_norm(list, &layer->norm2_w, &layer->norm2_b, d, NAME("norm2"));
    add_linear(list, &layer->up_w, &layer->up_b, d, hidden, glorot(d, hidden),
               NAME("up"));
    add_linear(list, &layer->down_w, &layer->down_b, hidden, d, glorot(d, hidden) / depth,
               NAME("down"));
#undef NAME
}

/* A ReLU follows all but the last. */
static void add_stem(struct list *list, const struct shape *shape, struct net *net)
{
    char name[16];
    for (unsigned i = 0; i < shape->convs; i++) {
        size_t patch = 9 * shape_plane(shape, i).channels;
        double gain = i + 1 < shape->convs ? 2 : 1;
        snprintf(name, sizeof name, "conv%u", i + 1);
        add_linear(list, &net->conv[i].w, &net->conv[i].b, patch, shape->stem[i].channels,
                   sqrt(gain / (double)patch), name);
    }
}

static void add_net(struct list *list, const struct shape *shape, struct net *net)
{
    size_t d = shape->d;
    add_stem(list, shape, net);
    add(list, &net->position, shape_tokens(shape), d, INIT_SMALL, .02, "position");
    add(list, &net->readout, 0, d, INIT_SMALL, .02, "readout");
    add(list, &net->null, 0, d, INIT_SMALL, .02, "null");
    for (unsigned i = 0; i < shape->layers; i++)
        add_layer(list, shape, &net->layer[i], i);
    add_norm(list, &net->norm_w, &net->norm_b, d, "norm");
    add_linear(list, &net->head_w, &net->head_b, d, shape_outputs(shape), .02, "head");
}

/* What makes a token of a key and a label. */
static void add_writing(struct list *list, const struct shape *shape,
                        struct writer *writer)
{
    size_t in = shape->key_dim + shape->label_dim, hidden = shape->writer_hidden;
    size_t token = shape->token_dim;
    /* A key has length 1: its components and the label's start at the same size. */
    double unit = sqrt(1.0 / shape->key_dim);
    if (!shape->open_labels)
        add(list, &writer->label, shape->classes, shape->label_dim, INIT_SMALL, unit,
            "label");
    add(list, &writer->u1, in, hidden, INIT_WEIGHT, 1, "u1.weight");
    add(list, &writer->c1, 0, hidden, INIT_ZERO, 0, "u1.bias");
    add_linear(list, &writer->u2, &writer->c2, hidden, token, glorot(hidden, token),
               "u2");
}

static void add_writer(struct list *list, const struct shape *shape,
                       struct writer *writer)
{
    size_t token = shape->token_dim, d = shape->d;
    list->prefix = "writer";
    if (shape->own_tokens > 0)
        add(list, &writer->own, shape->own_tokens, token, INIT_SMALL, .02, "own");
    else
        add_writing(list, shape, writer);
    add_linear(list, &writer->we, &writer->be, token, d, glorot(token, d), "exemplar");
    add(list, &writer->similar, 0, d, INIT_SMALL, .02, "similarity");
}

static void add_projection(struct list *list, const struct shape *shape,
                           struct projection *projection)
{
    size_t z = shape_embedding(shape);
    add(list, &projection->mean, 0, z, INIT_ZERO, 0, "mean");
    add(list, &projection->matrix, z, shape->key_dim, INIT_ZERO, 0, "matrix");
}

static void add_retrieved(struct list *list, const struct shape *shape,
                          struct retrieved *retrieved)
{
    size_t in = shape->classes + RETRIEVED_K, hidden = RETRIEVED_HIDDEN;
    add_linear(list, &retrieved->w1, &retrieved->b1, in, hidden, glorot(in, hidden),
               "up");
    add_linear(list, &retrieved->w2, &retrieved->b2, hidden, shape->classes, .02, "down");
}

static void list_tensors(struct list *list, const struct shape *shape,
                         struct params *params)
{
    switch (params->kind) {
    case PARAMS_ENCODER:
        list->prefix = "encoder";
        add_net(list, shape, &params->net);
        break;
    case PARAMS_PROJECTION:
        list->prefix = "pca";
        add_projection(list, shape, &params->projection);
        break;
    case PARAMS_CLASSIFIER:
        list->prefix = "classifier";
        add_net(list, shape, &params->net);
        add_writer(list, shape, &params->writer);
        break;
    case PARAMS_RETRIEVED:
        list->prefix = "retrieved";
        add_retrieved(list, shape, &params->retrieved);
        break;
    }
}

int params_new(const struct shape *shape, enum params_kind kind,
               struct params **ret_params)
{
    struct params *params = calloc(1, sizeof *params);
    if (!params)
        return fail(MK_ENOMEM, "no memory for a model's table of tensors");
    params->shape = *shape;
    params->kind = kind;
    struct list list = {.params = params};
    list_tensors(&list, shape, params);
    params->values = calloc(params->n, sizeof *params->values);
    if (!params->values) {
        params_free(params);
        return fail(MK_ENOMEM, "no memory for a model's numbers");
    }
    for (size_t i = 0; i < params->n_tensors; i++)
        *list.slot[i] = params->values + params->tensor[i].offset;
    *ret_params = params;
    return 0;
}

void params_free(struct params *params)
{
    if (!params)
        return;
    free(params->values);
    free(params);
}

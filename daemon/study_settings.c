/* SPDX-License-Identifier: Apache-2.0 */
/* What determines the bits of a model, in JSON. */
#include "daemon/study_settings.h"

#include <string.h>

struct shape study_shape(const struct model_wish *wish)
{
    struct shape shape = wish->seed_run->run->data.shape;
    shape.symmetric = wish->symmetric;
    return shape;
}

json_t *json_shape(struct shape shape)
{
    char stem[STEM_TEXT_SIZE];
    json_t *sizes = json_object();
    for (size_t i = 0; shape_dimension_name(i); i++)
        json_object_set_new(sizes, shape_dimension_name(i),
                            json_integer(*shape_dimension(&shape, i)));
    shape_stem_text(&shape, stem);
    json_object_set_new(sizes, "stem", json_string(stem));
    json_object_set_new(sizes, "symmetric", json_boolean(shape.symmetric));
    json_object_set_new(sizes, "inverted", json_boolean(shape.inverted));
    return sizes;
}

static json_t *json_method(const struct train_method *m)
{
    return json_pack("{s:b,s:b,s:s,s:f,s:f,s:f,s:b,s:f}", "free_tokens", m->free_tokens,
                     "retrieve_self", m->retrieve_self, "aggregation",
                     aggregation_name(m->aggregation), "drop", m->drop, "blind_weight",
                     m->blind_weight, "smoothing", m->smoothing, "upright", m->upright,
                     "new_labels", m->new_labels);
}

/* Whether the model depends on MUNKEY's encoder, by what it is or by who is left out. */
static bool needs_encoder(const struct model_wish *wish, const char *kind)
{
    const struct forgetting *without = wish->without;
    return strcmp(kind, "munkey") == 0 ||
           (without && (without->wish->kind == FORGET_MEMORISED ||
                        without->wish->kind == FORGET_NEAR_DUPLICATES));
}

/* What decides who is forgotten, beside the seed.  The memorised are chosen with oracles. */
static json_t *json_forget(const struct model_wish *wish)
{
    const struct forget_wish *w = wish->without->wish;
    return json_pack("{s:s,s:f,s:I,s:f,s:I}", "name", w->name, "share", w->share, "class",
                     (json_int_t)w->class, "among", w->among, "oracles",
                     w->kind == FORGET_MEMORISED
                         ? (json_int_t)wish->seed_run->run->study->oracles
                         : 0);
}

static json_t *json_drawn(const struct model_wish *wish)
{
    const struct run *run = wish->seed_run->run;
    const struct arrangement_wish *w = &wish->share;
    char data[2 * sizeof run->data.sha256 + 1];
    for (size_t i = 0; i < sizeof run->data.sha256; i++)
        sprintf(data + 2 * i, "%02x", run->data.sha256[i]);
    return json_pack("{s:s,s:I,s:I,s:[f,f,f,f]}", "sha256", data, "images",
                     (json_int_t)run->study->images, "seed",
                     (json_int_t)wish->seed_run->seed, "shares", w->base, w->b1, w->b2,
                     w->val);
}

json_t *study_settings(const struct model_wish *wish, const char *kind)
{
    const struct study *study = wish->seed_run->run->study;
    json_t *settings =
        json_pack("{s:s,s:i,s:o,s:I,s:o,s:f,s:f,s:I,s:f}", "kind", kind, "version", 1,
                  "data", json_drawn(wish), "seed", (json_int_t)wish->train_seed, "shape",
                  json_shape(study_shape(wish)), "epochs", study->epochs,
                  "encoder_epochs", needs_encoder(wish, kind) ? study->encoder_epochs : 0,
                  "batch", (json_int_t)study->batch, "rate", study->rate);
    json_object_set_new(settings, "method", json_method(&wish->method));
    if (wish->without)
        json_object_set_new(settings, "without", json_forget(wish));
    if (wish->keys)
        json_object_set_new(settings, "keys_of", study_settings(wish->keys, kind));
    return settings;
}

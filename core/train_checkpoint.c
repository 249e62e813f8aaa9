/* SPDX-License-Identifier: Apache-2.0 */
/* An interrupted training run as one safetensors file. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/safetensors.h"
#include "core/train_parts.h"

enum { PER_OPTIMIZER = 4, ENTRIES = 2 * PER_OPTIMIZER };

enum { LINE_SIZE = 1024 };

/* A plan in one line: what must be equal for a run to go on. */
static void plan_line(const struct train_plan *p, char line[static LINE_SIZE])
{
    const struct train_method *method = &p->method;
    struct shape shape = p->shape;
    const bool frozen = shape.embed || p->keys_of;
    char stem[STEM_TEXT_SIZE], data[65], labels[65], encoder[65];
    shape_stem_text(&shape, stem);
    for (size_t i = 0; i < sizeof p->data_sha256; i++) {
        sprintf(data + 2 * i, "%02x", p->data_sha256[i]);
        sprintf(labels + 2 * i, "%02x", p->labels_sha256[i]);
        sprintf(encoder + 2 * i, "%02x", p->encoder_sha256[i]);
    }
    int at = snprintf(
        line, LINE_SIZE,
        "munkey-checkpoint-2 seed %" PRIu64 " batch %zu rate %g steps %zu %zu rows "
        "%" PRIu64 "-%" PRIu64 " %" PRIu64 "-%" PRIu64 " %" PRIu64 "-%" PRIu64 " stem %s",
        p->seed, p->batch, p->rate, p->steps_encoder, p->steps_fusion, p->b1.begin,
        p->b1.end, p->b2.begin, p->b2.end, p->val.begin, p->val.end, stem);
    for (size_t i = 0; shape_dimension_name(i); i++)
        at += snprintf(line + at, (size_t)(LINE_SIZE - at), " %s %u",
                       shape_dimension_name(i), *shape_dimension(&shape, i));
    snprintf(line + at, (size_t)(LINE_SIZE - at),
             "%s%s%s%s%s%s drop %g blind %g smoothing %g aggregation %s new %g data %s "
             "labels %s%s%s",
             shape.symmetric ? " sym" : "", shape.open_labels ? " open" : "",
             shape.inverted ? " inverted" : "", method->upright ? " upright" : "",
             method->free_tokens ? " free" : "", method->retrieve_self ? " self" : "",
             method->drop, method->blind_weight, method->smoothing,
             aggregation_name(method->aggregation), method->new_labels, data, labels,
             frozen ? " encoder " : "", frozen ? encoder : "");
}

static void list_entries(const struct optimizer *o, const char *const *names,
                         struct safetensors_entry *entries)
{
    const float *values[] = {o->params->values, o->m, o->v, o->average};
    for (size_t i = 0; i < PER_OPTIMIZER; i++)
        entries[i] = (struct safetensors_entry){names[i], 0, o->params->n, values[i]};
}

static const char *const encoder_names[] = {"encoder", "encoder.m", "encoder.v",
                                            "encoder.average"};
static const char *const fusion_names[] = {"fusion", "fusion.m", "fusion.v",
                                           "fusion.average"};

int trainer_save(const struct trainer *t, void **ret_bytes, size_t *ret_len)
{
    char line[LINE_SIZE];
    struct safetensors_entry entries[ENTRIES];
    plan_line(&t->plan, line);
    size_t n = 0;
    if (t->encoder)
        list_entries(t->encoder, encoder_names, entries + n++ * PER_OPTIMIZER);
    list_entries(t->fusion, fusion_names, entries + n++ * PER_OPTIMIZER);
    json_t *metadata = json_object();
    json_object_set_new(metadata, "plan", json_string(line));
    if (t->encoder)
        json_object_set_new(metadata, "encoder", json_sprintf("%zu", t->encoder->step));
    json_object_set_new(metadata, "fusion", json_sprintf("%zu", t->fusion->step));
    int rc = safetensors_format(metadata, entries, n * PER_OPTIMIZER, ret_bytes, ret_len);
    json_decref(metadata);
    return rc;
}

static int check_plan(const struct trainer *t, const struct safetensors *file)
{
    char line[LINE_SIZE];
    const char *found = safetensors_metadata(file, "plan");
    plan_line(&t->plan, line);
    if (!found || strcmp(found, line) != 0)
        return fail(MK_EINPUT, "the checkpoint is of another run: \"%.160s\"",
                    found ? found : "");
    return 0;
}

static int read_optimizer(const struct safetensors *file, const char *const *names,
                          struct optimizer *o)
{
    float *values[] = {o->params->values, o->m, o->v, o->average};
    const char *step = safetensors_metadata(file, names[0]);
    for (size_t i = 0; i < PER_OPTIMIZER; i++) {
        int rc = safetensors_read(file, names[i], 0, o->params->n, values[i]);
        if (rc < 0)
            return rc;
    }
    if (!step || sscanf(step, "%zu", &o->step) != 1 || o->step > o->steps)
        return fail(MK_EINPUT, "the checkpoint does not say its step");
    return 0;
}

int trainer_resume(struct trainer *t, const void *bytes, size_t len)
{
    struct safetensors *file;
    int rc = safetensors_parse(bytes, len, &file);
    if (rc < 0)
        return rc;
    rc = check_plan(t, file);
    if (rc == 0 && t->encoder)
        rc = read_optimizer(file, encoder_names, t->encoder);
    if (rc == 0)
        rc = read_optimizer(file, fusion_names, t->fusion);
    safetensors_free(file);
    return rc;
}

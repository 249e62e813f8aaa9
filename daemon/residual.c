/* SPDX-License-Identifier: Apache-2.0 */
/* What forgetting can and cannot take from an operator's own model. */
#include "daemon/residual.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "core/gap.h"
#include "core/rng.h"
#include "daemon/files.h"
#include "daemon/study_views.h"

enum { FILE_LIMIT = 1 << 16, SEED = 1 };

/* Rows that are asked about: those that the weights saw, then test rows. */
struct asked_rows {
    const struct model_info *info;
    const char *const *name;  /* of labels, where they are open; borrowed from the data */
    struct label_list answer; /* what answers are about; borrowed from the bank */
    uint8_t *pixels;
    uint32_t *labels; /* places in answer */
    struct images images;
    size_t seen, tests;
};

/* Where a row's label stands among the answers, or answer.n. */
static size_t place_of(const struct asked_rows *a, uint32_t label)
{
    return a->name ? label_list_find(&a->answer, a->name[label]) : label;
}

static void add_row(struct asked_rows *a, const struct images *from, size_t row)
{
    size_t size = (size_t)from->height * from->width * from->channels;
    memcpy(a->pixels + a->images.n * size, images_at(from, row), size);
    a->labels[a->images.n++] = (uint32_t)place_of(a, from->labels[row]);
}

/* Rows of test are all of class exact. */
static bool can_be_asked(const struct asked_rows *a, const struct images *from,
                         size_t row, bool tests)
{
    return (tests || model_class_of(a->info, row) == CLASS_TRAINED) &&
           place_of(a, from->labels[row]) < a->answer.n;
}

/* Selection sampling. */
static size_t draw(struct asked_rows *a, const struct images *from, bool tests)
{
    size_t n = 0, taken = 0, passed = 0;
    for (size_t row = 0; row < from->n; row++)
        n += can_be_asked(a, from, row, tests);
    size_t count = n < RESIDUAL_ROWS ? n : RESIDUAL_ROWS;
    struct rng rng = rng_at(SEED, RNG_SPLIT, tests, n);
    for (size_t row = 0; row < from->n && taken < count; row++) {
        if (!can_be_asked(a, from, row, tests))
            continue;
        if (rng_uniform(&rng) * (double)(n - passed++) >= (double)(count - taken))
            continue;
        add_row(a, from, row);
        taken++;
    }
    return taken;
}

static int choose(const struct known_data *known, struct asked_rows *a)
{
    const struct images *i = &known->train;
    size_t size = (size_t)i->height * i->width * i->channels;
    a->pixels = calloc(2 * RESIDUAL_ROWS, size);
    a->labels = calloc(2 * RESIDUAL_ROWS, sizeof *a->labels);
    if (!a->pixels || !a->labels)
        return fail(MK_ENOMEM, "no memory for %d images", 2 * RESIDUAL_ROWS);
    a->images =
        (struct images){0, i->height, i->width, i->channels, a->pixels, a->labels};
    a->seen = draw(a, i, false);
    a->tests = draw(a, &known->test, true);
    return a->seen > 0 ? 0
                       : fail(MK_EINPUT, "no row of these images is of class trained: "
                                         "nothing could be left of one");
}

static int attack(const struct asked_rows *a, const float *p, size_t classes,
                  struct attack *ret_attack)
{
    size_t n = a->images.n;
    double *score = calloc(n, sizeof *score);
    if (!score)
        return fail(MK_ENOMEM, "no memory for %zu scores", n);
    for (size_t i = 0; i < n; i++)
        score[i] = attack_log(p[i * classes + a->labels[i]]);
    int rc = attack_measure(&(struct scores){score, a->seen, score + a->seen, a->tests},
                            ret_attack);
    free(score);
    return rc;
}

/* What the memory does to the answers about test rows. */
static void contribution(const struct asked_rows *a, const struct views *v,
                         size_t classes, struct residual *r)
{
    const float *full = v->full + a->seen * classes, *null = v->null + a->seen * classes;
    const uint32_t *label = a->labels + a->seen;
    double gained = 0, lost = 0;
    for (size_t i = 0; i < a->tests; i++) {
        double with = gap_accuracy(full + i * classes, label + i, 1, classes);
        double without = gap_accuracy(null + i * classes, label + i, 1, classes);
        gained += with > without;
        lost += with < without;
    }
    r->full = gap_accuracy(full, label, a->tests, classes);
    r->null = gap_accuracy(null, label, a->tests, classes);
    r->changed = 1 - gap_agreement(full, null, a->tests, classes);
    r->helps = gained - lost > 2 * sqrt(gained + lost);
}

static int ask(const struct model *model, struct memory *bank, const struct asked_rows *a,
               size_t threads, struct residual *r)
{
    const struct label_set labels = {a->answer.code, a->answer.n};
    size_t classes = labels.n;
    struct views views = {0};
    struct key *keys = NULL;
    int rc = views_keys(model, &a->images, threads, &keys);
    const struct asking asking = {.model = model,
                                  .bank = bank,
                                  .images = &a->images,
                                  .keys = keys,
                                  .n = a->images.n,
                                  .threads = threads,
                                  .labels = labels.code ? &labels : NULL};
    if (rc == 0)
        rc = views_ask(&asking, &views);
    if (rc == 0)
        rc = attack(a, views.full, classes, &r->before);
    if (rc == 0)
        rc = attack(a, views.null, classes, &r->after);
    if (rc == 0)
        contribution(a, &views, classes, r);
    views_done(&views);
    free(keys);
    return rc;
}

int residual_measure(const struct model *model, struct memory *bank,
                     const struct known_data *known, size_t threads,
                     struct residual *ret_residual)
{
    const struct model_info *info = model_info(model);
    struct asked_rows a = {.info = info, .answer = {.n = info->classes}};
    struct residual r = {.instances = (size_t)memory_state(bank).n};
    if (info->open_labels) {
        a.name = known->data[0].label;
        a.answer = memory_labels(bank);
    }
    int rc = choose(known, &a);
    if (rc == 0)
        rc = ask(model, bank, &a, threads, &r);
    r.seen = a.seen;
    r.tests = a.tests;
    free(a.pixels);
    free(a.labels);
    if (rc == 0)
        *ret_residual = r;
    return rc;
}

static json_t *json_of(const struct attack *a)
{
    return json_pack("{s:f,s:f,s:f}", "auroc", 100 * a->auroc, "tpr", 100 * a->tpr,
                     "null_sd", 100 * a->null_sd);
}

/* The verdict, for somebody who has to decide whether to trust a receipt. */
static json_t *verdict(const struct residual *r)
{
    char text[400];
    json_t *list = json_array();
    bool trace = r->after.auroc - .5 > 2 * r->after.null_sd;
    if (r->helps)
        snprintf(text, sizeof text,
                 "The memory matters: %.2f %% of the test images are recognised with it "
                 "and %.2f %% without, and it changes %.2f %% of the answers.",
                 100 * r->full, 100 * r->null, 100 * r->changed);
    else
        snprintf(text, sizeof text,
                 "The memory adds nothing that %zu test images show (%.2f %% with it, "
                 "%.2f %% without): that keys are gone changes few answers, and their "
                 "absence proves little.",
                 r->tests, 100 * r->full, 100 * r->null);
    json_array_append_new(list, json_string(text));
    snprintf(text, sizeof text,
             trace ? "Class trained leaves a trace: without any memory, the weights tell "
                     "images that they saw from new ones (AUROC %.2f, chance is 50 +- "
                     "%.2f). Erasing the keys does not take it away."
                   : "Class trained: without any memory, this attack does not tell "
                     "images that the weights saw from new ones (AUROC %.2f, chance is "
                     "50 +- %.2f). A stronger attack might.",
             100 * r->after.auroc, 100 * r->after.null_sd);
    json_array_append_new(list, json_string(text));
    json_array_append_new(list, json_string("Class exact leaves nothing: the weights "
                                            "never saw those instances."));
    return list;
}

json_t *residual_json(const struct residual *r, const uint8_t model_sha256[32])
{
    char hex[65], date[16];
    time_t now = time(NULL);
    struct tm utc;
    for (int i = 0; i < 32; i++)
        sprintf(hex + 2 * i, "%02x", model_sha256[i]);
    strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&now, &utc));
    return json_pack("{s:s,s:s,s:s,s:{s:I,s:I,s:I},s:{s:f,s:f,s:f},s:{s:o,s:o},s:o}",
                     "format", "munkey-residual-1", "model_sha256", hex, "date", date,
                     "rows", "seen", (json_int_t)r->seen, "tests", (json_int_t)r->tests,
                     "instances", (json_int_t)r->instances, "memory", "full",
                     100 * r->full, "null", 100 * r->null, "changed", 100 * r->changed,
                     "attack", "full", json_of(&r->before), "null", json_of(&r->after),
                     "verdict", verdict(r));
}

void residual_path(const char *model, char ret_path[static RESIDUAL_PATH])
{
    snprintf(ret_path, RESIDUAL_PATH, "%s.residual.json", model);
}

static int check(const char *path, const char *text, const uint8_t model_sha256[32])
{
    char hex[65];
    json_auto_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const char *format = json_string_value(json_object_get(json, "format"));
    const char *model = json_string_value(json_object_get(json, "model_sha256"));
    for (int i = 0; i < 32; i++)
        sprintf(hex + 2 * i, "%02x", model_sha256[i]);
    if (!format || !model || strcmp(format, "munkey-residual-1") != 0)
        return fail(MK_EINPUT, "%s is not what munkey-eval audit writes", path);
    if (strcmp(model, hex) != 0)
        return fail(MK_EINPUT, "%s is about another model: run munkey-eval audit again",
                    path);
    return 0;
}

int residual_load(const char *model, const uint8_t model_sha256[32], char **ret_text)
{
    char path[RESIDUAL_PATH];
    uint8_t *bytes;
    size_t len;
    residual_path(model, path);
    *ret_text = NULL;
    if (access(path, F_OK) < 0)
        return 0;
    int rc = file_read(path, FILE_LIMIT, &bytes, &len);
    if (rc < 0)
        return rc;
    if ((rc = check(path, (const char *)bytes, model_sha256)) < 0)
        free(bytes);
    else
        *ret_text = (char *)bytes; /* transferred */
    return rc;
}

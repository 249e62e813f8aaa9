/* SPDX-License-Identifier: Apache-2.0 */
/* The models of a study, each trained once and kept by the hash of its settings. */
#include "daemon/study_models.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/model_format.h"
#include "daemon/files.h"
#include "daemon/interrupt.h"
#include "daemon/progress.h"
#include "daemon/study_settings.h"
#include "daemon/train_session.h"

uint64_t model_seed(uint64_t seed, size_t oracle)
{
    return seed + 1000003 * oracle;
}

struct model_wish model_wish_new(struct seed_run *s, const char *name)
{
    struct model_wish wish = {
        .seed_run = s,
        .name = name,
        .train_seed = s->seed,
        .rows = &s->all,
        .share = arrangement_paper,
        .method = train_method_default,
    };
    wish.method.upright = !s->run->study->mirror;
    return wish;
}

static size_t steps(double epochs, size_t rows, size_t batch)
{
    return (size_t)ceil(epochs * (double)rows / (double)batch);
}

/* Products of one image's way through the net and back, by the sizes of its layers; a query that
 * retrieves goes through twice as many passes of the last rows. */
static double work_of(const struct shape *s, double images)
{
    double d = s->d, tokens = (double)shape_tokens(s);
    return images * 3 * s->layers * tokens *
           (4 * d * d + 2 * d * s->hidden + 2 * tokens * d);
}

static double work_of_munkey(const struct model_wish *wish)
{
    const struct study *study = wish->seed_run->run->study;
    const struct shape shape = study_shape(wish);
    double b1 = (double)range_length(wish->rows->b1),
           b2 = (double)range_length(wish->rows->b2);
    double passes = shape.symmetric ? 3 : 1.3;
    return work_of(&shape, study->epochs * (b1 + passes * b2) +
                               (wish->keys ? 0 : study->encoder_epochs * b1));
}

static double work_of_plain(const struct model_wish *wish)
{
    const struct shape shape = study_shape(wish);
    return work_of(&shape,
                   wish->seed_run->run->study->epochs * (double)wish->rows->b2.end);
}

/* Says once that a model is not there.  Always 1. */
static int list(const struct model_wish *wish, const json_t *settings, double work)
{
    struct run *run = wish->seed_run->run;
    char hex[SETTINGS_HEX];
    json_auto_t *about = NULL;
    study_store_name(settings, hex);
    if (json_object_get(run->listed, hex) ||
        study_store_find(run->store, settings, &about) != 0)
        return 1;
    double pace = study_store_pace(run->store);
    const char *without = wish->without ? wish->without->wish->name : NULL;
    printf("  to train: %s%s%s, seed %llu", wish->name, without ? " without " : "",
           without ? without : "", (unsigned long long)wish->seed_run->seed);
    if (pace > 0)
        printf(", about %.1f minutes", work * pace / 60);
    puts("");
    run->work += work;
    json_object_set_new(run->listed, hex, json_real(work));
    return 1;
}

/* The line of a training, from what is kept about the model. */
static int tell_training(const struct model_wish *wish, const json_t *settings,
                         const json_t *about)
{
    struct seed_run *s = wish->seed_run;
    const char *forget = wish->without ? wish->without->wish->name : "";
    char id[ID_SIZE], hex[SETTINGS_HEX];
    run_id(id, "training", s->seed, forget, wish->name);
    if (study_store_line(s->run->store, id))
        return 0;
    study_store_name(settings, hex);
    json_t *line = run_line("training", s->seed);
    json_object_set_new(line, "model", json_string(wish->name));
    json_object_set_new(line, "forget", json_string(forget));
    json_object_set_new(line, "settings_sha256", json_string(hex));
    json_object_set(line, "rows", json_object_get(about, "rows"));
    json_object_set(line, "seconds", json_object_get(about, "seconds"));
    return study_store_append(s->run->store, id, line);
}

/* A model that is there: 1, its bytes, and the line of its training. */
static int find(const struct model_wish *wish, const json_t *settings,
                uint8_t **ret_bytes, size_t *ret_len)
{
    const struct study_store *store = wish->seed_run->run->store;
    json_t *about;
    int rc = study_store_find(store, settings, &about);
    if (rc <= 0)
        return rc;
    rc = tell_training(wish, settings, about);
    json_decref(about);
    if (rc == 0)
        rc = study_store_load(store, settings, ret_bytes, ret_len);
    return rc == 0 ? 1 : rc;
}

static int keep(const struct model_wish *wish, const json_t *settings, const void *bytes,
                size_t len, double seconds, double work)
{
    json_t *about =
        json_pack("{s:O,s:f,s:f,s:I}", "settings", settings, "seconds", seconds, "work",
                  work, "rows", (json_int_t)wish->rows->b2.end);
    int rc = tell_training(wish, settings, about);
    if (rc < 0) {
        json_decref(about);
        return rc;
    }
    return study_store_keep(wish->seed_run->run->store, settings, bytes, len, about);
}

static struct train_plan plan_of(const struct model_wish *wish, const json_t *settings)
{
    const struct run *run = wish->seed_run->run;
    const struct study *study = run->study;
    const struct arrangement *a = wish->rows;
    char hex[SETTINGS_HEX];
    struct train_plan plan = {
        .keys_of = wish->keys_of,
        .shape = study_shape(wish),
        .method = wish->method,
        .b1 = a->b1,
        .b2 = a->b2,
        .val = a->val,
        .seed = wish->train_seed,
        .threads = run->options->threads,
        .steps_encoder = steps(study->encoder_epochs, range_length(a->b1), study->batch),
        .steps_fusion = steps(study->epochs, a->b2.end, study->batch),
        .batch = study->batch,
        .rate = study->rate,
    };
    study_store_name(settings, hex);
    for (size_t i = 0; i < sizeof plan.data_sha256; i++)
        sscanf(hex + 2 * i, "%2hhx", &plan.data_sha256[i]);
    return plan;
}

static int format(const struct train_plan *plan, struct model *model, void **ret_bytes,
                  size_t *ret_len)
{
    struct model_origin origin = {"munkey-eval", plan->b1, plan->b2, plan->val};
    snprintf(model->name, sizeof model->name, "study");
    return model_format(model, &origin, ret_bytes, ret_len);
}

/* Seconds that an interrupted training has taken so far, beside its checkpoint. */
static int save_spent(const char *checkpoint, double seconds)
{
    char path[STORE_PATH + 16], text[32];
    snprintf(path, sizeof path, "%s.seconds", checkpoint);
    int len = snprintf(text, sizeof text, "%.3f", seconds);
    return file_write(path, text, (size_t)len);
}

static double take_spent(const char *checkpoint)
{
    char path[STORE_PATH + 16];
    double seconds = 0;
    snprintf(path, sizeof path, "%s.seconds", checkpoint);
    FILE *in = fopen(path, "re");
    if (in && fscanf(in, "%lf", &seconds) != 1)
        seconds = 0;
    if (in)
        fclose(in);
    unlink(path);
    return seconds;
}

static int train_munkey(const struct model_wish *wish, const json_t *settings)
{
    struct train_plan plan = plan_of(wish, settings);
    char checkpoint[STORE_PATH];
    struct trainer *trainer;
    struct metrics metrics;
    void *bytes;
    size_t len;
    int rc = trainer_new(&plan, &wish->rows->pixels.images, &trainer);
    if (rc < 0)
        return rc;
    study_store_checkpoint(wish->seed_run->run->store, settings, checkpoint);
    rc = metrics_open(NULL, plan.batch, &metrics);
    double began = run_now() - take_spent(checkpoint);
    if (rc == 0)
        rc = train_session_run(trainer, checkpoint, &metrics);
    double seconds = run_now() - began;
    if (rc == MK_EBUSY && save_spent(checkpoint, seconds) < 0)
        rc = MK_EIO;
    if (rc == 0)
        rc = format(&plan, trainer_model(trainer), &bytes, &len);
    if (rc == 0) {
        rc = keep(wish, settings, bytes, len, seconds, work_of_munkey(wish));
        free(bytes);
    }
    trainer_free(trainer);
    return rc;
}

static void announce(const struct model_wish *wish)
{
    const char *without = wish->without ? wish->without->wish->name : NULL;
    fprintf(stderr, "%s%s%s, seed %llu\n", wish->name, without ? " without " : "",
            without ? without : "", (unsigned long long)wish->seed_run->seed);
}

struct plain_plan study_plain_plan(const struct seed_run *s, uint64_t train_seed)
{
    const struct study *study = s->run->study;
    return (struct plain_plan){
        .shape = s->run->data.shape,
        .seed = train_seed,
        .threads = s->run->options->threads,
        .epochs = study->epochs,
        .batch = study->batch,
        .rate = study->rate,
        .smoothing = train_method_default.smoothing,
        .upright = !study->mirror,
    };
}

bool study_tell(void *context, size_t done, size_t total, double loss)
{
    struct progress *progress = context;
    char note[32];
    if (progress->total != total)
        *progress = progress_start("train", "steps", total);
    snprintf(note, sizeof note, "loss %.4f", loss);
    progress_at(progress, done, note);
    return !interrupt_wanted();
}

static int train_plain(const struct model_wish *wish, const json_t *settings)
{
    struct plain_plan plan = study_plain_plan(wish->seed_run, wish->train_seed);
    size_t n = wish->rows->b2.end, len;
    uint32_t *row = calloc(n, sizeof *row);
    struct params *params = NULL;
    struct progress progress = {0};
    void *bytes;
    if (!row)
        return fail(MK_ENOMEM, "no memory for %zu rows", n);
    for (uint32_t i = 0; i < n; i++)
        row[i] = i;
    double began = run_now();
    int rc = plain_train(&plan, &wish->rows->pixels.images, (struct row_list){row, n},
                         study_tell, &progress, &params);
    double seconds = run_now() - began;
    progress_end(&progress);
    if (rc == 1)
        rc = run_check();
    if (rc == 0 && (rc = plain_format(params, &bytes, &len)) == 0) {
        rc = keep(wish, settings, bytes, len, seconds, work_of_plain(wish));
        free(bytes);
    }
    params_free(params);
    free(row);
    return rc;
}

/* What makes a model of each kind, and how much work it is. */
struct kind {
    const char *name;
    double (*work)(const struct model_wish *wish);
    int (*train)(const struct model_wish *wish, const json_t *settings);
};
static const struct kind munkey = {"munkey", work_of_munkey, train_munkey};
static const struct kind plain = {"plain", work_of_plain, train_plain};

/* Its bytes, trained if they are not there; 1: the run only lists. */
static int obtain(const struct model_wish *wish, const struct kind *kind,
                  uint8_t **ret_bytes, size_t *ret_len)
{
    json_auto_t *settings = study_settings(wish, kind->name);
    if (wish->seed_run->run->options->list)
        return list(wish, settings, kind->work(wish));
    int rc = find(wish, settings, ret_bytes, ret_len);
    if (rc == 0 && (rc = run_check()) == 0) {
        announce(wish);
        if ((rc = kind->train(wish, settings)) == 0)
            rc = find(wish, settings, ret_bytes, ret_len);
    }
    return rc < 0 ? rc : 0;
}

int study_munkey(const struct model_wish *wish, struct model **ret_model)
{
    uint8_t *bytes;
    size_t len;
    int rc = obtain(wish, &munkey, &bytes, &len);
    if (rc != 0)
        return rc;
    rc = model_parse(bytes, len, ret_model);
    free(bytes);
    return rc;
}

int study_plain(const struct model_wish *wish, struct params **ret_params)
{
    const struct shape shape = study_shape(wish);
    uint8_t *bytes;
    size_t len;
    int rc = obtain(wish, &plain, &bytes, &len);
    if (rc != 0)
        return rc;
    rc = plain_parse(&shape, PARAMS_ENCODER, bytes, len, ret_params);
    free(bytes);
    return rc;
}

double study_seconds(const struct model_wish *wish, bool is_plain)
{
    json_auto_t *settings = study_settings(wish, is_plain ? plain.name : munkey.name);
    json_auto_t *about = NULL;
    if (study_store_find(wish->seed_run->run->store, settings, &about) <= 0)
        return -1;
    return json_number_value(json_object_get(about, "seconds"));
}

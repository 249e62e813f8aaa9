/* SPDX-License-Identifier: Apache-2.0 */
/* What is studied, on which machine: the first line of a folder, which is of one study. */
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "core/err.h"
#include "daemon/study_run.h"
#include "daemon/study_settings.h"
#include "storage/crypto.h"

enum { AS_IN_LINES = JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_REAL_PRECISION(9) };

/* "AMD EPYC 7B13, 2 cores, 24 GiB" */
static void describe_machine(char *text, size_t size)
{
    char line[256], name[128] = "";
    FILE *in = fopen("/proc/cpuinfo", "re");
    while (in && !*name && fgets(line, sizeof line, in))
        sscanf(line, "model name : %127[^\n]", name);
    if (in)
        fclose(in);
    struct sysinfo info = {0};
    sysinfo(&info);
    snprintf(text, size, "%s, %d cores, %.0f GiB", *name ? name : "unknown processor",
             get_nprocs(), (double)info.totalram * info.mem_unit / (1 << 30));
}

static void count(json_t *line, const char *name, size_t value)
{
    json_object_set_new(line, name, json_integer((json_int_t)value));
}

static json_t *seeds_of(const struct study *study)
{
    json_t *seeds = json_array();
    for (size_t i = 0; i < study->seeds; i++)
        json_array_append_new(seeds, json_integer((json_int_t)study->seed[i]));
    return seeds;
}

static void describe_data(const struct seed_run *s, json_t *line)
{
    char data[2 * SHA256_SIZE + 1];
    for (size_t i = 0; i < SHA256_SIZE; i++)
        sprintf(data + 2 * i, "%02x", s->run->data.sha256[i]);
    json_object_set_new(line, "dataset", json_string(s->run->data.name));
    json_object_set_new(line, "data_sha256", json_string(data));
    count(line, "images", s->all.pixels.images.n);
    count(line, "tests", s->test.images.n);
    count(line, "classes", s->run->data.shape.classes);
    count(line, "public", range_length(s->all.b1));
    count(line, "members", range_length(s->all.b2));
    count(line, "held_out", range_length(s->all.val));
}

static void describe_training(const struct seed_run *s, json_t *line)
{
    const struct study *study = s->run->study;
    json_object_set_new(line, "profile", json_string(study->profile));
    json_object_set_new(line, "sizes", json_shape(s->run->data.shape));
    json_object_set_new(line, "epochs", json_real(study->epochs));
    json_object_set_new(line, "encoder_epochs", json_real(study->encoder_epochs));
    count(line, "batch", study->batch);
    json_object_set_new(line, "rate", json_real(study->rate));
    json_object_set_new(line, "mirror", json_boolean(study->mirror));
    count(line, "shards", study->shards);
    count(line, "oracles", study->oracles);
    json_object_set_new(line, "seeds", seeds_of(study));
}

/* When and where it ran. */
static void describe_run(const struct run *run, json_t *line)
{
    char text[256], date[16];
    time_t now = time(NULL);
    struct tm utc;
    count(line, "threads", run->options->threads);
    describe_machine(text, sizeof text);
    json_object_set_new(line, "machine", json_string(text));
    strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&now, &utc));
    json_object_set_new(line, "date", json_string(date));
    snprintf(text, sizeof text, "munkey-eval %s.json --out FOLDER", run->study->name);
    json_object_set_new(line, "command", json_string(text));
}

/* What measurements depend on, but their ids do not say. */
static int check_same(const struct run *run, const json_t *there, const json_t *line)
{
    static const char *const same[] = {
        "data_sha256", "images",         "tests", "profile", "sizes",  "epochs",
        "batch",       "encoder_epochs", "rate",  "mirror",  "shards", "oracles"};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof same / sizeof *same; i++) {
        char *its = json_dumps(json_object_get(there, same[i]), AS_IN_LINES);
        char *ours = json_dumps(json_object_get(line, same[i]), AS_IN_LINES);
        if (its && ours && strcmp(its, ours) != 0)
            rc = fail(
                MK_EINPUT,
                "%s holds a study whose \"%s\" is %s, and in this one it is %s: give "
                "this one an --out of its own",
                run->options->folder, same[i], its, ours);
        free(its);
        free(ours);
    }
    return rc;
}

static int check_all(const struct run *run, const json_t *line)
{
    const json_t *there;
    void *at = NULL;
    int rc = 0;
    while (rc == 0 && (there = study_store_next(run->store, "study", &at)))
        rc = check_same(run, there, line);
    return rc;
}

int study_about(const struct seed_run *s)
{
    struct run *run = s->run;
    char id[ID_SIZE], hex[SETTINGS_HEX];
    json_t *line = json_pack("{s:s,s:s,s:s}", "kind", "study", "study", run->study->name,
                             "version", PACKAGE_VERSION);
    describe_data(s, line);
    describe_training(s, line);
    study_store_name(line, hex);
    snprintf(id, sizeof id, "study/%.16s", hex);
    describe_run(run, line);
    int rc = check_all(run, line);
    if (rc < 0 || run->options->list) {
        json_decref(line);
        return rc;
    }
    return run_put(run, id, line);
}

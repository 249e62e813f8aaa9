/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a study: what is not there yet is trained and measured, in a fixed order. */
#include "daemon/study_run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "core/err.h"
#include "daemon/interrupt.h"
#include "daemon/study_settings.h"
#include "daemon/study_views.h"
#include "storage/crypto.h"

double run_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int run_check(void)
{
    return interrupt_wanted() ? fail(MK_EBUSY, "interrupted; the same command goes on")
                              : 0;
}

void run_id(char ret_id[static ID_SIZE], const char *kind, uint64_t seed,
            const char *name, const char *rest)
{
    snprintf(ret_id, ID_SIZE, "%s/%llu%s%s%s%s", kind, (unsigned long long)seed,
             *name ? "/" : "", name, *rest ? "/" : "", rest);
}

bool run_wants(struct run *run, const char *id)
{
    bool there = study_store_line(run->store, id) != NULL;
    run->wanted++;
    run->done += there;
    if (run->options->list)
        printf("%s %s\n", there ? "done " : "to do", id);
    return !there;
}

int run_put(struct run *run, const char *id, json_t *line_take)
{
    if (!study_store_line(run->store, id))
        return study_store_append(run->store, id, line_take);
    json_decref(line_take);
    return 0;
}

json_t *run_line(const char *kind, uint64_t seed)
{
    return json_pack("{s:s,s:I}", "kind", kind, "seed", (json_int_t)seed);
}

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

static json_t *json_study(const struct run *run, const struct arrangement *all,
                          size_t tests)
{
    const struct study *study = run->study;
    char data[2 * SHA256_SIZE + 1];
    json_t *seeds = json_array();
    for (size_t i = 0; i < study->seeds; i++)
        json_array_append_new(seeds, json_integer((json_int_t)study->seed[i]));
    for (size_t i = 0; i < SHA256_SIZE; i++)
        sprintf(data + 2 * i, "%02x", run->data.sha256[i]);
    return json_pack(
        "{s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:s,s:o,s:f,s:f,s:I,s:o,s:s}", "kind",
        "study", "study", study->name, "dataset", run->data.name, "version",
        PACKAGE_VERSION, "images", (json_int_t)all->pixels.images.n, "tests",
        (json_int_t)tests, "classes", (json_int_t)run->data.shape.classes, "public",
        (json_int_t)range_length(all->b1), "members", (json_int_t)range_length(all->b2),
        "profile", study->profile, "sizes", json_shape(run->data.shape), "epochs",
        study->epochs, "encoder_epochs", study->encoder_epochs, "oracles",
        (json_int_t)study->oracles, "seeds", seeds, "data_sha256", data);
}

/* The line says what else would be another study; when and where it ran is added to it. */
static int put_study(struct seed_run *s)
{
    char id[ID_SIZE], hex[SETTINGS_HEX], text[256], date[16];
    struct run *run = s->run;
    time_t now = time(NULL);
    struct tm utc;
    json_t *line = json_study(run, &s->all, s->test.images.n);
    json_object_set_new(line, "held_out",
                        json_integer((json_int_t)range_length(s->all.val)));
    study_store_name(line, hex);
    snprintf(id, sizeof id, "study/%.16s", hex);
    json_object_set_new(line, "threads", json_integer((json_int_t)run->options->threads));
    describe_machine(text, sizeof text);
    json_object_set_new(line, "machine", json_string(text));
    strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&now, &utc));
    json_object_set_new(line, "date", json_string(date));
    snprintf(text, sizeof text, "munkey-eval %s.json --out FOLDER", run->study->name);
    json_object_set_new(line, "command", json_string(text));
    return run_put(run, id, line);
}

int seed_munkey(struct seed_run *s)
{
    const struct model_wish wish = model_wish_new(s, "munkey");
    size_t threads = s->run->options->threads;
    if (s->munkey)
        return 0;
    int rc = study_munkey(&wish, &s->munkey);
    if (rc == 0)
        rc = views_keys(s->munkey, &s->all.pixels.images, threads, &s->keys);
    if (rc == 0)
        rc = views_keys(s->munkey, &s->test.images, threads, &s->test_keys);
    return rc;
}

static int run_seed(struct run *run, uint64_t seed)
{
    struct seed_run s = {.run = run, .seed = seed};
    struct arrangement_wish wish = arrangement_paper;
    wish.images = run->study->images;
    int rc = arrangement_draw(&run->data, &wish, seed, &s.all);
    if (rc == 0)
        rc = pixels_draw(&run->data.test, run->study->tests, seed, &s.test);
    if (rc == 0 && seed == run->study->seed[0] && !run->options->list)
        rc = put_study(&s);
    if (rc == 0)
        rc = study_forgetting(&s);
    if (rc == 0)
        rc = study_exact(&s);
    if (rc == 0)
        rc = study_price(&s);
    if (rc == 0)
        rc = study_ablations(&s);
    if (rc == 0)
        rc = study_cost(&s);
    model_free(s.munkey);
    free(s.keys);
    free(s.test_keys);
    arrangement_done(&s.all);
    pixels_done(&s.test);
    return rc;
}

static int run_all(struct run *run)
{
    int rc = study_data_read(run->study, run->options->threads, &run->data);
    if (rc == 0)
        rc = study_store_open(run->options->folder, &run->store);
    for (size_t i = 0; rc == 0 && i < run->study->seeds; i++)
        rc = run_seed(run, run->study->seed[i]);
    return rc;
}

/* What is left, as far as is known: trainings, whose pace the trainings that are there give. */
static void print_rest(const struct run *run)
{
    double pace = study_store_pace(run->store);
    printf("%zu of %zu measurements are there; %zu models are to be trained", run->done,
           run->wanted, json_object_size(run->listed));
    if (run->work > 0 && pace > 0)
        printf(": about %.0f minutes", run->work * pace / 60);
    else if (run->work > 0)
        printf(": %.3g products; how long they take is known after the first", run->work);
    puts("");
}

int study_run(const char *path, const struct study_options *options)
{
    struct study study = {0};
    struct run run = {.study = &study, .options = options, .listed = json_object()};
    int rc = study_read(path, &study);
    interrupt_watch();
    if (options->minutes > 0)
        interrupt_after(options->minutes);
    if (rc == 0)
        rc = run_all(&run);
    if (rc == 0 && options->list)
        print_rest(&run);
    json_decref(run.listed);
    study_data_done(&run.data);
    study_store_close(run.store);
    study_done(&study);
    return rc;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a study: what is not there yet is trained and measured, in a fixed order. */
#include "daemon/study_run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "daemon/interrupt.h"
#include "daemon/study_models.h"
#include "daemon/study_views.h"

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

size_t seed_record_bytes(const struct seed_run *s)
{
    return memory_record_size(s->run->data.shape.key_dim);
}

size_t seed_image_bytes(const struct seed_run *s)
{
    const struct images *i = &s->all.pixels.images;
    return (size_t)i->height * i->width * i->channels + sizeof *i->labels;
}

static int run_seed(struct run *run, uint64_t seed)
{
    struct seed_run s = {.run = run, .seed = seed};
    struct arrangement_wish wish = arrangement_paper;
    wish.images = run->study->images;
    int rc = arrangement_draw(&run->data, &wish, seed, &s.all);
    if (rc == 0)
        rc = pixels_draw(&run->data.test, run->study->tests, seed, &s.test);
    if (rc == 0 && seed == run->study->seed[0])
        rc = study_about(&s);
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

/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes: who waits for whom, and who never does. */
#include "tests/check.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

#include "api/lanes.h"
#include "daemon/model_file.h"

enum { THREADS = 2, LIMIT = 4, ORDER_MAX = 16 };

static struct model *model;

/* A job that says when it starts and may be held until it is let go. */
struct step {
    struct job job; /* first */
    char name;
    bool held;
    sem_t started, go, finished;
    struct lanes *goes_on; /* once, behind what waits in LANE_READ */
    int refused;           /* what lanes_go_on() said */
    struct lanes *wipes;   /* calls lanes_wipe() */
    struct lanes *pauses;  /* calls lanes_pause() until it is let go */
    struct lanes *gives;   /* calls lanes_give_way() between two parts */
    sem_t parted;          /* the first is done */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char order[ORDER_MAX + 1];

static void note(char name)
{
    pthread_mutex_lock(&mutex);
    size_t len = strlen(order);
    assert_true(len < ORDER_MAX);
    order[len] = name; /* NUL: a probe */
    pthread_mutex_unlock(&mutex);
}

static void run_step(struct job *job, struct scratch *scratch)
{
    struct step *step = (struct step *)job;
    sem_post(&step->started);
    while (step->pauses && sem_trywait(&step->go) != 0)
        lanes_pause(step->pauses, scratch);
    if (step->held)
        sem_wait(&step->go);
    if (step->wipes)
        lanes_wipe(step->wipes);
    if (step->gives) {
        sem_post(&step->parted);
        lanes_give_way(step->gives);
    }
    note(step->name);
    struct lanes *lanes = step->goes_on;
    step->goes_on = NULL;
    if (lanes && (step->refused = lanes_go_on(lanes, LANE_READ, job)) == 0)
        return; /* it is the lane's again */
    sem_post(&step->finished);
}

static struct step *a_step(char name, bool held)
{
    struct step *step = calloc(1, sizeof *step);
    step->job.run = run_step;
    step->name = name;
    step->held = held;
    sem_init(&step->started, 0, 0);
    sem_init(&step->go, 0, 0);
    sem_init(&step->finished, 0, 0);
    sem_init(&step->parted, 0, 0);
    return step;
}

static struct lanes *start(void)
{
    struct lanes *lanes;
    memset(order, 0, sizeof order);
    assert_ok(lanes_start(model, THREADS, LIMIT, &lanes));
    return lanes;
}

static void free_steps(struct step **steps, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(steps[i]);
}

static void an_erasure_goes_before_what_waits(void **state)
{
    (void)state;
    struct lanes *lanes = start();
    struct step *steps[] = {a_step('A', true), a_step('e', false), a_step('r', false),
                            a_step('B', true), a_step('C', false)};
    assert_ok(lanes_submit(lanes, LANE_ERASE, &steps[0]->job));
    sem_wait(&steps[0]->started);
    assert_ok(lanes_submit(lanes, LANE_ENROLL, &steps[1]->job));
    assert_ok(lanes_submit(lanes, LANE_READ, &steps[2]->job));
    assert_ok(lanes_submit(lanes, LANE_ERASE, &steps[3]->job));
    sem_post(&steps[0]->go);
    sem_wait(&steps[3]->started);
    assert_ok(lanes_submit(lanes, LANE_ERASE, &steps[4]->job));
    sem_post(&steps[3]->go);
    lanes_free(lanes);
    assert_memory_equal(order, "ABC", 3);
    assert_int_equal(strlen(order), 5);
    free_steps(steps, 5);
}

static void a_flood_of_predictions_does_not_delay_an_erasure(void **state)
{
    (void)state;
    struct lanes *lanes = start();
    struct step *flood[THREADS + LIMIT], *erase = a_step('E', false);
    for (int i = 0; i < THREADS + LIMIT; i++) {
        flood[i] = a_step('p', true);
        assert_ok(lanes_submit(lanes, LANE_PREDICT, &flood[i]->job));
        if (i < THREADS)
            sem_wait(&flood[i]->started); /* each thread has one; the others wait */
    }
    assert_ok(lanes_submit(lanes, LANE_ERASE, &erase->job));
    sem_wait(&erase->finished); /* while every prediction is stuck */
    for (int i = 0; i < THREADS + LIMIT; i++)
        sem_post(&flood[i]->go);
    lanes_free(lanes);
    assert_int_equal(order[0], 'E');
    free_steps(flood, THREADS + LIMIT);
    free(erase);
}

/* They come while its first part is done, and go before its second; so does the read that runs. */
static void an_erasure_waits_for_one_part_of_a_bulk(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        struct lanes *lanes = start();
        struct step *bulk = a_step('2', true);
        struct step *others[] = {a_step('r', true), a_step('E', true), a_step('F', true)};
        bulk->gives = lanes;
        assert_ok(lanes_submit(lanes, LANE_BULK, &bulk->job));
        sem_wait(&bulk->started);
        assert_ok(lanes_submit(lanes, LANE_READ, &others[0]->job));
        sem_wait(&others[0]->started);
        assert_ok(lanes_submit(lanes, LANE_ERASE, &others[1]->job));
        assert_ok(lanes_submit(lanes, LANE_ERASE, &others[2]->job));
        sem_post(&bulk->go);
        sem_wait(&bulk->parted);
        for (int i = 0; i < 3; i++)
            sem_post(&others[(i + round) % 3]->go);
        lanes_free(lanes);
        assert_int_equal(order[3], '2');
        assert_true(strchr(order, 'E') < strchr(order, 'F'));
        free_steps(others, 3);
        free(bulk);
    }
}

/* A job that submits the next before it ends, until it is told to stop. */
struct flood {
    struct job job; /* first */
    struct lanes *lanes;
    struct flood *next;
    _Atomic bool *stop;
    unsigned *left;
};

static void run_flood(struct job *job, struct scratch *scratch)
{
    struct flood *flood = (struct flood *)job;
    (void)scratch;
    if (!*flood->stop && --*flood->left > 0)
        lanes_submit(flood->lanes, LANE_ERASE, &flood->next->job);
}

static void a_flood_of_erasures_does_not_stop_a_bulk(void **state)
{
    (void)state;
    struct lanes *lanes = start();
    struct step *bulk = a_step('B', false);
    _Atomic bool stop = false;
    unsigned left = 10000000;
    struct flood flood[2];
    for (int i = 0; i < 2; i++)
        flood[i] = (struct flood){{NULL, run_flood}, lanes, &flood[!i], &stop, &left};
    bulk->gives = lanes;
    assert_ok(lanes_submit(lanes, LANE_ERASE, &flood[0].job));
    assert_ok(lanes_submit(lanes, LANE_BULK, &bulk->job));
    sem_wait(&bulk->finished);
    stop = true;
    lanes_free(lanes);
    assert_true(left > 0);
    free(bulk);
}

static void a_full_queue_refuses(void **state)
{
    (void)state;
    struct lanes *lanes = start();
    struct step *steps[LIMIT + 2];
    for (int i = 0; i < LIMIT + 2; i++)
        steps[i] = a_step('x', i == 0);
    assert_ok(lanes_submit(lanes, LANE_READ, &steps[0]->job));
    sem_wait(&steps[0]->started);
    for (int i = 1; i <= LIMIT; i++)
        assert_ok(lanes_submit(lanes, LANE_READ, &steps[i]->job));
    assert_int_equal(lanes_submit(lanes, LANE_READ, &steps[LIMIT + 1]->job), MK_EBUSY);
    sem_post(&steps[0]->go);
    lanes_free(lanes);
    assert_string_equal(order, "xxxxx");
    free_steps(steps, LIMIT + 2);
}

static void a_job_that_goes_on_waits_behind_everybody_and_is_never_refused(void **state)
{
    (void)state;
    struct lanes *lanes = start();
    struct step *steps[LIMIT + 1];
    for (int i = 0; i < LIMIT + 1; i++)
        steps[i] = a_step(i == 0 ? 'A' : 'r', i == 0);
    steps[0]->goes_on = lanes;
    assert_ok(lanes_submit(lanes, LANE_READ, &steps[0]->job));
    sem_wait(&steps[0]->started);
    for (int i = 1; i <= LIMIT; i++)
        assert_ok(lanes_submit(lanes, LANE_READ, &steps[i]->job)); /* full now */
    sem_post(&steps[0]->go);
    sem_post(&steps[0]->go);
    sem_wait(&steps[0]->finished);
    assert_string_equal(order, "ArrrrA");
    lanes_free(lanes);
    free_steps(steps, LIMIT + 1);
}

static void *drain(void *lanes)
{
    lanes_drain(lanes);
    return NULL;
}

static void what_waits_is_run_before_the_end(void **state)
{
    (void)state;
    struct lanes *lanes = start();
    struct step *steps[] = {a_step('1', true), a_step('2', false), a_step('3', false)};
    pthread_t drainer;
    assert_ok(lanes_submit(lanes, LANE_ERASE, &steps[0]->job));
    sem_wait(&steps[0]->started);
    assert_ok(lanes_submit(lanes, LANE_ERASE, &steps[1]->job));
    assert_ok(lanes_submit(lanes, LANE_ENROLL, &steps[2]->job));
    pthread_create(&drainer, NULL, drain, lanes);
    sem_post(&steps[0]->go);
    pthread_join(drainer, NULL);
    assert_string_equal(order, "123");
    assert_int_equal(lanes_submit(lanes, LANE_PREDICT, &steps[0]->job), MK_EBUSY);
    lanes_free(lanes);
    free_steps(steps, 3);
}

static void a_wipe_waits_for_the_prediction_that_runs(void **state)
{
    (void)state;
    struct lanes *lanes = start();
    struct step *predict = a_step('p', true), *erase = a_step('E', false);
    erase->wipes = lanes;
    assert_ok(lanes_submit(lanes, LANE_PREDICT, &predict->job));
    sem_wait(&predict->started);
    assert_ok(lanes_submit(lanes, LANE_ERASE, &erase->job));
    sem_wait(&erase->started);
    sem_post(&predict->go);
    lanes_free(lanes);
    assert_string_equal(order, "pE");
    free(predict);
    free(erase);
}

static void a_wipe_does_not_wait_for_the_end_of_a_batch(void **state)
{
    (void)state;
    struct lanes *lanes = start();
    struct step *batch = a_step('b', false), *erase = a_step('E', false);
    batch->pauses = erase->wipes = lanes;
    assert_ok(lanes_submit(lanes, LANE_PREDICT, &batch->job));
    sem_wait(&batch->started);
    assert_ok(lanes_submit(lanes, LANE_ERASE, &erase->job));
    sem_wait(&erase->finished);
    sem_post(&batch->go);
    lanes_free(lanes);
    assert_string_equal(order, "Eb");
    free(batch);
    free(erase);
}

/* Threads that have ended have wiped: nobody waits for them. */
static void a_wipe_at_the_end_does_not_hang(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct lanes *lanes = start();
        struct step *erase = a_step('E', true), *probe = a_step('\0', false);
        pthread_t drainer;
        erase->wipes = lanes;
        assert_ok(lanes_submit(lanes, LANE_ERASE, &erase->job));
        sem_wait(&erase->started);
        pthread_create(&drainer, NULL, drain, lanes);
        while (lanes_submit(lanes, LANE_PREDICT, &probe->job) == 0)
            sem_wait(&probe->finished); /* until the drain has begun */
        sem_post(&erase->go);
        pthread_join(drainer, NULL);
        lanes_free(lanes);
        assert_string_equal(order, "E");
        free(erase);
        free(probe);
    }
}

static int load_model(void **state)
{
    char path[4096];
    uint8_t digest[32];
    (void)state;
    snprintf(path, sizeof path, "%s/models/fashion-mnist-T.safetensors",
             getenv("top_srcdir"));
    return model_file_load(path, &model, digest);
}

static int free_model(void **state)
{
    (void)state;
    model_free(model);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_erasure_goes_before_what_waits),
        cmocka_unit_test(a_flood_of_predictions_does_not_delay_an_erasure),
        cmocka_unit_test(an_erasure_waits_for_one_part_of_a_bulk),
        cmocka_unit_test(a_flood_of_erasures_does_not_stop_a_bulk),
        cmocka_unit_test(a_full_queue_refuses),
        cmocka_unit_test(a_job_that_goes_on_waits_behind_everybody_and_is_never_refused),
        cmocka_unit_test(what_waits_is_run_before_the_end),
        cmocka_unit_test(a_wipe_waits_for_the_prediction_that_runs),
        cmocka_unit_test(a_wipe_does_not_wait_for_the_end_of_a_batch),
        cmocka_unit_test(a_wipe_at_the_end_does_not_hang),
    };
    return cmocka_run_group_tests_name("lanes", tests, load_model, free_model);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Predictions race erasures over HTTP, and a history of it is checked.  Each time the victim comes
 * the memory has another digest (fresh nonces), which every reply names: so each reply says
 * itself whether the victim was in the memory that it rests on.  The kernel's time of arrival
 * counts: when a client's thread wakes says nothing about the order in which replies were sent.
 *
 *     ROUNDS=2000 tests/test_witness
 */
#include "tests/check.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "tests/served.h"

enum { PREDICTORS = 4, COPIES = 4, LABEL = 3, OTHERS = 200, DIGEST = 65, BATCH_MAX = 40 };

/* One prediction: when it was asked and when its answer arrived, in ns, and what it rests on. */
struct sample {
    int64_t asked, answered;
    char digest[DIGEST];
    bool influenced; /* it is what it is beside the victim */
};

/* One life of the victim in the memory. */
struct life {
    char digest[DIGEST];     /* of the memory with the victim */
    int64_t enrolled;        /* when that was answered */
    int64_t asked, answered; /* the erasure */
};

struct predictor {
    size_t batch; /* images in a request; 1: as they are, not in JSON */
    struct sample *sample;
    size_t n, room;
    char seen[DIGEST]; /* the last digest */
};

static struct shipped shipped;
static struct served served;
static uint8_t *images;
static const uint8_t *marker; /* an image that the victim's instances are copies of */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t sampled = PTHREAD_COND_INITIALIZER;
static bool stop;
static struct predictor predictor[PREDICTORS] = {
    {.batch = 1}, {.batch = 1}, {.batch = 3}, {.batch = BATCH_MAX}};
static struct life *life;
static size_t rounds;
static json_t *beside, *without; /* the prediction with and without the victim */

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000000000 + t.tv_nsec;
}

static void copy_digest(const json_t *reply, char *ret_digest)
{
    const char *digest =
        json_string_value(json_object_get(json_object_get(reply, "memory"), "digest"));
    snprintf(ret_digest, DIGEST, "%s", digest);
}

/* Whether all predictions of a reply are this one. */
static bool all_are(const json_t *reply, const json_t *prediction)
{
    const json_t *predictions = json_object_get(reply, "predictions");
    size_t same = 0;
    for (size_t i = 0; i < json_array_size(predictions); i++)
        same += json_equal(json_array_get(predictions, i), prediction);
    return same > 0 && same == json_array_size(predictions);
}

static json_t *ask(struct client *client, size_t n)
{
    const uint8_t *pixels[BATCH_MAX];
    if (n == 1)
        return client_call(client, "POST", "/predict?top_k=10", MEDIA_RAW, marker,
                           IMAGE_SIZE, 200);
    for (size_t i = 0; i < n; i++)
        pixels[i] = marker;
    char *body = predict_body(pixels, n);
    json_t *reply =
        client_call(client, "POST", "/predict", MEDIA_JSON, body, strlen(body), 200);
    free(body);
    return reply;
}

static void keep(struct predictor *p, const struct sample *sample)
{
    pthread_mutex_lock(&mutex);
    if (p->n == p->room) {
        p->room = 2 * p->room + 1000;
        p->sample = realloc(p->sample, p->room * sizeof *p->sample);
    }
    p->sample[p->n++] = *sample;
    strcpy(p->seen, sample->digest);
    pthread_cond_broadcast(&sampled);
    pthread_mutex_unlock(&mutex);
}

static bool stopped(void)
{
    pthread_mutex_lock(&mutex);
    bool it_is = stop;
    pthread_mutex_unlock(&mutex);
    return it_is;
}

static void *predict_on(void *context)
{
    struct predictor *p = context;
    struct client client;
    client_open(&client, &served);
    while (!stopped()) {
        struct sample sample = {.asked = now()};
        json_t *reply = ask(&client, p->batch);
        sample.answered = client.arrived;
        copy_digest(reply, sample.digest);
        sample.influenced = all_are(reply, beside);
        if (!sample.influenced && !all_are(reply, without))
            strcpy(sample.digest, "neither with nor without");
        json_decref(reply);
        keep(p, &sample);
    }
    client_close(&client);
    return NULL;
}

static void enrol(struct client *client, struct life *l)
{
    const uint8_t *pixels[COPIES] = {marker, marker, marker, marker};
    char *body = enrol_body(pixels, COPIES, LABEL);
    json_t *reply = client_call(client, "POST", "/subjects/victim/instances", MEDIA_JSON,
                                body, strlen(body), 201);
    l->enrolled = client->arrived;
    copy_digest(reply, l->digest);
    json_decref(reply);
    free(body);
}

static void erase(struct client *client, struct life *l)
{
    l->asked = now();
    json_t *reply = client_call(client, "DELETE", "/subjects/victim", NULL, NULL, 0, 200);
    l->answered = client->arrived;
    json_decref(reply);
}

/* So that all of them are at work on this memory when the victim is erased. */
static void wait_for_all(const struct life *l)
{
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < PREDICTORS; i++)
        while (strcmp(predictor[i].seen, l->digest) != 0)
            pthread_cond_wait(&sampled, &mutex);
    pthread_mutex_unlock(&mutex);
}

static void come_and_go(void)
{
    pthread_t thread[PREDICTORS];
    struct client client;
    stop = false;
    client_open(&client, &served);
    for (size_t i = 0; i < PREDICTORS; i++)
        pthread_create(&thread[i], NULL, predict_on, &predictor[i]);
    for (size_t i = 0; i < rounds; i++) {
        enrol(&client, &life[i]);
        wait_for_all(&life[i]);
        erase(&client, &life[i]);
    }
    pthread_mutex_lock(&mutex);
    stop = true;
    pthread_mutex_unlock(&mutex);
    for (size_t i = 0; i < PREDICTORS; i++)
        pthread_join(thread[i], NULL);
    client_close(&client);
}

/* NULL: the digest of the memory without the victim, which is always the same. */
static const struct life *life_of(const struct sample *sample)
{
    for (size_t i = 0; i < rounds; i++)
        if (strcmp(sample->digest, life[i].digest) == 0)
            return &life[i];
    return NULL;
}

/* What cannot be true of a sample, or NULL. */
static const char *objection(const struct sample *sample, const char *base)
{
    const struct life *l = life_of(sample);
    if (!l && strcmp(sample->digest, base) != 0)
        return "it rests on a memory that never was";
    if (sample->influenced != (l != NULL))
        return "its digest and its answer tell different stories";
    if (l && sample->asked > l->answered)
        return "it was asked after the erasure's answer, and knows the victim";
    if (l && sample->answered > l->answered)
        return "it came after the erasure's answer, and knows the victim";
    for (size_t i = 0; !l && i < rounds; i++)
        if (sample->asked > life[i].enrolled && sample->answered < life[i].asked)
            return "it came while the victim was there, and does not know them";
    return NULL;
}

static size_t check_samples(const struct predictor *p, const char *base)
{
    size_t wrong = 0;
    for (size_t i = 0; i < p->n; i++) {
        const char *why = objection(&p->sample[i], base);
        if (why)
            printf("# reply %zu of batches of %zu: %s\n", i, p->batch, why);
        wrong += why != NULL;
    }
    return wrong;
}

static size_t count_influenced(const struct predictor *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        n += p->sample[i].influenced;
    return n;
}

static void no_reply_after_an_erasures_knows_the_victim(void **state)
{
    char base[DIGEST];
    size_t n = 0, influenced = 0, wrong = 0;
    struct client client;
    (void)state;
    client_open(&client, &served);
    json_auto_t *reply = ask(&client, 1);
    copy_digest(reply, base);
    client_close(&client);
    come_and_go();
    for (size_t i = 0; i < PREDICTORS; i++) {
        n += predictor[i].n;
        influenced += count_influenced(&predictor[i]);
        wrong += check_samples(&predictor[i], base);
    }
    printf("# %zu predictions, %zu of them beside the victim, %zu erasures, %zu wrong\n",
           n, influenced, rounds, wrong);
    assert_int_equal(wrong, 0);
    assert_true(influenced >= rounds * PREDICTORS && influenced < n);
}

static int set_up(void **state)
{
    const char *text = getenv("ROUNDS");
    struct row rows[OTHERS];
    struct client client;
    size_t n;
    (void)state;
    rounds = text ? strtoul(text, NULL, 10) : 40;
    life = calloc(rounds + 1, sizeof *life);
    model_shipped("T", &shipped);
    images = test_images(&n);
    marker = images;
    served_start(&served, &shipped, 2);
    for (size_t i = 0; i < OTHERS; i++)
        rows[i] = (struct row){i, "other", i % 10, images + (i + 1) * IMAGE_SIZE};
    assert_ok(replica_enrol(&served.replica, rows, OTHERS));
    client_open(&client, &served);
    enrol(&client, &life[rounds]);
    json_auto_t *with = ask(&client, 1);
    erase(&client, &life[rounds]);
    json_auto_t *after = ask(&client, 1);
    beside = json_incref(json_array_get(json_object_get(with, "predictions"), 0));
    without = json_incref(json_array_get(json_object_get(after, "predictions"), 0));
    assert_false(json_equal(beside, without));
    client_close(&client);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    served_stop(&served);
    for (size_t i = 0; i < PREDICTORS; i++)
        free(predictor[i].sample);
    json_decref(beside);
    json_decref(without);
    free(life);
    free(images);
    model_free(shipped.model);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_reply_after_an_erasures_knows_the_victim),
    };
    return cmocka_run_group_tests_name("witness", tests, set_up, tear_down);
}

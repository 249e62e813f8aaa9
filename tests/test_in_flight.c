/* SPDX-License-Identifier: Apache-2.0 */
/* A prediction that is in flight when its neighbour is erased: held at a chosen point while the
 * erasure runs, over HTTP, with the real lanes.  The linker puts doors into the real
 * functions (-Wl,--wrap): behind an image's prediction, before a reply is queued, before the
 * erasure takes the bank's lock, and where it waits for replies to leave. */
#include "tests/check.h"

#include <microhttpd.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "api/outbox.h"
#include "tests/served.h"

enum { LONG = 40, IN_MIDDLE = 20, COPIES = 4, LABEL = 3, OTHERS = 200 };

static struct shipped shipped;
static struct served served;
static uint8_t *images;
static const uint8_t *marker; /* an image that the victim's instances are copies of */

/* Where the next prediction is held: at its image of this number, before its reply is queued, or
 * before that is sent. */
enum { NOWHERE = 0, BEFORE_REPLY = -1, BEFORE_SENDING = -2, SENDING = -3 };
static atomic_int place;
static sem_t held, go;

static pthread_rwlock_t *bank_lock;
static atomic_bool watched; /* what an erasure does at the bank's lock */
static atomic_bool waits;   /* it found it taken */
static sem_t at_lock;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char order[8]; /* of the replies that were queued: Prediction, Erasure */
static __thread bool predicts;
static __thread bool flushes;
static atomic_bool erasing; /* the next reply that is queued is that of an erasure */
static atomic_bool sending; /* the next that is sent is */
static sem_t at_outbox;     /* an erasure waits there, or has passed it */

/* The last byte of the last prediction, the first of the last erasure. */
static int64_t prediction_arrived, erasure_arrived;

static void hold(void)
{
    sem_post(&held);
    sem_wait(&go);
}

void __real_model_predict(const struct model *model, struct scratch *scratch,
                          const uint8_t *pixels, const struct hit *hits, size_t n,
                          const struct label_set *about, float *ret_p);
void __wrap_model_predict(const struct model *model, struct scratch *scratch,
                          const uint8_t *pixels, const struct hit *hits, size_t n,
                          const struct label_set *about, float *ret_p)
{
    __real_model_predict(model, scratch, pixels, hits, n, about, ret_p);
    predicts = true;
    if (place > 0 && --place == NOWHERE)
        hold();
}

enum MHD_Result __real_MHD_queue_response(struct MHD_Connection *connection,
                                          unsigned status, struct MHD_Response *response);
enum MHD_Result __wrap_MHD_queue_response(struct MHD_Connection *connection,
                                          unsigned status, struct MHD_Response *response)
{
    if (predicts && place == BEFORE_REPLY) {
        place = NOWHERE;
        hold();
    }
    if (predicts && place == BEFORE_SENDING)
        place = SENDING;
    if (!predicts && erasing)
        sending = true;
    pthread_mutex_lock(&mutex);
    if (strlen(order) + 1 < sizeof order)
        order[strlen(order)] = predicts ? 'P' : 'E';
    enum MHD_Result queued = __real_MHD_queue_response(connection, status, response);
    pthread_mutex_unlock(&mutex);
    return queued;
}

void __real_outbox_flush(struct outbox *outbox);
void __wrap_outbox_flush(struct outbox *outbox)
{
    flushes = true;
    __real_outbox_flush(outbox);
    flushes = false;
}

int __real_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *held_mutex,
                                  const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *held_mutex,
                                  const struct timespec *until)
{
    if (flushes)
        sem_post(&at_outbox);
    return __real_pthread_cond_timedwait(condition, held_mutex, until);
}

/* libmicrohttpd's and GnuTLS's, too: a program's own symbols go before those of its libraries.  Only
 * the server sends with sendmsg(). */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (place == SENDING) {
        place = NOWHERE;
        hold();
    }
    bool of_erasure = sending;
    ssize_t sent = syscall(SYS_sendmsg, fd, message, flags);
    if (of_erasure)
        sem_post(&at_outbox);
    return sent;
}

int __real_pthread_rwlock_wrlock(pthread_rwlock_t *lock);
int __wrap_pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    if (!bank_lock)
        bank_lock = lock;
    if (lock != bank_lock || !watched)
        return __real_pthread_rwlock_wrlock(lock);
    watched = false;
    waits = pthread_rwlock_trywrlock(lock) != 0;
    sem_post(&at_lock);
    return waits ? __real_pthread_rwlock_wrlock(lock) : 0;
}

/* The reply to n markers. */
static json_t *ask(size_t n)
{
    const uint8_t *pixels[LONG];
    struct client client;
    for (size_t i = 0; i < n; i++)
        pixels[i] = marker;
    char *body = predict_body(pixels, n);
    client_open(&client, &served);
    json_t *reply =
        client_call(&client, "POST", "/predict", MEDIA_JSON, body, strlen(body), 200);
    prediction_arrived = client.arrived;
    client_close(&client);
    free(body);
    return reply;
}

static void *predict(void *n)
{
    return ask((size_t)n);
}

static void enrol(void)
{
    const uint8_t *pixels[COPIES] = {marker, marker, marker, marker};
    struct client client;
    char *body = enrol_body(pixels, COPIES, LABEL);
    client_open(&client, &served);
    json_decref(client_call(&client, "POST", "/subjects/victim/instances", MEDIA_JSON,
                            body, strlen(body), 201));
    client_close(&client);
    free(body);
}

static void *erase(void *unused)
{
    (void)unused;
    struct client client;
    client_open(&client, &served);
    json_t *reply =
        client_call(&client, "DELETE", "/subjects/victim", NULL, NULL, 0, 200);
    erasure_arrived = client.began;
    client_close(&client);
    return reply;
}

/* Until the erasure stands before the bank's lock, or has passed it.  A lock that a change waits
 * for lets no new reader in. */
static void see_the_erasure_come(void)
{
    sem_wait(&at_lock);
    while (waits && pthread_rwlock_tryrdlock(bank_lock) == 0) {
        pthread_rwlock_unlock(bank_lock);
        sched_yield();
    }
}

/* The victim is erased while n markers are predicted, held at `at`.  Whether the erasure had to
 * wait; the reply of the prediction, and what it would be beside and without the victim. */
static bool meet(size_t n, int at, json_t **ret_reply, json_t **ret_beside,
                 json_t **ret_without)
{
    pthread_t predictor, eraser;
    void *reply, *erased;
    enrol();
    *ret_beside = ask(n);
    place = at;
    pthread_create(&predictor, NULL, predict, (void *)n);
    sem_wait(&held);
    memset(order, 0, sizeof order);
    watched = true;
    pthread_create(&eraser, NULL, erase, NULL);
    see_the_erasure_come();
    sem_post(&go);
    pthread_join(predictor, &reply);
    pthread_join(eraser, &erased);
    assert_int_equal(json_integer_value(json_object_get(erased, "erased")), COPIES);
    json_decref(erased);
    *ret_reply = reply;
    *ret_without = ask(n);
    assert_false(json_equal(json_object_get(*ret_beside, "predictions"),
                            json_object_get(*ret_without, "predictions")));
    return waits;
}

static void an_erasure_waits(size_t n, int at)
{
    json_auto_t *reply = NULL, *beside = NULL, *without = NULL;
    assert_true(meet(n, at, &reply, &beside, &without));
    assert_true(json_equal(reply, beside));
    assert_memory_equal(order, "PE", 2);
}

static void an_erasure_waits_for_images_that_have_searched(void **state)
{
    (void)state;
    an_erasure_waits(3, 2);
}

static void an_erasure_waits_until_the_reply_is_queued(void **state)
{
    (void)state;
    an_erasure_waits(1, BEFORE_REPLY);
    an_erasure_waits(3, BEFORE_REPLY);
}

/* The bank's lock is free again: what is left to wait for is the reply's way to the kernel. */
static void an_erasure_is_answered_after_the_reply_has_left(void **state)
{
    pthread_t predictor, eraser;
    void *reply, *erased;
    (void)state;
    enrol();
    json_auto_t *beside = ask(1);
    place = BEFORE_SENDING;
    pthread_create(&predictor, NULL, predict, (void *)1);
    sem_wait(&held);
    while (sem_trywait(&at_outbox) == 0)
        ; /* earlier erasures' */
    erasing = true;
    pthread_create(&eraser, NULL, erase, NULL);
    sem_wait(&at_outbox);
    erasing = sending = false;
    sem_post(&go);
    pthread_join(predictor, &reply);
    pthread_join(eraser, &erased);
    assert_true(json_equal(reply, beside));
    assert_true(prediction_arrived < erasure_arrived);
    json_decref(reply);
    json_decref(erased);
}

/* NULL: its caller got nothing of the reply but the end of the connection. */
static void *predict_in_vain(void *unused)
{
    const uint8_t *pixels[] = {marker};
    char head[512], got[256], *body = predict_body(pixels, 1);
    struct client client;
    (void)unused;
    client_open(&client, &served);
    int len = snprintf(head, sizeof head,
                       "POST /predict HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                       "Content-Type: " MEDIA_JSON "\r\nContent-Length: %zu\r\n\r\n",
                       served.token, strlen(body));
    assert_int_equal(write(client.fd, head, (size_t)len), len);
    assert_int_equal(write(client.fd, body, strlen(body)), strlen(body));
    ssize_t n = read(client.fd, got, sizeof got);
    client_close(&client);
    free(body);
    return (void *)(intptr_t)(n > 0);
}

static double seconds_of_an_erasure(void)
{
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    json_decref(erase(NULL));
    clock_gettime(CLOCK_MONOTONIC, &ended);
    return (double)(ended.tv_sec - began.tv_sec) +
           1e-9 * (double)(ended.tv_nsec - began.tv_nsec);
}

/* The first erasure waits a second for it and then ends its connection, so that nothing of it leaves
 * afterwards; the second has nothing to wait for. */
static void a_reply_that_stays_is_cut_off_and_waited_for_once(void **state)
{
    pthread_t predictor;
    void *got;
    (void)state;
    enrol();
    place = BEFORE_SENDING;
    pthread_create(&predictor, NULL, predict_in_vain, NULL);
    sem_wait(&held);
    double first = seconds_of_an_erasure(), second = seconds_of_an_erasure();
    sem_post(&go);
    pthread_join(predictor, &got);
    assert_null(got);
    assert_true(first >= 1 && second < first / 2);
}

/* At the 32nd image it gives way, and begins anew: the reply knows nothing of the victim. */
static void a_long_batch_gives_way_and_forgets_what_it_found(void **state)
{
    json_auto_t *reply = NULL, *beside = NULL, *without = NULL;
    (void)state;
    assert_true(meet(LONG, IN_MIDDLE, &reply, &beside, &without));
    assert_true(json_equal(reply, without));
}

/* One flag says it all: between what is said and what is done nothing else can come. */
static void whoever_is_not_ready_takes_no_work(void **state)
{
    static const char *const asks[][2] = {{"GET", "/readyz"},
                                          {"GET", "/v2/health/ready"},
                                          {"POST", "/predict"},
                                          {"POST", "/v2/models/m/infer"},
                                          {"GET", "/memory/digest"}};
    struct client client;
    (void)state;
    served.service.draining = true;
    client_open(&client, &served);
    for (size_t i = 0; i < ARRAY_SIZE(asks); i++)
        json_decref(
            client_call(&client, asks[i][0], asks[i][1], MEDIA_JSON, "{}", 2, 503));
    served.service.draining = false;
    json_decref(client_call(&client, "GET", "/readyz", NULL, NULL, 0, 200));
    client_close(&client);
}

static int encrypt(void **state)
{
    (void)state;
    served_encrypt(&served, 2);
    return 0;
}

static void over_tls_it_is_answered_after_the_reply_has_left_too(void **state)
{
    an_erasure_is_answered_after_the_reply_has_left(state);
}

static int set_up(void **state)
{
    size_t n;
    (void)state;
    sem_init(&held, 0, 0);
    sem_init(&go, 0, 0);
    sem_init(&at_lock, 0, 0);
    sem_init(&at_outbox, 0, 0);
    model_shipped("T", &shipped);
    images = test_images(&n);
    marker = images;
    served_start(&served, &shipped, 2);
    bank_lock = NULL;
    memory_reserve(served.service.bank, 0,
                   0); /* takes the bank's lock: now it is known */
    struct row rows[OTHERS];
    for (size_t i = 0; i < OTHERS; i++)
        rows[i] = (struct row){i, "other", i % 10, images + (i + 1) * IMAGE_SIZE};
    assert_ok(replica_enrol(&served.replica, rows, OTHERS));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    served_stop(&served);
    free(images);
    model_free(shipped.model);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_erasure_waits_for_images_that_have_searched),
        cmocka_unit_test(an_erasure_waits_until_the_reply_is_queued),
        cmocka_unit_test(an_erasure_is_answered_after_the_reply_has_left),
        cmocka_unit_test(a_reply_that_stays_is_cut_off_and_waited_for_once),
        cmocka_unit_test(a_long_batch_gives_way_and_forgets_what_it_found),
        cmocka_unit_test(whoever_is_not_ready_takes_no_work),
        cmocka_unit_test_setup(over_tls_it_is_answered_after_the_reply_has_left_too,
                               encrypt),
    };
    return cmocka_run_group_tests_name("in flight", tests, set_up, tear_down);
}

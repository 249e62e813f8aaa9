/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an image's answer and key depend on what is beside it: over HTTP, alone and in every
 * position of batches of 1 to 64, with one and with several threads that predict.
 *
 *     OPENBLAS_CORETYPE=Haswell batches T [STEP]        every STEPth size
 *
 * Prints the kernels that OpenBLAS has chosen, and what differs; 1 when anything does.
 */
#include <cblas.h>
#include <pthread.h>
#include <stdio.h>

#include "tests/check.h"
#include "tests/served.h"

enum { SIZES = 64, ENROLLED = 100, CLIENTS_MAX = 5 };

static struct shipped shipped;
static struct served served;
static uint8_t *images;
static json_t *alone[SIZES]; /* what each image's prediction is in a request of its own */
static size_t step = 1;

/* One of several that ask at a time, and share the sizes. */
struct asker {
    size_t number, askers;
    size_t compared, differing;
};

static const uint8_t *image(size_t i)
{
    return images + i % SIZES * IMAGE_SIZE;
}

/* n images from the first on, in one request: their predictions. */
static json_t *ask(struct client *client, size_t first, size_t n)
{
    const uint8_t *pixels[SIZES];
    for (size_t i = 0; i < n; i++)
        pixels[i] = image(first + i);
    char *body = predict_body(pixels, n);
    json_t *reply =
        client_call(client, "POST", "/predict", MEDIA_JSON, body, strlen(body), 200);
    json_t *predictions = json_incref(json_object_get(reply, "predictions"));
    json_decref(reply);
    free(body);
    return predictions;
}

static void compare(struct asker *a, struct client *client, size_t n)
{
    size_t first = n * 7; /* so that images change their places */
    json_auto_t *predictions = ask(client, first, n);
    for (size_t i = 0; i < n; i++) {
        bool same =
            json_equal(json_array_get(predictions, i), alone[(first + i) % SIZES]);
        a->compared++;
        a->differing += !same;
    }
}

static void *compare_all(void *context)
{
    struct asker *a = context;
    struct client client;
    client_open(&client, &served);
    for (size_t i = a->number; i * step < SIZES; i += a->askers)
        compare(a, &client, 1 + i * step);
    client_close(&client);
    return NULL;
}

/* As many clients as threads that predict, so that those compute at the same time. */
static size_t with_threads(size_t threads)
{
    struct asker asker[CLIENTS_MAX];
    pthread_t thread[CLIENTS_MAX];
    size_t compared = 0, differing = 0;
    served_again(&served, (unsigned)threads);
    for (size_t i = 0; i < threads; i++) {
        asker[i] = (struct asker){.number = i, .askers = threads};
        pthread_create(&thread[i], NULL, compare_all, &asker[i]);
    }
    for (size_t i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
        compared += asker[i].compared;
        differing += asker[i].differing;
    }
    printf("%zu threads: %zu predictions compared, %zu differing\n", threads, compared,
           differing);
    return differing;
}

static json_t *held(struct client *client, const char *target)
{
    json_t *reply = client_call(client, "GET", target, NULL, NULL, 0, 200);
    json_t *instances = json_incref(json_object_get(reply, "instances"));
    json_decref(reply);
    return instances;
}

static void enrol(struct client *client, const char *target, size_t first, size_t n)
{
    const uint8_t *pixels[SIZES];
    for (size_t i = 0; i < n; i++)
        pixels[i] = image(first + i);
    char *body = enrol_body(pixels, n, 1);
    json_decref(client_call(client, "POST", target, MEDIA_JSON, body, strlen(body), 201));
    free(body);
}

/* The keys of the same images, enrolled together and one by one. */
static size_t with_keys(void)
{
    struct client client;
    size_t differing = 0;
    client_open(&client, &served);
    enrol(&client, "/subjects/together/instances", 0, SIZES);
    for (size_t i = 0; i < SIZES; i++)
        enrol(&client, "/subjects/one-by-one/instances", i, 1);
    json_auto_t *together = held(&client, "/subjects/together?export=1");
    json_auto_t *one_by_one = held(&client, "/subjects/one-by-one?export=1");
    for (size_t i = 0; i < SIZES; i++) {
        const json_t *key = json_object_get(json_array_get(together, i), "key");
        differing +=
            !key ||
            !json_equal(key, json_object_get(json_array_get(one_by_one, i), "key"));
    }
    client_close(&client);
    printf("%d keys compared, %zu differing\n", SIZES, differing);
    return differing;
}

static void set_up(const char *profile)
{
    struct row rows[ENROLLED];
    struct client client;
    size_t n;
    model_shipped(profile, &shipped);
    images = test_images(&n);
    served_start(&served, &shipped, 1);
    for (size_t i = 0; i < ENROLLED; i++)
        rows[i] = (struct row){i, "other", i % 10, images + (SIZES + i) * IMAGE_SIZE};
    assert_ok(replica_enrol(&served.replica, rows, ENROLLED));
    client_open(&client, &served);
    for (size_t i = 0; i < SIZES; i++) {
        json_auto_t *predictions = ask(&client, i, 1);
        alone[i] = json_incref(json_array_get(predictions, 0));
    }
    client_close(&client);
}

int main(int argc, char **argv)
{
    size_t differing = 0;
    if (argc > 2)
        step = strtoul(argv[2], NULL, 10);
    printf("%s kernels\n", openblas_get_corename());
    set_up(argc > 1 ? argv[1] : "T");
    for (size_t threads = 1; threads <= CLIENTS_MAX; threads += 2)
        differing += with_threads(threads);
    differing += with_keys();
    served_stop(&served);
    return differing > 0;
}

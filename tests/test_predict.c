/* SPDX-License-Identifier: Apache-2.0 */
/* POST /predict, called like any function: equal images give equal bytes, in whatever
 * form they come, and the bank stays as it was until the reply is on its way. */
#include "tests/check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "api/routes.h"
#include "daemon/model_file.h"
#include "storage/label.h"
#include "tests/drawn.h"

enum { SIZE = 28 * 28, OWNER = 7, N = 500, GUEST = 8, GUESTS = 70, BATCH = 80 };

static struct service service;
static struct scratch *scratch;

/* The first ten are built in; the others are a guest's. */
static const char *const names[] = {"shirt", "Zebra",    "0",    "4711", "bag",
                                    "pear",  "a",        "b",    "c",    "d",
                                    "e",     "an apple", "zebra"};
enum { BUILT_IN = 10, NAMES = 13 };

static void paint(uint8_t *pixels, unsigned seed)
{
    for (unsigned i = 0; i < SIZE; i++)
        pixels[i] = (uint8_t)((i * seed + i / 28 * 13) % 251);
}

static int ask(const char *media, const char *raw_target, const void *body, size_t len,
               struct reply *ret_reply)
{
    struct target target;
    assert_ok(target_split(raw_target, &target));
    assert_ok(target_decode(&target));
    struct request request = {.service = &service,
                              .scratch = scratch,
                              .target = &target,
                              .media = media,
                              .body = body,
                              .body_len = len};
    int rc = predict_post(&request, ret_reply);
    target_done(&target);
    return rc;
}

/* A JSON body of n images, seeds first, first + 1, ... */
static char *body_of(unsigned first, unsigned n, const char *rest)
{
    json_t *inputs = json_array();
    for (unsigned i = 0; i < n; i++) {
        uint8_t pixels[SIZE];
        json_t *input = json_array();
        paint(pixels, first + i);
        for (unsigned j = 0; j < SIZE; j++)
            json_array_append_new(input, json_integer(pixels[j]));
        json_array_append_new(inputs, input);
    }
    char *array = json_dumps(inputs, 0), *body;
    assert_true(asprintf(&body, "{\"inputs\": %s%s}", array, rest) > 0);
    json_decref(inputs);
    free(array);
    return body;
}

static json_t *ask_json(unsigned first, unsigned n, const char *rest)
{
    char *body = body_of(first, n, rest);
    struct reply reply = {0};
    assert_ok(ask("application/json", "/predict", body, strlen(body), &reply));
    json_t *json = json_loadb(reply.body->data, reply.body->len, 0, NULL);
    assert_non_null(json);
    reply_done(&reply);
    free(body);
    return json;
}

static void raw_and_json_give_the_same_bytes(void **state)
{
    (void)state;
    uint8_t pixels[SIZE];
    struct reply raw = {0}, json = {0};
    paint(pixels, 3);
    char *body = body_of(3, 1, ", \"top_k\": 2, \"explain\": true");
    assert_ok(ask("application/octet-stream", "/predict?top_k=2&explain=1", pixels, SIZE,
                  &raw));
    assert_ok(ask("application/json", "/predict", body, strlen(body), &json));
    assert_string_equal(raw.body->data, json.body->data);
    reply_done(&raw);
    reply_done(&json);
    free(body);
}

static void a_batch_does_not_change_a_bit(void **state)
{
    (void)state;
    json_auto_t *batch = ask_json(1, 9, ", \"top_k\": 10");
    json_t *together = json_object_get(batch, "predictions");
    assert_int_equal(json_array_size(together), 9);
    for (unsigned i = 0; i < 9; i++) {
        json_auto_t *alone = ask_json(1 + i, 1, ", \"top_k\": 10");
        assert_true(json_equal(json_array_get(together, i),
                               json_array_get(json_object_get(alone, "predictions"), 0)));
    }
}

static void the_top_is_in_order_and_sums_to_one(void **state)
{
    (void)state;
    json_auto_t *reply = ask_json(5, 1, ", \"top_k\": 10, \"explain\": true");
    json_t *prediction = json_array_get(json_object_get(reply, "predictions"), 0);
    json_t *top = json_object_get(prediction, "top"), *first = json_array_get(top, 0);
    json_t *explain = json_object_get(prediction, "explain");
    double last = 1, sum = 0;
    assert_int_equal(json_array_size(top), 10);
    for (size_t i = 0; i < 10; i++) {
        double p =
            json_real_value(json_object_get(json_array_get(top, i), "probability"));
        assert_true(p <= last);
        last = p;
        sum += p;
    }
    assert_true(sum > 0.99999 && sum < 1.00001);
    assert_true(json_equal(json_object_get(first, "label"),
                           json_object_get(prediction, "label")));
    assert_int_equal(json_integer_value(json_object_get(explain, "hits")),
                     model_info(service.model)->k);
    assert_int_equal(json_integer_value(json_object_get(explain, "exact")) +
                         json_integer_value(json_object_get(explain, "trained")),
                     model_info(service.model)->k);
}

static void the_first_are_the_same_however_many_are_asked_for(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed < 20; seed++) {
        json_auto_t *few = ask_json(seed, 1, ", \"top_k\": 8"),
                    *many = ask_json(seed, 1, ", \"top_k\": 10");
        json_t *a = json_array_get(json_object_get(few, "predictions"), 0),
               *b = json_array_get(json_object_get(many, "predictions"), 0);
        for (size_t i = 0; i < 8; i++)
            assert_true(json_equal(json_array_get(json_object_get(a, "top"), i),
                                   json_array_get(json_object_get(b, "top"), i)));
        assert_true(json_equal(json_object_get(a, "label"), json_object_get(b, "label")));
    }
}

static void a_reply_names_the_memory_it_rests_on(void **state)
{
    (void)state;
    json_auto_t *reply = ask_json(5, 1, "");
    json_t *memory = json_object_get(reply, "memory");
    assert_int_equal(json_integer_value(json_object_get(memory, "n")), N);
    assert_memory_equal(json_string_value(json_object_get(memory, "digest")), "abab", 4);
}

static struct memory_state state_of(uint64_t n, uint8_t digest)
{
    struct memory_state state = {.n = n};
    memset(state.digest, digest, sizeof state.digest);
    return state;
}

static atomic_bool dropped;

static void *drop(void *unused)
{
    (void)unused;
    struct memory_state same = state_of(N, 0xab);
    memory_drop(service.bank, OWNER + 1000, &same); /* nobody; but takes the lock */
    dropped = true;
    return NULL;
}

/* No change happens between the search and the sending. */
static void the_bank_is_locked_until_the_reply_is_sent(void **state)
{
    (void)state;
    uint8_t pixels[SIZE];
    struct reply reply = {0};
    pthread_t thread;
    paint(pixels, 3);
    assert_ok(ask("application/octet-stream", "/predict", pixels, SIZE, &reply));
    assert_ptr_equal(reply.locked, service.bank);
    dropped = false;
    pthread_create(&thread, NULL, drop, NULL);
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_nsec += 200000000;
    deadline.tv_sec += deadline.tv_nsec / 1000000000;
    deadline.tv_nsec %= 1000000000;
    assert_int_not_equal(pthread_timedjoin_np(thread, NULL, &deadline), 0);
    assert_false(dropped);
    reply_done(&reply);
    pthread_join(thread, NULL);
    assert_true(dropped);
}

static void a_refused_request_leaves_the_bank_alone(void **state)
{
    (void)state;
    struct reply reply = {0};
    assert_int_equal(ask("application/octet-stream", "/predict", "x", 1, &reply),
                     MK_EUNPROCESSABLE);
    assert_null(reply.locked);
    assert_int_equal(ask("application/json", "/predict", "{}", 2, &reply), MK_EINPUT);
    assert_null(reply.locked);
    drop(NULL);
}

static void too_many_images_are_refused(void **state)
{
    (void)state;
    struct reply reply = {0};
    char *body = body_of(1, BATCH + 1, "");
    assert_int_equal(ask("application/json", "/predict", body, strlen(body), &reply),
                     MK_ETOOBIG);
    free(body);
}

static atomic_bool stop;

/* A guest comes and goes as fast as it can. */
static void *come_and_go(void *records)
{
    struct memory_state with = state_of(N + GUESTS, 0xcd), without = state_of(N, 0xab);
    while (!stop) {
        assert_ok(memory_add(service.bank, records, GUESTS, &with));
        memory_drop(service.bank, GUEST, &without);
    }
    return NULL;
}

static void set_label(struct record *record, uint32_t number)
{
    const struct model_info *info = model_info(service.model);
    const char *name = names[number % NAMES];
    record->label = info->open_labels ? label_code(name) : number % info->classes;
    strcpy(record->name, name);
}

static struct record *guests(void)
{
    struct record *records = calloc(GUESTS, sizeof *records);
    for (unsigned i = 0; i < GUESTS; i++) {
        uint8_t pixels[SIZE];
        paint(pixels, i + 1);
        model_key(service.model, scratch, pixels, &records[i].key);
        records[i].owner = GUEST;
        set_label(&records[i], (i + 3) % NAMES);
        memcpy(records[i].iid, &i, sizeof i);
    }
    return records;
}

/* More images than one lock covers: still none of them sees another memory than the rest. */
static void a_large_batch_sees_one_memory(void **state)
{
    (void)state;
    struct record *records = guests();
    struct memory_state with = state_of(N + GUESTS, 0xcd), without = state_of(N, 0xab);
    json_auto_t *alone = ask_json(1, GUESTS, "");
    assert_ok(memory_add(service.bank, records, GUESTS, &with));
    json_auto_t *beside = ask_json(1, GUESTS, "");
    assert_int_equal(memory_drop(service.bank, GUEST, &without), GUESTS);
    assert_false(json_equal(json_object_get(alone, "predictions"),
                            json_object_get(beside, "predictions")));
    pthread_t thread;
    stop = false;
    pthread_create(&thread, NULL, come_and_go, records);
    for (int i = 0; i < 20; i++) {
        json_auto_t *reply = ask_json(1, GUESTS, "");
        assert_true(json_equal(reply, alone) || json_equal(reply, beside));
    }
    stop = true;
    pthread_join(thread, NULL);
    free(records);
}

static void fill_bank(void)
{
    struct record *records = calloc(N, sizeof *records);
    struct memory_state now = state_of(N, 0xab);
    for (unsigned i = 0; i < N; i++) {
        uint8_t pixels[SIZE];
        paint(pixels, i + 1);
        model_key(service.model, scratch, pixels, &records[i].key);
        set_label(&records[i], i % BUILT_IN);
        records[i].owner = OWNER;
        records[i].class = i % 2 ? CLASS_EXACT : CLASS_TRAINED;
        memcpy(records[i].iid, &i, sizeof i);
        records[i].iid[15] = 1; /* behind a guest of the same key */
    }
    assert_ok(memory_add(service.bank, records, N, &now));
    free(records);
}

static void begin(struct model *model)
{
    service.model = model;
    service.bank = memory_new(model_info(model)->key_dim, N + GUESTS);
    if (model_info(model)->open_labels)
        assert_ok(label_open(service.bank, model_info(model)));
    service.limits =
        (struct limits){.batch = BATCH, .image_side = 4096, .image_pixels = 1 << 24};
    scratch = scratch_new(model);
    fill_bank();
}

static void end(void)
{
    scratch_free(scratch);
    memory_free(service.bank);
    model_free((struct model *)service.model);
}

static int set_up(void **state)
{
    char path[4096];
    struct model *model;
    (void)state;
    snprintf(path, sizeof path, "%s/models/fashion-mnist-T.safetensors",
             getenv("top_srcdir"));
    assert_ok(model_file_load(path, &model, service.model_sha256));
    begin(model);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    end();
    return 0;
}

/* A label's place is that of its name, whatever its number in the model. */
static void expect_ranks(void)
{
    json_auto_t *reply = ask_json(5, 1, ", \"top_k\": 10");
    json_t *prediction = json_array_get(json_object_get(reply, "predictions"), 0),
           *choice;
    const char *label[BUILT_IN];
    size_t i;
    json_array_foreach(json_object_get(prediction, "top"), i, choice)
        label[json_integer_value(json_object_get(choice, "index"))] =
            json_string_value(json_object_get(choice, "label"));
    for (i = 1; i < BUILT_IN; i++)
        assert_true(strcmp(label[i - 1], label[i]) < 0);
}

/* Here the guest brings labels, too: no reply mixes those of two memories. */
static void so_it_is_where_labels_are_open(void **state)
{
    end();
    begin(drawn_model(names, BUILT_IN));
    expect_ranks();
    raw_and_json_give_the_same_bytes(state);
    a_batch_does_not_change_a_bit(state);
    the_top_is_in_order_and_sums_to_one(state);
    a_large_batch_sees_one_memory(state);
    end();
    set_up(state);
}

/* Under the bank's lock nobody is erased. */
static void a_reply_has_a_hundred_thousand_labels_at_most(void **state)
{
    enum { MANY = 2000 };
    static char text[MANY][8];
    static const char *many[MANY];
    struct reply reply = {0};
    for (size_t i = 0; i < MANY; i++) {
        snprintf(text[i], sizeof text[i], "%zu", i);
        many[i] = text[i];
    }
    end();
    begin(drawn_model(many, MANY));
    char *body = body_of(1, 51, ", \"top_k\": 2000");
    assert_int_equal(ask("application/json", "/predict", body, strlen(body), &reply),
                     MK_ETOOBIG);
    free(body);
    json_auto_t *all = ask_json(1, 50, ", \"top_k\": 2000");
    assert_int_equal(json_array_size(json_object_get(all, "predictions")), 50);
    end();
    set_up(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_and_json_give_the_same_bytes),
        cmocka_unit_test(a_batch_does_not_change_a_bit),
        cmocka_unit_test(the_top_is_in_order_and_sums_to_one),
        cmocka_unit_test(the_first_are_the_same_however_many_are_asked_for),
        cmocka_unit_test(a_reply_names_the_memory_it_rests_on),
        cmocka_unit_test(the_bank_is_locked_until_the_reply_is_sent),
        cmocka_unit_test(a_refused_request_leaves_the_bank_alone),
        cmocka_unit_test(too_many_images_are_refused),
        cmocka_unit_test(a_large_batch_sees_one_memory),
        cmocka_unit_test(so_it_is_where_labels_are_open),
        cmocka_unit_test(a_reply_has_a_hundred_thousand_labels_at_most),
    };
    return cmocka_run_group_tests_name("predict", tests, set_up, tear_down);
}
